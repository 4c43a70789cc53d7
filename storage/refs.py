"""Refs: what they name, and the branch, which moves as git moves it."""

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from storage import disk, process
from storage.errors import BranchMoved, RepositoryDamaged

REF = "refs/heads/main"

# What a lock of ours holds. Git's own are empty, or hold a commit.
_OURS = b"Bakehouse\n"
_OBJECT_ID = re.compile(r"[0-9a-f]{40}")
_HEAD = re.compile(rb"ref:\s*refs/|[0-9a-f]{40}")
# A git command of the operator's holds a ref's lock for milliseconds and itself gives up on a
# held one after 0.1 s (core.filesRefLockTimeout). One that stays this long was left by a crash.
_STALE_AFTER_SECONDS = 1.0


def is_repository(folder: Path) -> bool:
    """Tell whether git takes a folder for a repository; GitPython would not say what the system refuses."""
    try:
        head = disk.read_file(folder / "HEAD", 256)
        (folder / "objects").stat()
        (folder / "refs").stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return _HEAD.match(head) is not None


def read(git_folder: Path, ref: str) -> str | None:
    """Return the object id (40 hex digits) that a ref such as `refs/tags/v1` names, or None."""
    try:  # each request asks, and `Path` takes its time to join paths
        named = disk.read_file(f"{git_folder}/{ref}", 64).decode("ascii", "replace").removesuffix("\n")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        named = packed(git_folder).get(ref, "")
    return named if _OBJECT_ID.fullmatch(named) else None


def packed(git_folder: Path) -> Mapping[str, str]:
    """Return the refs in `packed-refs`, where `git gc` puts them, and their object ids."""
    try:
        lines = (git_folder / "packed-refs").read_text("ascii", "replace").splitlines()
    except FileNotFoundError:
        return {}
    return {line[41:]: line[:40] for line in lines if line[40:41] == " "}


class Branch:
    """`refs/heads/main` of the repository called `name` in `git_folder`."""

    def __init__(self, name: str, git_folder: Path) -> None:
        self.name = name
        self.git_folder = git_folder
        self._ref = git_folder / REF
        self._head = git_folder / "HEAD"
        self._lock = self._ref.with_name(f"{self._ref.name}.lock")

    def read(self) -> str:
        """Return the tip's commit id (40 hex digits); RepositoryDamaged if there is none."""
        if not self._head.exists():  # without it, git takes the folder for no repository
            self.git_folder.stat()  # FileNotFoundError where there is nothing at all
            raise RepositoryDamaged(self.name, "its HEAD is missing")
        tip = read(self.git_folder, REF)
        if tip is None:
            raise RepositoryDamaged(self.name, f"{REF} does not name a commit")
        return tip

    def leads_to(self, commit: str) -> bool:
        """Tell whether a commit (40 hex digits) is in the history of the branch."""
        try:
            process.run(self.name, self.git_folder, "merge-base", "--is-ancestor", commit, REF)
        except RepositoryDamaged:
            return False
        return True

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
        self._lock.rename(self._ref)
        self.sync()

    def sync(self) -> None:
        """Make durable where it is: who moved it may have been killed before it was."""
        disk.sync(self._ref.parent)
