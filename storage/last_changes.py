"""The last commit that changed each of many files.

The commits are gone through from the newest back, only as far as it takes to find all files; what was found is kept.
"""

from collections.abc import Callable, Collection, Iterator
from itertools import count
from typing import NamedTuple

from storage.ancestry import Ancestry
from storage.git_log import LoggedCommit
from storage.ids import CommitId

_FIRST_STEP, _LONGEST_STEP = 1000, 16_000  # commits; each step is twice as long as the one before
_MOST_KEPT = 4  # commits up to which last changes are kept
_MOST_FILES = 100_000  # whose last changes are kept

Log = Callable[[int, int], Iterator[LoggedCommit]]  # every commit from a position back to an older one, newest first


class _Found(NamedTuple):
    """The last change of each file among the commits from the position `low` up to `through`: positions, by path."""

    through: CommitId
    low: int
    positions: dict[str, int]


class LastChanges:
    """The last changes of the files of one repository. Threads may share one."""

    def __init__(self, ancestry: Ancestry) -> None:
        self._ancestry = ancestry
        self._kept: tuple[_Found, ...] = ()  # the latest first

    def find(self, paths: Collection[str], last: int, log: Log) -> dict[str, int]:
        """Return the position of the last commit, up to a position, that changed each file.

        A file that no commit changed is left out.

        `log` is not kept: it refers to the history, which refers to this, and only the garbage collector would close
        the files of a repository that nobody has open any more.
        """
        known = self._nearest(last)
        positions, low = dict(known.positions), known.low
        newer: dict[str, int] = {}
        _add(log, newer, last, self._position(known, last) + 1)
        positions |= newer
        step = _FIRST_STEP
        while low > 0 and any(path not in positions for path in paths):
            _add(log, positions, low - 1, max(0, low - step))
            low, step = max(0, low - step), min(2 * step, _LONGEST_STEP)
        if len(positions) <= _MOST_FILES:
            found = _Found(self._ancestry.id_at(last), low, positions)
            others = [kept for kept in self._kept if kept.through not in (known.through, found.through)]
            self._kept = (found, *others)[:_MOST_KEPT]
        return {path: positions[path] for path in paths if path in positions}

    def _nearest(self, last: int) -> _Found:
        """Return what is known up to a position or the nearest before; nothing is known where an operator rewrote."""
        usable = [kept for kept in self._kept if 0 <= self._position(kept, last) <= last]
        nothing = _Found(self._ancestry.id_at(last), last + 1, {})
        return max(usable, key=lambda kept: self._position(kept, last), default=nothing)

    def _position(self, known: _Found, last: int) -> int:
        position = self._ancestry.position(known.through)
        return last + 1 if position is None else position


def _add(log: Log, positions: dict[str, int], newest: int, oldest: int) -> None:
    if newest >= oldest:
        for position, logged in zip(count(newest, -1), log(newest, oldest), strict=False):
            for file in logged.files:
                positions.setdefault(file.path, position)
