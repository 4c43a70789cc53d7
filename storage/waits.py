"""Waiting for locks, for a bounded time and in a part of the threads.

Another program, or a worker that was stopped, may hold a lock for ever. A thread that needs the lock gives up
after some seconds. Meanwhile half of the threads are free for requests that do not need the lock.
"""

import errno
import fcntl
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from storage.watch import Watch

# A lock that is held so long counts as stuck: ordinary holders take a hundredth of this.
STUCK_AFTER = 2.0  # seconds
PAUSE = 0.1  # seconds between two looks at how long a wait has lasted


_File = tuple[str, int]  # its path and inode


class Waits:
    """How long one process waits for locks, and in how many threads at once."""

    def __init__(self, seconds: float = 10.0, threads: int = 4) -> None:
        """End each wait after `seconds`, and let at most `threads` threads wait for stuck locks."""
        self.seconds = seconds
        self.watch = Watch(seconds)
        self._free = threads
        self._stuck: set[str] = set()
        self._queues: dict[_File, deque[_Ticket]] = {}  # the tickets that wait for each file
        self._state = threading.Lock()

    def lock(self, path: str, flags: int, seconds: float | None = None) -> int:
        """Open a file and take its advisory lock (`flock`); return the descriptor, which the caller closes.

        Raises TimeoutError where somebody else has the lock for all of `seconds`, by default those of this
        process; or where too many threads of this process wait for stuck locks already.
        """
        fd = os.open(path, flags)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file = (path, os.fstat(fd).st_ino)  # the inode, since a copy may be put in the file's place
            os.close(fd)
            fd = self._wait(file, flags, self.seconds if seconds is None else seconds)
        except BaseException:
            os.close(fd)
            raise
        self.note_free(path)
        return fd

    @contextmanager
    def waiting(self, path: str) -> Iterator["Wait"]:
        """Count a wait for the lock of `path`, which ends with the block."""
        wait = Wait(self, path)
        try:
            yield wait
        finally:
            if wait.has_slot:
                with self._state:
                    self._free += 1

    def take_slot(self, path: str) -> bool:
        """Note that the lock of `path` is stuck, and tell whether one more thread may wait for stuck locks."""
        with self._state:
            self._stuck.add(path)
            if not self._free:
                return False
            self._free -= 1
            return True

    def note_free(self, path: str) -> None:
        """Note that the lock of `path` is not stuck any more."""
        self._stuck.discard(path)

    def is_stuck(self, path: str) -> bool:
        """Tell whether the lock of `path` was stuck when it was last tried."""
        return path in self._stuck

    def _wait(self, file: "_File", flags: int, limit: float) -> int:
        ticket = _Ticket()
        with self.waiting(file[0]) as wait:
            wait.check(limit)
            self._line_up(file, flags, ticket)
            while True:
                try:
                    wait.check(limit)
                except TimeoutError:
                    if self._withdraw(file, ticket):
                        raise
                    ticket.served.acquire()  # the lock has just come
                    break
                if ticket.served.acquire(timeout=min(PAUSE, limit)):
                    break
        if isinstance(ticket.answer, OSError):
            raise ticket.answer
        return ticket.answer

    def _line_up(self, file: "_File", flags: int, ticket: "_Ticket") -> None:
        with self._state:
            queue = self._queues.get(file)
            if queue is not None:
                queue.append(ticket)
                return
            try:
                threading.Thread(target=self._work, args=(file, flags), name="lock", daemon=True).start()
            except RuntimeError as error:  # there are too many threads
                raise OSError(errno.EAGAIN, str(error)) from error
            self._queues[file] = deque([ticket])

    def _withdraw(self, file: "_File", ticket: "_Ticket") -> bool:
        with self._state:
            queue = self._queues.get(file, ())
            if ticket not in queue:
                return False
            self._queues[file].remove(ticket)
            return True

    def _work(self, file: "_File", flags: int) -> None:
        """Block for a lock on behalf of the threads that want it, and hand it to one after the other.

        The kernel wakes this thread as soon as the lock is free. If all others have given up, only this
        thread stays blocked.
        """
        is_wanted = True
        while is_wanted:
            answer = _lock(file[0], flags)
            with self._state:
                queue = self._queues[file]
                if queue:
                    ticket = queue.popleft()
                    ticket.answer = answer
                    ticket.served.release()
                elif isinstance(answer, int):
                    os.close(answer)
                is_wanted = bool(queue)
                if not is_wanted:
                    del self._queues[file]


class _Ticket:
    """A thread's place in the queue. Once `served` can be acquired, `answer` is the descriptor, or an error."""

    __slots__ = ("answer", "served")

    def __init__(self) -> None:
        self.answer: int | OSError = -1
        self.served = threading.Lock()
        self.served.acquire()


class Wait:
    """The wait of one thread for the lock of a path."""

    def __init__(self, waits: Waits, path: str) -> None:
        self._waits = waits
        self._path = path
        self._started = time.monotonic()
        self.has_slot = False

    def check(self, limit: float) -> None:
        """Raise TimeoutError where the wait has lasted `limit` seconds, or too many threads wait so long."""
        waited = time.monotonic() - self._started
        is_stuck = waited >= STUCK_AFTER or self._waits.is_stuck(self._path)
        if is_stuck and not self.has_slot:
            self.has_slot = self._waits.take_slot(self._path)
        if waited >= limit or (is_stuck and not self.has_slot):
            raise TimeoutError(errno.ETIMEDOUT, "another program or request has held its lock for too long")


def _lock(path: str, flags: int) -> int | OSError:
    """Wait for the lock of a file without a limit; return its descriptor, or the error."""
    try:
        fd = os.open(path, flags)
    except OSError as error:
        return error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    except OSError as error:
        os.close(fd)
        return error
    return fd
