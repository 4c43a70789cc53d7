"""Cut off clients that send or take too slowly, while other requests wait for their threads."""

import errno
import logging
import select
import socket
import threading
import time
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
        self._moved = 0  # bytes
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
                self._note(len(data))
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
                self._note(sent)
                rest = rest[sent:]
        return None

    def _note(self, size: int) -> None:
        """Note that bytes moved. Nobody gets ahead: the system takes megabytes at once, whoever reads them."""
        self._moved += size
        self._behind = max(0.0, self._behind - size / self._clients.rate)

    def _wait(self, event: int) -> None:
        poller = select.poll()
        poller.register(self, event)
        started = time.monotonic()
        try:
            while not poller.poll(_TICK):
                paused = time.monotonic() - started
                if paused > _LONGEST_PAUSE or self._clients.must_go(self, self._behind + paused):
                    verb = "sent" if event == select.POLLIN else "took"
                    _log.warning(
                        "A client was cut off: it %s %d bytes in %d seconds", verb, self._moved, self._waited + paused
                    )
                    raise TooSlow
        finally:
            paused = time.monotonic() - started
            self._waited += paused
            self._behind += paused
            self._clients.forget(self)
