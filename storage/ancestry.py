"""The commits of a branch, oldest first, with their times.

A history only grows, by one commit after the other, so it is kept in memory, 28 bytes a commit. Then no
process and no disk is asked what was the tip at a time, whether a commit is in the history, and which commits
an abbreviation could mean.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Set
from threading import Lock

from storage.errors import RepositoryDamaged
from storage.ids import CommitId, ObjectId, object_id
from storage.journal.tip import Tip
from storage.moments import SECOND
from storage.objects.reader import ObjectReader
from storage.plumbing.checked_git import CheckedGit

_ID = 20  # bytes
_FEW = 1000  # commits; further back, git is quicker


class Ancestry:
    """The commits that lead to a repository's tip. A commit's position counts from 0, the first."""

    def __init__(self, tip: Tip, objects: ObjectReader, git: CheckedGit) -> None:
        self._tip = tip
        self._objects = objects
        self._git = git
        self._lock = Lock()
        self._ids = bytearray()
        self._times = array("q")

    def catch_up(self) -> CommitId:
        """Add the commits up to the tip, and return the tip.

        The tip is read under the lock. So if it comes before the last commit, an operator put the branch
        back; no other thread was merely quicker.
        """
        with self._lock:
            tip = self._tip.read()
            position = self._find(tip)
            if position is not None:
                del self._ids[(position + 1) * _ID :], self._times[position + 1 :]
            elif not self._append(tip):
                self._load(tip)
            return tip

    def position(self, commit: CommitId) -> int | None:
        """Return the position of a commit, or None if it is not among these."""
        with self._lock:
            return self._find(commit)

    def among(self, commits: Set[CommitId]) -> Set[CommitId]:
        """Return those of some commits that are among these; one look at each of these for all of them."""
        wanted = {object_id(commit): commit for commit in commits}
        with self._lock:
            ids = bytes(self._ids)
        here = (wanted.get(ObjectId(ids[at : at + _ID])) for at in range(0, len(ids), _ID))
        return {commit for commit in here if commit is not None}

    def count(self) -> int:
        """Return how many commits these are."""
        with self._lock:
            return len(self._times)

    def id_at(self, position: int) -> CommitId:
        """Return the commit at a position."""
        with self._lock:
            return self._id(position * _ID)

    def last_checkpointed(self) -> int:
        """Return the position of the last commit that git's own files have."""
        commit = self._tip.in_git()
        position = self.position(commit)
        if position is None:  # another process has just made a checkpoint, or an operator has moved the branch
            self.catch_up()
            position = self.position(commit)
        if position is None:
            raise RepositoryDamaged(self._tip.name, f"its commits do not lead to {commit}, where its branch is")
        return position

    def moment_at(self, position: int) -> int:
        """Return the moment that the commit at a position tells."""
        return self._objects.header(object_id(self.id_at(position))).moment

    def count_until(self, moment: int) -> int:
        """Return how many commits were made up to a moment.

        Only where commits were made in the very second of the moment, some of these are read.
        """
        second, fraction = divmod(moment, SECOND)
        with self._lock:
            begin, end = bisect_left(self._times, second), bisect_right(self._times, second)
        if begin == end or fraction == SECOND - 1:
            return end

        def made(position: int) -> int:
            """Return the moment of a commit; that of the one before where the commit does not tell."""
            for earlier in range(position, begin - 1, -1):
                told = self.moment_at(earlier)
                if told > second * SECOND:
                    return told
            return second * SECOND

        return bisect_right(range(end), moment, begin, end, key=made)

    def starting_with(self, digits: str) -> list[CommitId]:
        """Return the commits whose ids start with some hex digits."""
        whole, half = bytes.fromhex(digits[: len(digits) & ~1]), digits.lower()
        found = []
        with self._lock:
            start = self._ids.find(whole)
            while start >= 0:
                commit = self._id(start)
                if start % _ID == 0 and commit.startswith(half):
                    found.append(commit)
                start = self._ids.find(whole, start + 1)
        return found

    def _id(self, start: int) -> CommitId:
        return CommitId(self._ids[start : start + _ID].hex())

    def _find(self, commit: CommitId) -> int | None:
        wanted = object_id(commit)
        if self._ids.endswith(wanted):
            return len(self._times) - 1
        start = self._ids.find(wanted)
        while start >= 0 and start % _ID:
            start = self._ids.find(wanted, start + 1)
        return start // _ID if start >= 0 else None

    def _append(self, tip: CommitId, most: int | None = _FEW) -> bool:
        """Go back from `tip` to the last commit; tell whether it was found within so many commits."""
        if not self._ids:
            return False
        end = self._id(len(self._ids) - _ID)
        news: list[tuple[CommitId, int]] = []
        commit: CommitId | None = tip
        while commit is not None and commit != end and (most is None or len(news) < most):
            header = self._objects.header(object_id(commit))
            news.append((commit, header.time))
            commit = header.parent
        if commit != end:
            return False
        for commit, time in reversed(news):
            self._add(object_id(commit), time)
        return True

    def _load(self, tip: CommitId) -> None:
        """Ask git for all commits, and add those that only the journal has: at first, or after a rewrite."""
        command = ("rev-list", "--first-parent", "--reverse", "--timestamp", self._tip.in_git())
        listing = self._git.ask(*command).split()
        self._ids, self._times = bytearray(), array("q")
        for time, commit in zip(listing[::2], listing[1::2], strict=True):
            self._add(object_id(commit), int(time))
        # Another process may have made a checkpoint since the tip was read.
        if self._find(tip) is None and not self._append(tip, most=None):
            raise RepositoryDamaged(self._tip.name, f"its commits do not lead to {tip}")

    def _add(self, commit: ObjectId, time: int) -> None:
        self._ids += commit
        # Bakehouse's times never go back; those of a commit made by hand may, and bisection must work.
        self._times.append(max(time, self._times[-1]) if self._times else time)
