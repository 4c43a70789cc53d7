"""Which rows of a run are there, in one byte a row."""

from collections.abc import Iterator

_MISSING, _THERE, _FAILED = 0, 1, 2


class Progress:
    """The rows of a run by position: the stimulus's number times the trajectories a stimulus, plus the trajectory's."""

    def __init__(self, total: int) -> None:
        self._marks = bytearray(total)
        self.done = 0  # rows that are there, failed ones included
        self.failed = 0
        self.listed = 0  # rows before the first that is missing

    def mark_first(self, number: int) -> None:
        """Note that the first rows are there, and that none of them failed."""
        self._marks[:number] = bytes((_THERE,)) * number
        self.done = self.listed = number

    def mark(self, position: int, *, is_failed: bool = False) -> tuple[int, int]:
        """Note that a row is there; return by how much the numbers of rows and of failed rows change."""
        before, after = self._marks[position], _FAILED if is_failed else _THERE
        self._marks[position] = after
        more, more_failed = int(before == _MISSING), int(after == _FAILED) - int(before == _FAILED)
        self.done, self.failed = self.done + more, self.failed + more_failed
        if position == self.listed:
            end = self._marks.find(_MISSING, position)
            self.listed = len(self._marks) if end < 0 else end
        return more, more_failed

    def is_missing(self, position: int) -> bool:
        """Tell whether a row is not there."""
        return self._marks[position] == _MISSING

    def wanted(self) -> Iterator[int]:
        """Yield the positions of rows that are missing or failed, in order."""
        for position, mark in enumerate(bytes(self._marks)):
            if mark != _THERE:
                yield position
