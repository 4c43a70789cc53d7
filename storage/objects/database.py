"""The objects of a repository: pending ones and lately used ones in memory, all others in git's packs."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from storage.errors import RepositoryDamaged
from storage.ids import ObjectId
from storage.location import Location
from storage.objects.cache import ObjectCache
from storage.objects.pending import PendingObjects
from storage.objects.reader import ObjectReader
from storage.plumbing import pack_files
from storage.plumbing.cat_file import CatFile, read_many, read_some
from storage.plumbing.object import GitObject
from storage.plumbing.trees import Tree
from storage.waits import Waits

_FEW_PACKS = 8
_FEW_OBJECTS = 16
_MANY_FOLDERS = 16  # more than a repository has


class ObjectDatabase(ObjectReader):
    """One repository's objects. Any thread may read.

    `pending` are those that the journal has made durable. The thread that holds the repository changes them,
    or one that catches up with the journal; both hold the lock of the `Tip`.
    """

    def __init__(self, location: Location, cache: ObjectCache | None = None, waits: Waits | None = None) -> None:
        """Open the objects of a repository; repositories may share a cache, and the bounds of waiting."""
        self.name = location.name
        self._location = location
        self.pending = PendingObjects()
        self._root = str(location.folder / "objects")
        self._pack_folder = location.folder / "objects/pack"
        self._cache = cache or ObjectCache()
        self._cat_file = CatFile(location, waits or Waits())
        self._packs_changed: int | None = None
        self._packs: frozenset[str] = frozenset()
        self._latest_trees: dict[bytes, ObjectId] = {}  # of each folder, told apart by how its tree starts

    def close(self) -> None:
        """End the git process that reads objects; the next read starts another."""
        self._cat_file.close()

    def load(self, wanted: ObjectId) -> GitObject | Tree:
        """Return an object; RepositoryDamaged if it cannot be read."""
        value = self.pending.get(wanted)
        if value is None:
            value = self._cache.get(self._root, wanted)
        if value is None:
            item = self._cat_file.read(wanted)
            try:
                value = self._remember(wanted, self._parse(item))
            except ValueError as error:
                raise RepositoryDamaged(self.name, f"the object {wanted.hex()} is {error}") from error
        return value

    def load_ahead(self, wanted: Iterable[ObjectId], most: int | None = None) -> None:
        """Have many objects in memory: to ask git for each alone takes ten times as long."""
        missing = [
            object_id
            for object_id in dict.fromkeys(wanted)
            if self.pending.get(object_id) is None and self._cache.get(self._root, object_id) is None
        ]
        if len(missing) > _FEW_OBJECTS:
            read = read_many(self._location, missing) if most is None else read_some(self._location, missing, most)
            self._remember_all(read)

    @contextmanager
    def pack_pending(self) -> Iterator[int]:
        """Put the pending objects into a pack, durably, while the caller makes refs that lead to them.

        Yields the size of the pack in bytes.
        """
        with pack_files.write(self._pack_folder, self.pending.packable()) as name:
            yield (self._pack_folder / f"{name}.pack").stat().st_size
        self._packs |= {name}
        self._packs_changed = self._pack_folder.stat().st_mtime_ns

    def drop_pending(self) -> None:
        """Forget the pending objects, since packs have all of them."""
        for object_id, value in self.pending.clear().items():
            self._remember(object_id, value)

    def pack_count(self) -> int:
        """Return how many packs there were when last looked at."""
        return len(self._packs)

    def refresh(self) -> None:
        """Take note of packs that came or went; OSError if the folder cannot be listed.

        The few packs of a young repository are read whole when it is opened, which then needs no
        git process. Where a pack went, maintenance may have removed it, or an accident: its objects leave
        the cache, so that a lost object is noticed.
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

    def _remember_all(self, items: Iterable[GitObject]) -> None:
        with suppress(ValueError):  # a request for the damaged object gets the error
            for item in items:
                self._remember(item.id, self._parse(item))

    def _parse(self, item: GitObject) -> GitObject | Tree:
        """Parse a tree beside the latest one that starts alike, the same folder's: that is quick."""
        if item.type != "tree":
            return item
        latest = self._latest_trees.get(Tree.start_of(item.data))
        near = self._cache.get(self._root, latest) if latest else None
        return Tree.parse(item.data, near if isinstance(near, Tree) else None)

    def _remember(self, object_id: ObjectId, value: GitObject | Tree) -> GitObject | Tree:
        self._cache.put(self._root, object_id, value)
        if isinstance(value, Tree):
            if len(self._latest_trees) > _MANY_FOLDERS:
                self._latest_trees.clear()
            self._latest_trees[value.start] = object_id
        return value
