"""Answers about one version of a document, kept as the bytes that were sent.

A version never changes, so neither does what a GET of it is answered with.
"""

from collections.abc import Callable
from threading import Lock

from cachetools import LRUCache

Key = tuple[str, str]  # the request's path, which names the document; its ETag


class AnswerCache:
    """The bodies sent last; bounded by `size` bytes."""

    def __init__(self, size: int = 16 * 1024 * 1024) -> None:
        self._lock = Lock()
        self._bodies: LRUCache[Key, bytes] = LRUCache(size, len)

    def get(self, key: Key, render: Callable[[], bytes]) -> bytes:
        """Return the body kept under a key, or else what `render` makes, which is kept."""
        with self._lock:
            body = self._bodies.get(key)
        if body is None:
            body = render()
            if len(body) <= self._bodies.maxsize:
                with self._lock:
                    self._bodies[key] = body
        return body
