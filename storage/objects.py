"""The object database of a repository, which GitPython's objects read through too.

Reads come from memory, else from git's own `cat-file --batch`. Writes are staged; what the journal
made durable is kept until it is put into a pack with all else that came meanwhile (`flushes`).
GitPython's default stores each object through a `git hash-object` process.
"""

import os
import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from git import Git
from git.compat import safe_decode
from git.db import GitCmdObjectDB
from gitdb.base import OInfo, OStream

from storage import flushes
from storage.cache import ObjectCache
from storage.commits import CommitHeader
from storage.errors import NameTaken, RepositoryDamaged
from storage.packs import GitObject
from storage.trees import FOLDER, Tree

_FEW_PACKS = 8
_MOST_UNPACKED = 16 * 1024 * 1024  # bytes
_MANY_FOLDERS = 16  # more than a repository has
_OBJECT_ID = re.compile(r"[0-9a-f]{40}")


class ObjectDatabase(GitCmdObjectDB):
    """One repository's objects. Any thread may read; one at a time stages, keeps and packs.

    What cannot be read raises RepositoryDamaged with the repository's name: ids are only
    ever asked for because a ref, a commit or a tree of the same repository names them.
    """

    def __init__(self, root_path: str, git: Git) -> None:
        """Open `<repository>.git/objects`. GitPython calls this; `share` follows."""
        super().__init__(root_path, git)
        self.name = Path(root_path).parent.stem
        self._root = root_path
        self._pack_folder = Path(root_path, "pack")
        self._cache = ObjectCache()
        self._staged: dict[bytes, GitObject] = {}
        self._unpacked: dict[bytes, GitObject] = {}
        self._unpacked_size = 0  # bytes
        self._bases: dict[bytes, bytes] = {}  # of trees: one that they differ little from
        self._cat_file = threading.Lock()
        self._packs_changed: int | None = None
        self._packs: frozenset[str] = frozenset()
        self._latest_trees: dict[bytes, bytes] = {}

    def share(self, cache: ObjectCache) -> None:
        """Use a cache that other databases use too."""
        self._cache = cache

    def read(self, object_id: bytes) -> tuple[str, bytes]:
        """Return the type and content of an object that is no tree."""
        value = self._load(object_id)
        if isinstance(value, Tree):
            raise RepositoryDamaged(self.name, f"the object {object_id.hex()} is a tree")
        return value.type, value.data

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
                return _parse_commit(value.data)
        raise RepositoryDamaged(self.name, f"the object {commit_id.hex()} is not a commit")

    def stage(self, item: GitObject) -> GitObject:
        """Take up an object; it can be read at once."""
        self._staged[item.id] = item
        return item

    def edit(self, root: bytes | None, files: Mapping[str, GitObject | None]) -> bytes:
        """Stage the trees that differ from those of a folder in some files, by path; return the new root.

        None takes a file away, and a folder goes with its last. Raises NameTaken if a folder would
        hold two names that differ only in case.
        """
        tree = Tree() if root is None else self.tree(root)
        here: dict[str, bytes | None] = {}
        below: dict[str, dict[str, GitObject | None]] = defaultdict(dict)
        for path, file in files.items():
            name, _, rest = path.partition("/")
            if rest:
                below[name][rest] = file
            else:
                here[name] = None if file is None else file.id
        clash = tree.other_case([name for name, blob_id in here.items() if blob_id is not None])
        if clash is not None:
            raise NameTaken(*clash)
        if here:
            tree = tree.splice(*next(iter(here.items()))) if len(here) == 1 else tree.update(here)
        for name, nested in below.items():
            child = self.edit(tree.find(name, FOLDER), nested)
            tree = tree.splice(name, child if self.tree(child).keys else None, FOLDER)
        return self._add_tree(tree, root)

    def staged(self) -> frozenset[bytes]:
        """Return the ids of what was staged."""
        return frozenset(self._staged)

    def discard(self, keep: frozenset[bytes] = frozenset()) -> None:
        """Forget what was staged, apart from `keep`."""
        for object_id in self._staged.keys() - keep:
            del self._staged[object_id]

    def keep(self) -> None:
        """Count what was staged as committed, though it is in no pack yet."""
        self._unpacked |= self._staged
        self._unpacked_size += sum(len(item.data) for item in self._staged.values())
        self._staged.clear()

    @property
    def is_full(self) -> bool:
        """Tell whether much is kept in memory that is in no pack."""
        return self._unpacked_size > _MOST_UNPACKED

    def pack(self, tip: str) -> None:
        """Put what is in no pack into one, durably, named for the commit `tip` that it ends in."""
        if not self._unpacked:
            return
        name = flushes.write(self._pack_folder, tip, list(self._unpacked.values()), self._bases)
        self._packs |= {name}
        self._packs_changed = self._pack_folder.stat().st_mtime_ns

    def packed(self) -> None:
        """Take note that packs have all that was kept."""
        for item in self._unpacked.values():
            if item.type != "tree":
                self._cache.put(self._root, item.id, item)
        self._unpacked, self._unpacked_size, self._bases = {}, 0, {}

    def write(self, type_: str, data: bytes) -> bytes:
        """Store one object durably, by itself, and return its id."""
        item = GitObject.of(type_, data)
        flushes.write(self._pack_folder, item.id.hex(), [item])
        return item.id

    def pack_count(self) -> int:
        """Return how many packs there were when last looked at."""
        return len(self._packs)

    def refresh(self) -> None:
        """Take note of packs that came or went; OSError if it cannot.

        The few packs of a young repository are read whole when it is opened, which then needs no
        git process. A pack that went may have been taken by maintenance, or by a hand that damaged
        the repository: what was cached from it is read again.
        """
        changed = self._pack_folder.stat().st_mtime_ns
        if changed == self._packs_changed:
            return
        first, known = self._packs_changed is None, self._packs
        names = os.listdir(self._pack_folder)
        self._packs = frozenset(name.removesuffix(".idx") for name in names if name.endswith(".idx"))
        if known - self._packs:
            self._cache.forget(self._root)
        elif not first or len(self._packs) <= _FEW_PACKS:
            for name in self._packs - known:
                self._remember_all(flushes.read(self._pack_folder, name))
        self._packs_changed = changed

    # What GitPython's Commit and Tree read through

    def info(self, binsha: bytes) -> OInfo:
        """Return an object's type and size."""
        stream = self.stream(binsha)
        return OInfo(binsha, stream.type, stream.size)

    def stream(self, binsha: bytes) -> OStream:
        """Return an object's content as a stream."""
        value = self._load(binsha)
        type_, data = ("tree", value.serialize()) if isinstance(value, Tree) else (value.type, value.data)
        return OStream(binsha, type_, len(data), BytesIO(data))

    def _load(self, object_id: bytes) -> GitObject | Tree:
        item = self._unpacked.get(object_id) or self._staged.get(object_id)
        if item and item.type != "tree":
            return item
        value = self._cache.get(self._root, object_id)
        if value is None:
            item = item or self._ask_git(object_id)
            try:
                value = self._remember(item)
            except ValueError as error:
                raise RepositoryDamaged(self.name, f"the object {object_id.hex()} is {error}") from error
        return value

    def _add_tree(self, tree: Tree, base: bytes | None) -> bytes:
        item = self.stage(GitObject.of("tree", tree.serialize()))
        if base is not None:
            self._bases[item.id] = base
        self._remember_tree(item, tree)
        return item.id

    def _remember_all(self, items: Iterable[GitObject]) -> None:
        with suppress(ValueError):  # told of when it is asked for
            for item in items:
                self._remember(item)

    def _remember(self, item: GitObject) -> GitObject | Tree:
        if item.type == "tree":
            return self._remember_tree(item, None)
        self._cache.put(self._root, item.id, item)
        return item

    def _remember_tree(self, item: GitObject, tree: Tree | None) -> Tree:
        """Remember a tree; parse it beside the latest of the same folder, or one that begins alike."""
        start = item.data[: item.data.find(b"\0")]
        if tree is None:
            latest = self._cache.get(self._root, self._latest_trees.get(start, b""))
            tree = Tree.parse(item.data, latest if isinstance(latest, Tree) else None)
        if len(self._latest_trees) > _MANY_FOLDERS:
            self._latest_trees.clear()
        self._latest_trees[start] = item.id
        self._cache.put(self._root, item.id, tree)
        return tree

    def _ask_git(self, object_id: bytes) -> GitObject:
        hex_id = object_id.hex()
        with self._cat_file:
            for _ in range(2):  # the running process may have died: once more, with a new one
                try:
                    _, type_name, _, data = self._git.get_object_data(hex_id)
                except (ValueError, OSError):
                    self._git.clear_cache()
                else:
                    return GitObject(safe_decode(type_name), data, object_id)
        raise RepositoryDamaged(self.name, f"git cannot read the object {hex_id}")


_parse_commit = lru_cache(maxsize=1024)(CommitHeader.parse)  # each read asks for its tip's
