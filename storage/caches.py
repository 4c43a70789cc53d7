"""Caches in memory that are bounded by bytes, not by their number of entries."""

import sys
import threading
from operator import itemgetter
from typing import Any, Generic, TypeVar

from cachetools import LRUCache

K = TypeVar("K")
V = TypeVar("V")

ENTRY = 600  # bytes that a small value, its key and their places in the tables take: measured


class Cache(Generic[K, V]):
    """The values that were used lately, by key; bounded by `size` bytes. Threads may share one."""

    def __init__(self, size: int) -> None:
        self._lock = threading.Lock()
        self._items: LRUCache[K, tuple[V, int]] = LRUCache(size, itemgetter(1))

    def get(self, key: K) -> V | None:
        """Return the value of a key, or None."""
        with self._lock:
            found = self._items.get(key)
        return None if found is None else found[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Keep a value that has `size` bytes with its key, unless it is larger than the cache."""
        cost = ENTRY + size
        if cost <= self._items.maxsize:
            with self._lock:
                self._items[key] = (value, cost)


def weigh(value: Any) -> int:
    """Return how many bytes JSON data takes in memory: up to 25 times as many as its text."""
    size = sys.getsizeof(value)
    if isinstance(value, dict):
        return size + sum(map(weigh, value)) + sum(map(weigh, value.values()))
    return size + sum(map(weigh, value)) if isinstance(value, list | tuple) else size
