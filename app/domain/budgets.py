"""What one answer may come to, known before the work is done: bytes that it parses, and bytes that it sends."""

from collections.abc import Iterable
from typing import Any

from app.domain.cutting import size_of
from app.domain.errors import TooMuchToRead

_LEAST = 1024  # bytes that a small document counts as: it takes time, too


class Work:
    """The documents that one answer may still parse, in bytes. The first that is too much ends it."""

    def __init__(self, most: int) -> None:
        self.is_spent = False
        self.most = self._left = most

    def take(self, sizes: Iterable[int]) -> bool:
        """Count documents that are about to be parsed; tell whether they may be."""
        return self.spend(sum(max(size, _LEAST) for size in sizes))

    def spend(self, size: int) -> bool:
        """Count some bytes; tell whether there was that much left."""
        if size > self._left:
            self.is_spent = True
            return False
        self._left -= size
        return True

    @property
    def taken(self) -> int:
        """How many bytes were counted."""
        return self.most - self._left

    def expect(self, what: str, size: int) -> None:
        """Count a document that is about to be parsed for `what`; TooMuchToRead if it is too much."""
        if not self.take([size]):
            raise TooMuchToRead(what, self.most)


class Room:
    """The bytes of JSON that one answer may still send. There is always room for the first part."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._is_empty = True

    def fits(self, part: Any) -> bool:
        """Count a part of the answer; tell whether it may be sent."""
        return self.take(size_of(part))

    def take(self, size: int) -> bool:
        """Count a part of the answer by its size; tell whether it may be sent."""
        self._left -= size
        fits = self._left >= 0 or self._is_empty
        self._is_empty = False
        return fits
