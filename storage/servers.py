"""Which machine serves a data directory: on most file systems a lock excludes only processes of one machine.

All servers of a data directory hold a shared lock on one file. The file names their machine, and each server sets
its time again and again. So a server that starts notices another machine, also where it cannot see the lock of that
machine. Without this, two servers that do not see each other's locks would lose answered writes.
"""

import atexit
import fcntl
import logging
import os
import platform
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

NAME = "servers"
BEAT_SECONDS = 2.0  # between two times that a server sets
SILENCE_SECONDS = 10.0  # a server that set no time for so long has ended
WORKER_MUST_NOT_START = 3  # the exit status on which gunicorn ends all workers, and starts no others

_PAUSE = 0.1  # seconds
_LONGEST_NAME = 300  # bytes

_log = logging.getLogger(__name__)


class CannotServe(Exception):
    """A data directory must not be used from here; the message says why."""


def this_machine() -> str:
    """Return a name for this machine from its start to its end; containers of one machine have the same."""
    try:
        running = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # not Linux
        running = str(uuid.getnode())
    return f"{running} {platform.node()}"


class Membership:
    """The place of a process among the servers of a data directory. The process keeps it until it ends."""

    def __init__(self, data_dir: Path, *, shares_locks: bool) -> None:
        """Join the servers of a data directory. `shares_locks`: servers of other machines see the same locks.

        Raises CannotServe where the file system has no locks, or where another machine serves the directory.
        """
        self._path = data_dir / NAME
        self._shares_locks = shares_locks
        self._here = this_machine()
        _check_locks(data_dir, os.O_RDONLY | os.O_DIRECTORY)
        _check_locks(self._path, os.O_RDWR | os.O_CREAT)
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        self._process = os.getpid()
        while not self._join():
            time.sleep(_PAUSE)
        self._keep_for_reading()
        atexit.register(self._leave)

    def keep_up(self) -> None:
        """Show in the background that this process serves; end it when another machine has taken over."""
        threading.Thread(target=self._beat, name="servers", daemon=True).start()

    def _join(self) -> bool:
        """Take the shared lock; False where another process is just about to join."""
        if _take(self._file, fcntl.LOCK_EX):  # there is no other server whose lock is seen from here
            other = self._other()
            if other is not None:
                self._wait_for_silence(other)
                if self._other() != other:
                    return False
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, self._here.encode(), 0)
            fcntl.flock(self._file, fcntl.LOCK_SH)
            return True
        if not _take(self._file, fcntl.LOCK_SH):
            return False
        other = self._other()
        if other is not None and not self._shares_locks:
            raise CannotServe(
                f"the machine {other} serves it. Stop the servers there; or, if the file system shares locks and "
                "what was written at once among machines, set BAKEHOUSE_SHARED_LOCKS=on for all of them"
            )
        return True

    def _keep_for_reading(self) -> None:
        """Keep the shared lock without a file open for writing, so that an operator can remount the disk read-only."""
        kept = os.open(self._path, os.O_RDONLY)
        fcntl.flock(kept, fcntl.LOCK_SH)
        os.close(self._file)
        self._file = kept

    def _wait_for_silence(self, other: str) -> None:
        """Wait for as long as a server of another machine would need to show that it runs."""
        _log.warning("The machine %s had this data directory. Is it still there? %g seconds.", other, SILENCE_SECONDS)
        last, deadline = _time_of(self._path), time.monotonic() + SILENCE_SECONDS
        while time.monotonic() < deadline:
            time.sleep(_PAUSE)
            if _time_of(self._path) != last:
                raise CannotServe(
                    f"the machine {other} serves it, and its locks are not seen here: writes would be lost. Stop the "
                    "servers there first"
                )

    def _other(self) -> str | None:
        """Return the machine that the file names, as people call it; None if that is this machine, or none."""
        running, _, node = os.pread(self._file, _LONGEST_NAME, 0).decode(errors="replace").partition(" ")
        return None if running in ("", self._here.partition(" ")[0]) else node or "without a name"

    def _beat(self) -> None:
        while True:
            with suppress(OSError):  # a disk that does not answer now; nothing is written to it either
                os.utime(self._file)
                other = None if self._shares_locks else self._other()
                if other is not None:
                    _log.critical("The machine %s has taken %s over: this server ends.", other, self._path.parent)
                    os._exit(WORKER_MUST_NOT_START)
            time.sleep(BEAT_SECONDS)

    def _leave(self) -> None:
        """Name no machine any more, if no other server is left: then the next one need not wait."""
        if os.getpid() != self._process:  # a worker, which has the file of its parent
            return
        os.close(self._file)
        with suppress(OSError, CannotServe):
            self._file = os.open(self._path, os.O_RDWR)
            if _take(self._file, fcntl.LOCK_EX):
                os.ftruncate(self._file, 0)


def _take(file: int, kind: int) -> bool:
    """Take a lock, and tell whether that was possible at once; CannotServe where there are no locks."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise CannotServe(f"its file system cannot lock files and folders ({error.strerror})") from error
    return True


def _check_locks(path: Path, flags: int) -> None:
    """Raise CannotServe where a lock that was taken can be taken once more."""
    first, second = os.open(path, flags, 0o600), os.open(path, flags)
    try:
        if _take(first, fcntl.LOCK_EX) and _take(second, fcntl.LOCK_EX):
            raise CannotServe("its file system gives one lock to two at once")
    finally:
        os.close(first)
        os.close(second)


def _time_of(path: Path) -> int:
    """Return the time of a file in nanoseconds. The file is opened, so that a network's file system asks anew."""
    file = os.open(path, os.O_RDONLY)
    try:
        return os.fstat(file).st_mtime_ns
    finally:
        os.close(file)
