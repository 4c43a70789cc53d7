"""The objects that were read or written lately, kept in memory."""

import threading

from cachetools import LRUCache

from storage.caches import ENTRY
from storage.plumbing.object import GitObject
from storage.plumbing.trees import Tree


class ObjectCache:
    """Objects that were read or written lately, of all repositories; bounded by `size` bytes.

    Trees are held parsed. An object never changes, so nothing here is ever stale.
    """

    def __init__(self, size: int = 64 * 1024 * 1024) -> None:
        self._lock = threading.Lock()
        self._items: LRUCache[tuple[str, bytes], GitObject | Tree] = LRUCache(size, cost)

    def get(self, database: str, object_id: bytes) -> GitObject | Tree | None:
        """Return an object, or None if it is not at hand."""
        with self._lock:
            return self._items.get((database, object_id))

    def put(self, database: str, object_id: bytes, value: GitObject | Tree) -> None:
        """Remember an object, unless it alone is larger than the cache."""
        with self._lock:
            if cost(value) <= self._items.maxsize:
                self._items[database, object_id] = value

    def forget(self, database: str) -> None:
        """Drop the objects of one database."""
        with self._lock:
            for key in [key for key in self._items if key[0] == database]:
                del self._items[key]


def cost(value: GitObject | Tree) -> int:
    """Return how many bytes a cached object holds at the most: trees may share leaves.

    A parsed tree has each name three times, and each id twice.
    """
    return ENTRY + (200 + 5 * value.size if isinstance(value, Tree) else len(value.data))
