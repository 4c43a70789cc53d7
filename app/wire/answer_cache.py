"""Answers about one version of a document, kept as the bytes that were sent.

A version never changes, so neither does what a GET of it is answered with.
"""

from collections.abc import Callable

from storage.caches import Cache

Key = tuple[str, str]  # the request's path, which names the document; its ETag


class AnswerCache:
    """The bodies sent last; bounded by `size` bytes."""

    def __init__(self, size: int = 16 * 1024 * 1024) -> None:
        self._bodies: Cache[Key, bytes] = Cache(size)

    def get(self, key: Key, render: Callable[[], bytes]) -> bytes:
        """Return the body kept under a key, or else what `render` makes, which is kept."""
        body = self._bodies.get(key)
        if body is None:
            body = render()
            self._bodies.put(key, body, len(body) + sum(map(len, key)))
        return body
