"""The object database of a repository, which GitPython's objects read through too.

Reads come from a cache, else from git's own `cat-file --batch`; writes are staged in memory and
become durable together, as one pack, at `flush` (`flushes`). GitPython's default stores each object
through a `git hash-object` process.
"""

import os
import re
import threading
import time
from collections.abc import Iterable
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
from storage.errors import RepositoryDamaged
from storage.packs import GitObject
from storage.trees import Tree

_FEW_PACKS = 8
_LIST_EVERY_SECONDS = 1.0
_MANY_FOLDERS = 16  # more than a repository has
_OBJECT_ID = re.compile(r"[0-9a-f]{40}")


class ObjectDatabase(GitCmdObjectDB):
    """One repository's objects. Any thread may read; one at a time stages and flushes.

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
        self._cat_file = threading.Lock()
        self._packs_changed: int | None = None
        self._packs_listed = 0.0  # seconds, of the monotonic clock
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

    def add(self, type_: str, data: bytes) -> bytes:
        """Stage an object for the next flush and return its id; it can be read at once."""
        item = GitObject.of(type_, data)
        self._staged[item.id] = item
        self._remember(item)
        return item.id

    def add_tree(self, tree: Tree) -> bytes:
        """Stage a tree, as `add` does, without parsing it again."""
        item = GitObject.of("tree", tree.serialize())
        self._staged[item.id] = item
        self._remember_tree(item, tree)
        return item.id

    def flush(self, tip: str) -> None:
        """Make all that was staged durable, as one pack named for the commit `tip` that it ends in."""
        self._packs |= {flushes.write(self._pack_folder, tip, list(self._staged.values()))}
        self._packs_changed = self._pack_folder.stat().st_mtime_ns
        self._staged.clear()

    def write(self, type_: str, data: bytes) -> bytes:
        """Store one object durably, by itself, and return its id."""
        item = GitObject.of(type_, data)
        flushes.write_alone(self._pack_folder, item)
        return item.id

    def take_back(self, tip: str) -> None:
        """Remove the pack of a flush that led to nothing, durably, or what there is of it."""
        flushes.take_back(self._pack_folder, tip)

    def staged(self) -> frozenset[bytes]:
        """Return the ids of what the next flush will write."""
        return frozenset(self._staged)

    def discard(self, keep: frozenset[bytes] = frozenset()) -> None:
        """Forget what was staged, apart from `keep`."""
        for object_id in self._staged.keys() - keep:
            del self._staged[object_id]

    def pack_count(self) -> int:
        """Return how many packs there were when last looked at."""
        return len(self._packs)

    def refresh(self, tip: str) -> None:
        """Take note of packs that came or went, and led to the branch's tip; OSError if it cannot.

        What other processes flushed is read whole, a file a flush: four objects for the price
        of one, and all of them wanted. So are the few packs of a young repository when it is opened,
        which then needs no git process. A pack that went may have been taken by maintenance, or
        by a hand that damaged the repository: what was cached from it is read again.
        """
        changed = self._pack_folder.stat().st_mtime_ns
        if changed == self._packs_changed:
            return
        if time.monotonic() > self._packs_listed + _LIST_EVERY_SECONDS or not self._follow(tip):
            self._list_packs()
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

    def _follow(self, tip: str) -> bool:
        """Read the flushes between the packs known so far and the tip; tell whether that is what changed.

        Each is named for its last commit, and the parent of its first names the one before: so a
        write of another process costs no list of hundreds of packs.
        """
        found: dict[str, list[GitObject]] = {}
        while (name := f"{flushes.PREFIX}{tip}") not in self._packs:
            items = flushes.read(self._pack_folder, name) if len(found) < _FEW_PACKS else []
            parent = _first_parent(items)
            if parent is None:
                return False
            found[name], tip = items, parent
        for items in reversed(found.values()):  # the oldest first: each tree is like the one before
            self._remember_all(items)
        self._packs |= found.keys()
        return bool(found)

    def _list_packs(self) -> None:
        first, known = self._packs_changed is None, self._packs
        names = os.listdir(self._pack_folder)
        self._packs = frozenset(name.removesuffix(".idx") for name in names if name.endswith(".idx"))
        self._packs_listed = time.monotonic()
        if known - self._packs:
            self._cache.forget(self._root)
        elif not first or len(self._packs) <= _FEW_PACKS:
            for name in self._packs - known:
                self._remember_all(flushes.read(self._pack_folder, name))

    def _load(self, object_id: bytes) -> GitObject | Tree:
        value = self._cache.get(self._root, object_id)
        if value is None:
            item = self._staged.get(object_id) or self._ask_git(object_id)
            try:
                value = self._remember(item)
            except ValueError as error:
                raise RepositoryDamaged(self.name, f"the object {object_id.hex()} is {error}") from error
        return value

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


def _first_parent(flushed: Iterable[GitObject]) -> str | None:
    """Return the parent of the first commit in a flush; None if that says nothing."""
    with suppress(ValueError):
        for item in flushed:
            if item.type == "commit":
                return _parse_commit(item.data).parent
    return None
