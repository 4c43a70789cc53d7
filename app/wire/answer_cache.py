"""A cache of the bodies of answers, by path and ETag: a version never changes, and neither does its body."""

from collections.abc import Callable

from storage.caches import Cache

Key = tuple[str, str]  # the path of the request, the ETag of the answer


class AnswerCache:
    """The bodies that were sent last; at most `size` bytes."""

    def __init__(self, size: int = 16 * 1024 * 1024) -> None:
        self._bodies: Cache[Key, bytes] = Cache(size)

    def get(self, key: Key, render: Callable[[], bytes]) -> bytes:
        """Return the body of a key; `render` makes a missing one."""
        body = self._bodies.get(key)
        if body is None:
            body = render()
            self._bodies.put(key, body, len(body) + sum(map(len, key)))
        return body
