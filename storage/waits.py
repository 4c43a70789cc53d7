"""Waiting for locks, for a bounded time and in a part of the threads.

Somebody may hold a lock for as long as they like: another program, or a worker that was stopped. Who needs
that lock is told so after some seconds. Meanwhile the other threads go on with what does not need it.
"""

import errno
import fcntl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_STALLED_AFTER = 1.0  # seconds: ordinary holders are done a hundred times sooner
PAUSE = 0.1  # seconds between two looks at how long a wait has lasted
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.0001, 0.01  # seconds between two tries


class Waits:
    """How long one process waits for locks, and in how many threads at once."""

    def __init__(self, seconds: float = 10.0, threads: int = 4) -> None:
        """Let each wait end after some seconds, and so many threads wait longer than a moment."""
        self.seconds = seconds
        self._free = threads
        self._stalled: set[str] = set()
        self._state = threading.Lock()

    def lock(self, fd: int, path: str, seconds: float | None = None) -> bool:
        """Take the advisory lock (`flock`) of the open file at `path`; tell whether that had to wait.

        Raises TimeoutError where somebody else has it for all of `seconds`, by default those of this
        process; or where too many threads of this process wait for what is held too long already.
        """
        if _try_lock(fd):
            self.note_free(path)
            return False
        limit = self.seconds if seconds is None else seconds
        pause = _SHORTEST_PAUSE
        with self.waiting(path) as wait:
            while not _try_lock(fd):
                wait.go_on(limit)
                time.sleep(pause)
                pause = min(1.2 * pause, _LONGEST_PAUSE)
        self.note_free(path)
        return True

    @contextmanager
    def waiting(self, path: str) -> Iterator["Wait"]:
        """Give a wait for what is at `path`, which ends with the block."""
        wait = Wait(self, path)
        try:
            yield wait
        finally:
            if wait.has_place:
                with self._state:
                    self._free += 1

    def take_place(self, path: str) -> bool:
        """Take note that `path` is held too long, and tell whether one more thread may wait for that."""
        with self._state:
            self._stalled.add(path)
            if not self._free:
                return False
            self._free -= 1
            return True

    def note_free(self, path: str) -> None:
        """Take note that `path` is held too long no more."""
        self._stalled.discard(path)

    def is_stalled(self, path: str) -> bool:
        """Tell whether `path` was held too long for a thread of this process, and is not known to be free."""
        return path in self._stalled


class Wait:
    """The wait of one thread for what is at a path."""

    def __init__(self, waits: Waits, path: str) -> None:
        self._waits = waits
        self._path = path
        self._started = time.monotonic()
        self.has_place = False

    def go_on(self, limit: float) -> None:
        """Raise TimeoutError where it has lasted `limit` seconds, or too many threads wait so long."""
        waited = time.monotonic() - self._started
        is_long = waited >= _STALLED_AFTER or self._waits.is_stalled(self._path)
        if is_long and not self.has_place:
            self.has_place = self._waits.take_place(self._path)
        if waited >= limit or (is_long and not self.has_place):
            raise TimeoutError(errno.ETIMEDOUT, "another program or request has held its lock for too long")


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
