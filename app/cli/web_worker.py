"""A web worker: gunicorn's, with connections that wait outside of its threads, and an end without resets."""

import socket
import time
from collections import deque
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn import util
from gunicorn.http.wsgi import default_environ
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from app.cli import refusals
from app.cli.slow_clients import PacedSocket, SlowClients
from app.wire import logged_request
from storage.errors import NO_ROOM

_ACCEPT_PAUSE = 0.05  # seconds
_IDLE = 5.0  # seconds without a request, after which a connection makes room for a new one
_LINGER = 2.0  # seconds that a client has to close its end
_MOST_DRAINED = 64 * 1024  # bytes that a client may still send meanwhile


class Connection(TConn):  # type: ignore[misc]
    """A connection to a client. It is closed without a thread, and without making others wait."""

    def __init__(self, worker: "WebWorker", client: socket.socket, address: Any, listener: socket.socket) -> None:
        super().__init__(worker.cfg, PacedSocket(worker.slow_clients, client), address, listener.getsockname())
        self.worker = worker
        self.drained = 0

    def close(self, graceful: bool = False) -> None:
        """Close the connection; if `graceful`, once the client has read the answer."""
        if graceful:
            self.worker.linger(self)
        else:
            util.close(self.sock)


class WebWorker(ThreadWorker):  # type: ignore[misc]
    """A worker that takes no thread for a connection without a request, and none for long for a slow client."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.slow_clients = SlowClients(self.app.min_rate)
        self._lingering: deque[Connection] = deque()
        self._has_stopped = False

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection, or leave it in the queue for now."""
        self._accept(listener)

    def _accept(self, listener: socket.socket) -> bool:
        """Accept a connection; return whether there was one."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            time.sleep(_ACCEPT_PAUSE)
            return False
        self.nr_conns += 1
        connection = Connection(self, client, address, listener)
        connection.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(connection)
        self.poller.register(connection.sock, EVENT_READ, partial(self.on_pending_socket_readable, connection))
        return True

    def enqueue_req(self, conn: Connection) -> None:
        """Have a thread answer a request."""
        self.slow_clients.queue(conn)
        super().enqueue_req(conn)

    def handle(self, conn: Connection) -> Any:
        """Answer a request, in a thread."""
        self.slow_clients.start(conn)
        conn.sock.begin()
        logged_request.current.set(None)
        try:
            return super().handle(conn)
        finally:
            logged_request.current.set(None)

    def handle_request(self, req: Any, conn: Connection) -> Any:
        """Answer a request that was read; return whether the connection stays open."""
        keep = super().handle_request(req, conn)
        req.is_answered = True
        return keep

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer a request that gunicorn refused, or that failed outside of the application."""
        if getattr(req, "is_answered", False):
            return  # its body does not end as it should: a second answer would belong to no request
        environ = default_environ(req, client, self.cfg) if req else {}
        environ |= {"REMOTE_ADDR": addr[0]} | ({"PATH_INFO": req.path} if req else {})
        with suppress(OSError):
            refusals.answer(environ, client, exc)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept connections, or do not; for the last time when the worker has to stop."""
        super().set_accept_enabled(enabled and self.alive)
        if not self.alive and not self._has_stopped:
            self._has_stopped = True
            self._stop_listening()

    def _stop_listening(self) -> None:
        """Take the connections that came before the end, and have later ones refused.

        Others would be accepted by the system, and then reset.
        """
        self.wsgi.extensions["bakehouse"].turns.close()
        for listener in self.sockets:
            with suppress(OSError):
                while self.nr_conns < self.worker_connections and self._accept(listener):
                    pass
            listener.close()
        deadline = time.monotonic() + STOP_KEEPALIVE_LINGER
        for connection in self.pending_conns:
            connection.timeout = min(connection.timeout, deadline)

    def linger(self, connection: Connection) -> None:
        """Close our end of a connection, and all of it once the client closed its own.

        To close all at once would reset the connection where the client still sends, and lose the answer.
        """
        try:
            connection.sock.shutdown(socket.SHUT_WR)
            connection.sock.setblocking(False)
            self.poller.register(connection.sock, EVENT_READ, partial(self._drain, connection))
        except (OSError, ValueError):
            util.close(connection.sock)
            return
        self.nr_conns += 1
        connection.timeout = time.monotonic() + _LINGER
        self._lingering.append(connection)

    def _drain(self, connection: Connection, client: socket.socket) -> None:
        try:
            data = client.recv(_MOST_DRAINED)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        connection.drained += len(data)
        if not data or connection.drained > _MOST_DRAINED:
            self._lingering.remove(connection)
            self._drop(connection)

    def murder_pending(self) -> None:
        """Close the connections that have waited for too long, and idle ones where there are too many."""
        super().murder_pending()
        now = time.monotonic()
        while self._lingering and self._lingering[0].timeout < now:
            self._drop(self._lingering.popleft())
        for idle in (self.pending_conns, self.keepalived_conns):
            while self._is_full() and idle and idle[0].timeout - self.cfg.keepalive + _IDLE < now:
                self._drop(idle.popleft())

    def _is_full(self) -> bool:
        return bool(self.nr_conns >= self.worker_connections)

    def _drop(self, connection: Connection) -> None:
        with suppress(KeyError, ValueError):
            self.poller.unregister(connection.sock)
        self.nr_conns -= 1
        util.close(connection.sock)
