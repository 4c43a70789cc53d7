"""The line of a branch's commits, oldest first, with their times.

History is only ever appended to and has one line, so it is kept in memory, 28 bytes a commit: what
was the tip at a time, whether a commit is in it, and which commits an abbreviation could mean are
then asked of no process and no disk.
"""

from array import array
from bisect import bisect_right
from threading import Lock

from storage.errors import RepositoryDamaged
from storage.journal.tip import Tip
from storage.objects.database import ObjectDatabase
from storage.plumbing.checked_git import CheckedGit

_ID = 20  # bytes
_FEW = 1000  # commits; further back, git is quicker


class Line:
    """The commits that lead to a repository's tip. A commit's position counts from 0, the first."""

    def __init__(self, tip: Tip, objects: ObjectDatabase, git: CheckedGit) -> None:
        self._tip = tip
        self._objects = objects
        self._git = git
        self._lock = Lock()
        self._ids = bytearray()
        self._times = array("q")

    def reach(self) -> str:
        """Bring the line up to the tip, and return it (40 hex digits).

        The tip is read under the lock: if it lies behind the end, somebody put the branch back by
        hand, and no other thread was merely quicker.
        """
        with self._lock:
            tip = self._tip.read()
            position = self._find(tip)
            if position is not None:
                del self._ids[(position + 1) * _ID :], self._times[position + 1 :]
            elif not self._append(tip):
                self._load(tip)
            return tip

    def position(self, commit: str) -> int | None:
        """Return where a commit (40 hex digits) is, or None if it is not in the line."""
        with self._lock:
            return self._find(commit)

    def commit(self, position: int) -> str:
        """Return the commit (40 hex digits) at a position."""
        with self._lock:
            return self._ids[position * _ID : (position + 1) * _ID].hex()

    def published(self) -> int:
        """Return the position of the last commit that git's own files have."""
        commit = self._tip.published()
        position = self.position(commit)
        if position is None:  # another process has just published more, or a hand has moved the branch
            self.reach()
            position = self.position(commit)
        if position is None:
            raise RepositoryDamaged(
                self._tip.name, f"its commits do not lead to {commit}, where its branch is"
            )
        return position

    def time(self, position: int) -> int:
        """Return when the commit at a position was made, in seconds since 1970."""
        with self._lock:
            return self._times[position]

    def before(self, seconds: float) -> int:
        """Return how many commits were made up to a time, in seconds since 1970."""
        with self._lock:
            return bisect_right(self._times, seconds)

    def starting_with(self, digits: str) -> list[str]:
        """Return the commits whose ids start with some hex digits."""
        whole, half = bytes.fromhex(digits[: len(digits) & ~1]), digits.lower()
        found = []
        with self._lock:
            start = self._ids.find(whole)
            while start >= 0:
                if start % _ID == 0 and (commit := self._ids[start : start + _ID].hex()).startswith(half):
                    found.append(commit)
                start = self._ids.find(whole, start + 1)
        return found

    def _find(self, commit: str) -> int | None:
        wanted = bytes.fromhex(commit)
        if self._ids.endswith(wanted):
            return len(self._times) - 1
        start = self._ids.find(wanted)
        while start >= 0 and start % _ID:
            start = self._ids.find(wanted, start + 1)
        return start // _ID if start >= 0 else None

    def _append(self, tip: str, most: int | None = _FEW) -> bool:
        """Go back from `tip` to the end of the line; tell whether it was found within so many commits."""
        if not self._ids:
            return False
        end = self._ids[-_ID:].hex()
        news: list[tuple[str, int]] = []
        commit: str | None = tip
        while commit is not None and commit != end and (most is None or len(news) < most):
            header = self._objects.commit(bytes.fromhex(commit))
            news.append((commit, header.time))
            commit = header.parent
        if commit != end:
            return False
        for commit, time in reversed(news):
            self._add(bytes.fromhex(commit), time)
        return True

    def _load(self, tip: str) -> None:
        """Ask git for the line, and add what only the journal has: at first, or once it was rewritten."""
        command = ("rev-list", "--first-parent", "--reverse", "--timestamp", self._tip.published())
        listing = self._git.ask(*command).split()
        self._ids, self._times = bytearray(), array("q")
        for time, commit in zip(listing[::2], listing[1::2], strict=True):
            self._add(bytes.fromhex(commit), int(time))
        # Another process may have published more since the tip was read.
        if self._find(tip) is None and not self._append(tip, most=None):
            raise RepositoryDamaged(self._tip.name, f"its commits do not lead to {tip}")

    def _add(self, commit: bytes, time: int) -> None:
        self._ids += commit
        # Bakehouse's times never go back; those of a commit made by hand may, and bisection must work.
        self._times.append(max(time, self._times[-1]) if self._times else time)
