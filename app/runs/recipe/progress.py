"""Which rows of a run are there, in one byte a row."""

from collections.abc import Iterator

_MISSING, _THERE, _FAILED, _AGAIN = range(4)


class Progress:
    """The rows of a run by position: the stimulus's number times the trajectories a stimulus, plus the trajectory's."""

    def __init__(self, total: int) -> None:
        self._marks = bytearray(total)
        self.done = 0  # rows that are there, failed ones included
        self.failed = 0
        self.again = 0  # failed rows that are to be asked for again
        self.listed = 0  # rows before the first that is missing

    def mark_first(self, number: int) -> None:
        """Note that the first rows are there, and that none of them failed."""
        self._marks[:number] = bytes((_THERE,)) * number
        self.done = self.listed = number

    def mark(self, position: int, *, is_failed: bool = False, is_again: bool = False) -> tuple[int, int]:
        """Note that a row is there; return by how much the numbers of rows and of failed rows change.

        A row that was there stays, unless it was to be asked for again.
        """
        before = self._marks[position]
        if before in (_THERE, _FAILED):
            return 0, 0
        self._marks[position] = _AGAIN if is_again else _FAILED if is_failed else _THERE
        more, more_failed = int(before == _MISSING), int(is_failed) - int(before == _AGAIN)
        self.done, self.failed = self.done + more, self.failed + more_failed
        self.again += int(is_again) - int(before == _AGAIN)
        if position == self.listed:
            end = self._marks.find(_MISSING, position)
            self.listed = len(self._marks) if end < 0 else end
        return more, more_failed

    def is_missing(self, position: int) -> bool:
        """Tell whether a row is not there."""
        return self._marks[position] == _MISSING

    def wanted(self) -> Iterator[int]:
        """Yield the positions of rows that are missing or to be asked for again, in order."""
        for position, mark in enumerate(bytes(self._marks)):
            if mark in (_MISSING, _AGAIN):
                yield position
