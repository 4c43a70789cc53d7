"""The branch of a repository, which moves as git moves it."""

import time
from contextlib import suppress

from storage.errors import BranchMoved, RepositoryDamaged
from storage.machine import disk
from storage.plumbing.refs import BRANCH, Refs

# What a lock of ours holds. Git's own are empty, or hold a commit.
_OURS = b"Bakehouse\n"
# A git command of the operator's holds a ref's lock for milliseconds and itself gives up on a
# held one after 0.1 s (core.filesRefLockTimeout). One that stays this long was left by a crash.
_STALE_AFTER_SECONDS = 1.0


class Branch:
    """`refs/heads/main` among the refs of a repository."""

    def __init__(self, refs: Refs) -> None:
        self.name = refs.name
        self.git_folder = refs.git_folder
        self._refs = refs
        self._path = refs.git_folder / BRANCH
        self._lock = self._path.with_name(f"{self._path.name}.lock")

    def read(self) -> str:
        """Return the tip's commit id (40 hex digits); RepositoryDamaged if there is none."""
        self._refs.check_head()
        tip = self._refs.read(BRANCH)
        if tip is None:
            raise RepositoryDamaged(self.name, f"its branch {BRANCH} is missing")
        return tip

    def is_locked(self) -> bool:
        """Tell whether somebody has git's lock on the branch."""
        return self._lock.exists()

    def clear_stale_lock(self) -> None:
        """Remove a lock that nobody holds any more, or that git has held for a second.

        The caller holds the repository, so a lock was left by one who did, or is a git command's of
        the operator's: that is waited for, unless it is older than any git command.
        """
        deadline = time.monotonic() + _STALE_AFTER_SECONDS
        while self.is_locked() and time.monotonic() < deadline:
            with suppress(FileNotFoundError):
                age = time.time() - self._lock.stat().st_mtime
                if age > _STALE_AFTER_SECONDS or disk.read_file(self._lock, 64) == _OURS:
                    break
            time.sleep(0.01)
        self._lock.unlink(missing_ok=True)

    def lock(self, expected: str) -> None:
        """Take git's lock on the branch; whoever holds the repository may move it then.

        Raises BranchMoved if it is not at the commit `expected` by now.
        """
        try:
            disk.write_file(self._lock, _OURS, mode=0o644, flush=False)
        except FileExistsError:
            self.clear_stale_lock()
            disk.write_file(self._lock, _OURS, mode=0o644, flush=False)
        try:
            if self.read() != expected:
                raise BranchMoved(self.name)
        except BaseException:
            self.unlock()
            raise

    def lock_again(self, expected: str) -> None:
        """Take git's lock as `lock` does, unless it is held: one who had it was killed, or lost power."""
        with suppress(FileNotFoundError):
            if disk.read_file(self._lock, 64) == _OURS:
                return
        self.lock(expected)

    def unlock(self) -> None:
        """Give the lock up and leave the branch where it is."""
        self._lock.unlink(missing_ok=True)

    def move(self, tip: str) -> None:
        """Put the branch at a commit, durably: the lock becomes the branch, as git does it.

        The caller has the lock: it is held while the journal has commits.
        """
        disk.overwrite_file(self._lock, f"{tip}\n".encode())
        self._lock.rename(self._path)
        self.sync()

    def sync(self) -> None:
        """Make durable where it is: who moved it may have been killed before it was."""
        disk.sync(self._path.parent)
