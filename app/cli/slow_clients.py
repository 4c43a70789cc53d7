"""Cut off clients that send or take too slowly, while other requests wait for their threads."""

import errno
import fcntl
import logging
import select
import socket
import termios
import threading
import time
from array import array
from contextlib import suppress
from typing import Any

_PATIENCE = 1.0  # seconds that a client may be behind its rate, and a request may wait for a thread
_LONGEST_PAUSE = 60.0  # seconds without a byte
_TICK = 250  # milliseconds between two looks at the requests that wait

_log = logging.getLogger(__name__)


class TooSlow(TimeoutError):
    """The client was cut off."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "The client was too slow")  # gunicorn logs any other number as a bug


class SlowClients:
    """The requests of one worker that wait for a thread, and the clients that threads wait for."""

    def __init__(self, rate: int) -> None:
        """Expect `rate` bytes a second of each client."""
        self.rate = rate
        self._lock = threading.Lock()
        self._queued: dict[object, float] = {}  # since when, the longest first
        self._behind: dict[PacedSocket, float] = {}  # by how many seconds

    def queue(self, connection: object) -> None:
        """Note that a request waits for a thread."""
        with self._lock:
            self._queued[connection] = time.monotonic()

    def start(self, connection: object) -> None:
        """Note that a request has a thread."""
        with self._lock:
            self._queued.pop(connection, None)

    def forget(self, client: "PacedSocket") -> None:
        """Note that no thread waits for a client any more."""
        with self._lock:
            self._behind.pop(client, None)

    def must_go(self, client: "PacedSocket", behind: float) -> bool:
        """Return whether a client has to go: it is behind the rate, the most of all, and a request waits."""
        with self._lock:
            self._behind[client] = behind
            since = next(iter(self._queued.values()), None)
            if behind < _PATIENCE or since is None or time.monotonic() - since < _PATIENCE:
                return False
            if behind < max(self._behind.values()):
                return False
            del self._queued[next(iter(self._queued))]  # this thread is for that request
            return True


class PacedSocket(socket.socket):
    """A connection whose client has to keep a rate, measured over one request and its answer."""

    def __init__(self, clients: SlowClients, connection: socket.socket) -> None:
        super().__init__(fileno=connection.detach())
        self._clients = clients
        self.begin()

    def begin(self) -> None:
        """Begin to measure."""
        self._waited = 0.0  # seconds
        self._handed = 0  # bytes that were received, or handed to the system to be sent
        self._moved = 0  # bytes without those that the system has not sent yet
        self._behind = 0.0  # seconds

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Receive some bytes; TooSlow if the client has to go."""
        while True:
            try:
                data = super().recv(size, flags | socket.MSG_DONTWAIT)
            except BlockingIOError:
                if self.gettimeout() is not None:  # gunicorn waits by itself
                    return super().recv(size, flags)
                self._wait(select.POLLIN)
            else:
                self._handed += len(data)
                return data

    def send(self, data: Any, flags: int = 0) -> int:
        """Send all bytes; TooSlow if the client has to go."""
        self.sendall(data, flags)
        return len(data)

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all bytes; TooSlow if the client has to go."""
        if self.gettimeout() is not None:
            return super().sendall(data, flags)
        rest = memoryview(data)
        while rest:
            try:
                sent = super().send(rest, flags | socket.MSG_DONTWAIT)
            except BlockingIOError:
                self._wait(select.POLLOUT)
            else:
                self._handed += sent
                rest = rest[sent:]
        return None

    def _wait(self, event: int) -> None:
        poller = select.poll()
        poller.register(self, event)
        self._look(0.0)
        last = moved_at = time.monotonic()
        try:
            while not poller.poll(_TICK):
                now = time.monotonic()
                if self._look(now - last):
                    moved_at = now
                last = now
                if now - moved_at > _LONGEST_PAUSE or self._clients.must_go(self, self._behind):
                    verb = "sent" if event == select.POLLIN else "took"
                    _log.warning("A client was cut off: it %s %d bytes in %d seconds", verb, self._moved, self._waited)
                    raise TooSlow
        finally:
            self._look(time.monotonic() - last)
            self._clients.forget(self)

    def _look(self, seconds: float) -> int:
        """Measure what moved since the last look, of which a thread waited for some seconds; return the bytes.

        Nobody gets ahead. The system takes megabytes at once, and says that it takes more only when a good part of
        these has gone: so what it has not sent yet is asked for.
        """
        moved = self._handed - _unsent(self)
        size, self._moved = moved - self._moved, moved
        self._waited += seconds
        self._behind = max(0.0, self._behind + seconds - size / self._clients.rate)
        return size


def _unsent(connection: socket.socket) -> int:
    """Return how many bytes were handed to the system and are not at the client yet; 0 where it does not tell."""
    count = array("i", [0])
    with suppress(OSError):
        fcntl.ioctl(connection, termios.TIOCOUTQ, count)
    return count[0]
