"""How many bytes a change may write, so that the work of a request is known before it is done."""

import sys
from typing import NamedTuple

from storage.errors import TooLarge


class Limits(NamedTuple):
    """The most bytes that one change may write: into one file, and into all its files together."""

    file: int = sys.maxsize
    total: int = sys.maxsize


UNLIMITED = Limits()


class Budget:
    """What one change may still write."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.spent = 0  # bytes that were written so far

    @property
    def left(self) -> int:
        """How many bytes the next file may have."""
        return min(self._limits.file, self.left_in_all)

    @property
    def left_in_all(self) -> int:
        """How many bytes all further files together may have."""
        return self._limits.total - self.spent

    def check(self, path: str, size: int) -> None:
        """Raise TooLarge unless a file of `size` bytes, or one that is larger, may be written still."""
        if size > self._limits.file:
            raise TooLarge(path, size, self._limits.file)
        self.check_total(size)

    def check_total(self, size: int) -> None:
        """Raise TooLarge unless files of `size` bytes together, or of more, may be written still."""
        if size > self.left_in_all:
            raise TooLarge(None, self.spent + size, self._limits.total)

    def spend(self, path: str, size: int) -> None:
        """Take note that a file of `size` bytes is written; TooLarge if that is too much."""
        self.check(path, size)
        self.spent += size
