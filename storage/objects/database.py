"""The object database of a repository.

Reads come from memory, else from git's own `cat-file --batch`. Writes are staged; what the journal
made durable is kept until it is put into a pack with all else that came meanwhile (`flushes`).
GitPython's default stores each object through a `git hash-object` process.
"""

import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from git import Git
from git.compat import safe_decode

from storage.errors import NO_ROOM, NameTaken, RepositoryDamaged, StorageUnavailable
from storage.machine import cores
from storage.objects.cache import ObjectCache
from storage.objects.pending import Unpacked
from storage.plumbing import pack_files
from storage.plumbing.commits import CommitHeader
from storage.plumbing.packs import GitObject
from storage.plumbing.trees import FOLDER, Tree
from storage.waits import PAUSE, Waits
from storage.watch import Ended

_FEW_PACKS = 8
_MANY_FOLDERS = 16  # more than a repository has
_OBJECT_ID = re.compile(r"[0-9a-f]{40}")


class ObjectDatabase:
    """One repository's objects. Any thread may read; one at a time stages, keeps and packs.

    What cannot be read raises RepositoryDamaged with the repository's name: ids are only
    ever asked for because a ref, a commit or a tree of the same repository names them.
    """

    def __init__(
        self,
        name: str,
        git_folder: Path,
        git: Git,
        cache: ObjectCache | None = None,
        waits: Waits | None = None,
    ) -> None:
        """Open the objects of a repository; a cache, and bounds of waiting, may be those of others, too."""
        self.name = name
        self._git = git
        self._root = str(git_folder / "objects")
        self._pack_folder = git_folder / "objects/pack"
        self._cache = cache or ObjectCache()
        self._waits = waits or Waits()
        self.unpacked = Unpacked()
        self._cat_file = threading.Lock()
        self._packs_changed: int | None = None
        self._packs: frozenset[str] = frozenset()
        self._latest_trees: dict[bytes, bytes] = {}  # by how they start

    def read(self, object_id: bytes) -> tuple[str, bytes]:
        """Return the type and content of an object that is no tree."""
        value = self._load(object_id)
        if isinstance(value, Tree):
            raise RepositoryDamaged(self.name, f"the object {object_id.hex()} is a tree")
        return value.type, value.data

    def read_any(self, object_id: bytes) -> tuple[str, bytes]:
        """Return the type and content of an object."""
        value = self._load(object_id)
        return ("tree", value.serialize()) if isinstance(value, Tree) else (value.type, value.data)

    def blob(self, object_id: bytes) -> bytes:
        """Return a blob's content."""
        type_, data = self.read(object_id)
        if type_ != "blob":
            raise RepositoryDamaged(self.name, f"the object {object_id.hex()} is not a blob")
        return data

    def named_blob(self, name: str) -> bytes:
        """Return the content of a blob that some file names; RepositoryDamaged if that is no blob's id."""
        if not _OBJECT_ID.fullmatch(name):
            raise RepositoryDamaged(self.name, f"{name!r} is not the id of an object")
        return self.blob(bytes.fromhex(name))

    def tree(self, object_id: bytes) -> Tree:
        """Return a tree."""
        value = self._load(object_id)
        if not isinstance(value, Tree):
            raise RepositoryDamaged(self.name, f"the object {object_id.hex()} is not a tree")
        return value

    def commit(self, commit_id: bytes) -> CommitHeader:
        """Return what a commit says of itself."""
        value = self._load(commit_id)
        with suppress(ValueError):
            if not isinstance(value, Tree) and value.type == "commit":
                return CommitHeader.parse(value.data)
        raise RepositoryDamaged(self.name, f"the object {commit_id.hex()} is not a commit")

    def edit(
        self, root: bytes | None, files: Mapping[str, GitObject | None], *, admitted: bool = False
    ) -> bytes:
        """Stage the trees that differ from those of a folder in some files, by path; return the new root.

        None takes a file away, and a folder goes with its last. Raises NameTaken if a folder would
        hold two names that differ only in case, unless the files were admitted once before.
        """
        return self._edit(root, files, admitted)[0]

    def _edit(
        self, folder: bytes | None, files: Mapping[str, GitObject | None], admitted: bool
    ) -> tuple[bytes, Tree]:
        tree = Tree() if folder is None else self.tree(folder)
        here: dict[str, bytes | None] = {}
        below: dict[str, dict[str, GitObject | None]] = {}
        for path, file in files.items():
            name, _, rest = path.partition("/")
            if rest:
                below.setdefault(name, {})[rest] = file
            else:
                here[name] = None if file is None else file.id
        if not admitted:
            clash = tree.other_case([name for name, blob_id in here.items() if blob_id is not None])
            if clash is not None:
                raise NameTaken(*clash)
        if here:
            tree = tree.splice(*next(iter(here.items()))) if len(here) == 1 else tree.update(here)
        for name, nested in below.items():
            child_id, child = self._edit(tree.find(name, FOLDER), nested, admitted)
            tree = tree.splice(name, None if child.is_empty else child_id, FOLDER)
        return self.unpacked.stage_tree(tree, folder), tree

    @contextmanager
    def pack(self, tip: str) -> Iterator[None]:
        """Put what is kept into a pack, durably, while the branch is moved to its last commit, `tip`."""
        with pack_files.write(self._pack_folder, tip, self.unpacked.kept()) as name:
            yield
        self._packs |= {name}
        self._packs_changed = self._pack_folder.stat().st_mtime_ns

    def packed(self) -> None:
        """Take note that packs have all that was kept."""
        for object_id, value in self.unpacked.clear().items():
            self._remember(object_id, value)

    @contextmanager
    def write(self, type_: str, data: bytes) -> Iterator[bytes]:
        """Store one object durably, by itself, while a ref is made that names it; gives its id."""
        item = GitObject.of(type_, data)
        with pack_files.write(self._pack_folder, item.id.hex(), [item]):
            yield item.id

    def pack_count(self) -> int:
        """Return how many packs there were when last looked at."""
        return len(self._packs)

    def refresh(self) -> None:
        """Take note of packs that came or went; OSError if it cannot.

        The few packs of a young repository are read whole when it is opened, which then needs no
        git process; what later ones hold was read from the journal. A pack that went may have been taken
        by maintenance, or by a hand that damaged the repository: what was cached from it is read
        again.
        """
        changed = self._pack_folder.stat().st_mtime_ns
        if changed == self._packs_changed:
            return
        first, known = self._packs_changed is None, self._packs
        names = os.listdir(self._pack_folder)
        self._packs = frozenset(name.removesuffix(".idx") for name in names if name.endswith(".idx"))
        if known - self._packs:
            self._cache.forget(self._root)
        elif first and len(self._packs) <= _FEW_PACKS:
            for name in self._packs:
                self._remember_all(pack_files.read(self._pack_folder, name))
        self._packs_changed = changed

    def _load(self, object_id: bytes) -> GitObject | Tree:
        value = self.unpacked.get(object_id)
        if value is None:
            value = self._cache.get(self._root, object_id)
        if value is None:
            item = self._ask_git(object_id)
            try:
                value = self._remember(object_id, self._parse(item))
            except ValueError as error:
                raise RepositoryDamaged(self.name, f"the object {object_id.hex()} is {error}") from error
        return value

    def _remember_all(self, items: Iterable[GitObject]) -> None:
        with suppress(ValueError):  # told of when it is asked for
            for item in items:
                self._remember(item.id, self._parse(item))

    def _parse(self, item: GitObject) -> GitObject | Tree:
        """Return a tree as one: parsed beside the latest of the same folder, or of one that starts alike."""
        if item.type != "tree":
            return item
        latest = self._latest_trees.get(Tree.start_of(item.data), b"")
        near = self._cache.get(self._root, latest)
        return Tree.parse(item.data, near if isinstance(near, Tree) else None)

    def _remember(self, object_id: bytes, value: GitObject | Tree) -> GitObject | Tree:
        self._cache.put(self._root, object_id, value)
        if isinstance(value, Tree):
            if len(self._latest_trees) > _MANY_FOLDERS:
                self._latest_trees.clear()
            self._latest_trees[value.start] = object_id
        return value

    def _ask_git(self, object_id: bytes) -> GitObject:
        """Return an object that git reads, once its content is found to be what its id says.

        A process that is killed, or meets damage, ends in the middle of an object; an index that is damaged
        leads to another one.
        """
        hex_id = object_id.hex()
        with self._reading(), cores.on_all_cores():
            for _ in range(2):  # the running process may have died: once more, with a new one
                try:
                    with self._waits.watch.over(partial(_kill, self._git)):
                        _, type_name, _, data = self._git.get_object_data(hex_id)
                    item = GitObject.of(safe_decode(type_name), data)
                    if item.id == object_id:
                        return item
                    problem = f"the object {hex_id} is damaged: its content is not what its id says"
                except Ended as error:
                    end_git(self._git)
                    raise StorageUnavailable(self.name, "git does not answer") from error
                except (ValueError, OSError) as error:
                    problem = f"git cannot read the object {hex_id}"
                    if isinstance(error, OSError) and error.errno in NO_ROOM:
                        end_git(self._git)
                        raise StorageUnavailable(self.name, f"git cannot begin: {error.strerror}") from error
                end_git(self._git)
        raise RepositoryDamaged(self.name, problem)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Have the git process that objects are read with to oneself."""
        with self._waits.waiting(self._root) as wait:
            while not self._cat_file.acquire(timeout=PAUSE):
                try:
                    wait.go_on(2 * self._waits.seconds)  # until whoever reads now has tried twice
                except TimeoutError as error:
                    raise StorageUnavailable(self.name, "others wait for git to answer") from error
        self._waits.note_free(self._root)
        try:
            yield
        finally:
            self._cat_file.release()


def end_git(git: Git) -> None:
    """End the git process that objects are read with, also one that was stopped; a read starts a new one."""
    _kill(git)
    git.clear_cache()


def _kill(git: Git) -> None:
    running = getattr(git.cat_file_all, "proc", None)
    if running is not None:
        running.kill()
