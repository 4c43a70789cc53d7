"""The object database of a repository, which GitPython's objects read through too.

Reads come from a cache, else from git's own `cat-file --batch`; writes are staged in memory and
become durable together, as one pack, at `flush`. GitPython's default stores each object through
a `git hash-object` process.

A flush is one pack, as a push is: that takes 2 fsyncs whatever it holds (the file, and its name
in the folder); loose objects take about 2 each. Its index, and the branch that moves to its
commits, are written for git to see and not flushed: both follow from the packs (`recovery`).
"""

import os
import re
import threading
import zlib
from contextlib import suppress
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from cachetools import LRUCache
from git import Git
from git.compat import safe_decode
from git.db import GitCmdObjectDB
from gitdb.base import OInfo, OStream

from storage import disk, packs
from storage.commits import CommitHeader
from storage.errors import RepositoryDamaged
from storage.packs import GitObject
from storage.trees import Tree

# A pack of a few flushes. A larger one is maintenance's work, and read object by object.
_READ_WHOLE_BELOW = 64 * 1024
_FEW_PACKS = 8
# Not `pack-`: so that recovery knows a flush from what git packed, and flushed whole.
FLUSH_PREFIX = "flush-"
_OBJECT_ID = re.compile(r"[0-9a-f]{40}")


class ObjectCache:
    """Objects that were read or written lately, of all repositories; bounded by `size` bytes.

    Trees are held parsed. An object never changes, so nothing here is ever stale.
    """

    def __init__(self, size: int = 64 * 1024 * 1024) -> None:
        self._lock = threading.Lock()
        self._items: LRUCache[tuple[str, bytes], GitObject | Tree] = LRUCache(size, _cost)

    def get(self, database: str, object_id: bytes) -> GitObject | Tree | None:
        """Return an object, or None if it is not at hand."""
        with self._lock:
            return self._items.get((database, object_id))

    def put(self, database: str, object_id: bytes, value: GitObject | Tree) -> None:
        """Remember an object, unless it alone is larger than the cache."""
        with self._lock:
            if _cost(value) <= self._items.maxsize:
                self._items[database, object_id] = value

    def forget(self, database: str) -> None:
        """Drop the objects of one database."""
        with self._lock:
            for key in [key for key in self._items if key[0] == database]:
                del self._items[key]


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
        self._packs: frozenset[str] = frozenset()

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
        self._cache.put(self._root, item.id, tree)
        return item.id

    def flush(self, tip: str) -> None:
        """Make all that was staged durable, as one pack named for the commit `tip` that it ends in."""
        pack, index = packs.encode(list(self._staged.values()))
        name = f"{FLUSH_PREFIX}{tip}"
        disk.write_file(self._pack_folder / f"{name}.pack", pack, flush=True)
        disk.sync(self._pack_folder)
        publish_index(self._pack_folder, name, index, flush=False)
        self._packs |= {name}
        self._packs_changed = self._pack_folder.stat().st_mtime_ns
        self._staged.clear()

    def write(self, type_: str, data: bytes) -> bytes:
        """Store one object durably, by itself, and return its id."""
        item = GitObject.of(type_, data)
        pack, index = packs.encode([item])
        name = f"{FLUSH_PREFIX}{item.id.hex()}"
        with suppress(FileExistsError):  # then it is there: of the same object, the same pack
            disk.write_file(self._pack_folder / f"{name}.pack", pack, flush=True)
        publish_index(self._pack_folder, name, index, flush=True)
        disk.sync(self._pack_folder)
        return item.id

    def take_back(self, tip: str) -> None:
        """Remove the pack of a flush that led to nothing, durably, or what there is of it."""
        for ending in (".idx", ".pack"):
            (self._pack_folder / f"{FLUSH_PREFIX}{tip}{ending}").unlink(missing_ok=True)
        disk.sync(self._pack_folder)

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

    def refresh(self) -> None:
        """Take note of packs that came or went; OSError if the folder cannot be read.

        What other processes flushed is read whole, a file a flush: four objects for the price
        of one, and all of them wanted. So are the few packs of a young repository when it is opened,
        which then needs no git process. A pack that went may have been taken by maintenance, or
        by a hand that damaged the repository: what was cached from it is read again.
        """
        changed = self._pack_folder.stat().st_mtime_ns
        if changed == self._packs_changed:
            return
        first, known = self._packs_changed is None, self._packs
        names = frozenset(
            name.removesuffix(".idx") for name in os.listdir(self._pack_folder) if name.endswith(".idx")
        )
        self._packs, self._packs_changed = names, changed
        if known - names:
            self._cache.forget(self._root)
        elif not first or len(names) <= _FEW_PACKS:
            for name in names - known:
                self._read_whole(self._pack_folder / f"{name}.pack")

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
        value = self._cache.get(self._root, object_id)
        if value is None:
            item = self._staged.get(object_id) or self._ask_git(object_id)
            try:
                value = self._remember(item)
            except ValueError as error:
                raise RepositoryDamaged(self.name, f"the object {object_id.hex()} is {error}") from error
        return value

    def _remember(self, item: GitObject) -> GitObject | Tree:
        value = Tree.parse(item.data) if item.type == "tree" else item
        self._cache.put(self._root, item.id, value)
        return value

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

    def _read_whole(self, path: Path) -> None:
        # Gone again, or not one of ours: git will read it, object by object.
        with suppress(OSError, ValueError, IndexError, zlib.error):
            if path.stat().st_size <= _READ_WHOLE_BELOW:
                for item in packs.decode(path.read_bytes()):
                    self._remember(item)


def publish_index(folder: Path, name: str, index: bytes, *, flush: bool) -> None:
    """Let git see a pack: its index appears whole, or not at all."""
    scratch = folder / f"tmp_idx_{os.urandom(8).hex()}"  # `git gc` clears `tmp_*` that a crash leaves
    disk.write_file(scratch, index, flush=flush)
    try:
        scratch.rename(folder / f"{name}.idx")
    except OSError:
        scratch.unlink()
        raise


_parse_commit = lru_cache(maxsize=1024)(CommitHeader.parse)  # each read asks for its tip's


def _cost(value: GitObject | Tree) -> int:
    """Return about how many bytes a cached object holds."""
    return 100 + (100 * len(value.keys) if isinstance(value, Tree) else len(value.data))
