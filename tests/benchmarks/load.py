"""Clients that take little time: a socket each, requests made beforehand, only success is checked."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

Requests = Sequence[bytes]

# A connection belongs to one server process. Reconnecting often spreads the load over the processes.
_A_CONNECTION = 25  # requests


@dataclass(frozen=True)
class Client:
    """One connection to the server under test."""

    port: int
    token: str
    user: str = "admin"

    def request(self, method: str, path: str, body: object = None) -> bytes:
        """Return the bytes of a request."""
        content = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n"
            f"X-User-Id: {self.user}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        return head.encode() + content

    def send(self, requests: Requests) -> None:
        """Send requests one after another on one connection; RuntimeError unless all succeed."""
        with self._connect() as connection:
            for request in requests:
                _exchange(connection, request)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Return what one request is answered; RuntimeError unless it succeeds."""
        with self._connect() as connection:
            return json.loads(_exchange(connection, self.request(method, path, body)).partition(b"\r\n\r\n")[2])

    def latencies(self, requests: Iterable[bytes], between: Callable[[], bytes] | None = None) -> list[float]:
        """Return how many milliseconds each answer took; what `between` returns is sent before each."""
        found = []
        with self._connect() as connection:
            for request in requests:
                if between is not None:
                    _exchange(connection, between())
                start = time.perf_counter()
                _exchange(connection, request)
                found.append((time.perf_counter() - start) * 1000)
        return found

    def acting_for(self, user: str) -> "Client":
        """Return the same client, whose requests are about another user's repos."""
        return replace(self, user=user)

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def rate(client: Client, per_client: Sequence[Requests]) -> float:
    """Return how many requests a second are answered to clients that send at the same time."""
    failures: list[Exception] = []

    def run(requests: Requests) -> None:
        try:
            for start in range(0, len(requests), _A_CONNECTION):
                client.send(requests[start : start + _A_CONNECTION])
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(requests,)) for requests in per_client]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sum(map(len, per_client)) / (time.perf_counter() - start)


def _exchange(connection: socket.socket, request: bytes) -> bytes:
    connection.sendall(request)
    answer = _read_answer(connection)
    if not answer.startswith(b"HTTP/1.1 20"):
        raise RuntimeError(answer[:600].decode())
    return answer


def _read_answer(connection: socket.socket) -> bytes:
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = connection.recv(65536)
        if not piece:
            raise RuntimeError("the server closed the connection")
        answer += piece
    head, _, content = answer.partition(b"\r\n\r\n")
    lowered = head.lower()
    length = int(lowered.split(b"content-length:")[1].split(b"\r\n")[0])
    while len(content) < length:
        content += connection.recv(65536)
    return head + b"\r\n\r\n" + content
