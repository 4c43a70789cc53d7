"""What was read or written lately, kept in memory: bounded by bytes, however large each thing is."""

import sys
import threading
from operator import itemgetter
from typing import Any, Generic, TypeVar

from cachetools import LRUCache

from storage.plumbing.packs import GitObject
from storage.plumbing.trees import Tree

K = TypeVar("K")
V = TypeVar("V")

_ENTRY = 600  # bytes that a small thing, its key and their places in the tables take: measured


class Cache(Generic[K, V]):
    """What was asked for lately, by key; bounded by `size` bytes. Threads may share it."""

    def __init__(self, size: int) -> None:
        self._lock = threading.Lock()
        self._items: LRUCache[K, tuple[V, int]] = LRUCache(size, itemgetter(1))

    def get(self, key: K) -> V | None:
        """Return what is kept under a key, or None."""
        with self._lock:
            found = self._items.get(key)
        return None if found is None else found[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Keep a value that, with its key, holds `size` bytes; not one that is larger than the cache."""
        cost = _ENTRY + size
        if cost <= self._items.maxsize:
            with self._lock:
                self._items[key] = (value, cost)


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
    return _ENTRY + (200 + 5 * value.size if isinstance(value, Tree) else len(value.data))


def weigh(value: Any) -> int:
    """Return how many bytes JSON data takes in memory: up to 25 times as many as its text."""
    size = sys.getsizeof(value)
    if isinstance(value, dict):
        return size + sum(map(weigh, value)) + sum(map(weigh, value.values()))
    return size + sum(map(weigh, value)) if isinstance(value, list | tuple) else size
