"""The branch of a repository, and git's lock on it."""

import time
from contextlib import suppress

from storage.errors import RepositoryDamaged, TipMoved
from storage.ids import CommitId
from storage.machine import disk
from storage.plumbing.refs import BRANCH, Refs

# The content of a lock of ours. git's own locks are empty, or contain a commit.
_OURS = b"Bakehouse\n"
# A git command holds the lock of a ref for milliseconds, and waits 0.1 s for a lock that is held
# (core.filesRefLockTimeout). A lock that stays this long was left by a crash.
_STALE_AFTER_SECONDS = 1.0


class Branch:
    """`refs/heads/main` among the refs of a repository."""

    def __init__(self, refs: Refs) -> None:
        self.location = refs.location
        self._refs = refs
        self._path = refs.location.folder / BRANCH
        self._lock = self._path.with_name(f"{self._path.name}.lock")

    def read(self) -> CommitId:
        """Return the commit that the branch is at; RepositoryDamaged if there is no branch."""
        tip = self.find()
        if tip is None:
            raise RepositoryDamaged(self.location.name, f"its branch {BRANCH} is missing")
        return tip

    def find(self) -> CommitId | None:
        """Return the commit that the branch is at; None if there is no branch, as in a new repository."""
        self._refs.check_head()
        tip = self._refs.read(BRANCH)
        return None if tip is None else CommitId(tip)

    def is_locked(self) -> bool:
        """Tell whether somebody has git's lock on the branch."""
        return self._lock.exists()

    def is_locked_by_us(self) -> bool:
        """Tell whether a process of Bakehouse has git's lock on the branch, or had it when it was killed."""
        with suppress(FileNotFoundError):
            return disk.read_file(self._lock, 64) == _OURS
        return False

    def clear_stale_lock(self) -> None:
        """Remove a lock of ours, or of a git command that has had it for a second; wait for a younger one.

        The caller holds the repository, so a lock of ours was left by a process that was killed.
        """
        deadline = time.monotonic() + _STALE_AFTER_SECONDS
        while self.is_locked() and time.monotonic() < deadline:
            with suppress(FileNotFoundError):
                age = time.time() - self._lock.stat().st_mtime
                if age > _STALE_AFTER_SECONDS or self.is_locked_by_us():
                    break
            time.sleep(0.01)
        self._lock.unlink(missing_ok=True)

    def lock(self, expected: CommitId | None) -> None:
        """Take git's lock on the branch. The caller holds the repository.

        Raises TipMoved if the branch is not at the commit `expected`, which is None in a new repository.
        """
        try:
            disk.write_file(self._lock, _OURS, mode=0o644, flush=False)
        except FileExistsError:
            self.clear_stale_lock()
            disk.write_file(self._lock, _OURS, mode=0o644, flush=False)
        try:
            if (self.find() if expected is None else self.read()) != expected:
                raise TipMoved(self.location.name)
        except BaseException:
            self.unlock()
            raise

    def unlock(self) -> None:
        """Give up git's lock on the branch."""
        self._lock.unlink(missing_ok=True)

    def move(self, tip: CommitId) -> None:
        """Put the branch at a commit, durably. The caller has the lock, which stays."""
        disk.put_file(self._path, f"{tip}\n".encode(), self.location.folder / "tmp_branch")

    def sync(self) -> None:
        """Flush where the branch is: the process that moved it may have been killed before it did."""
        disk.sync(self._path.parent)
