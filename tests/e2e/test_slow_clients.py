"""Clients that send or take slowly hold all threads: requests of others are answered, and the slowest go."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import call
from tests.e2e.views import COMMAND, LARGE
from tests.server import MASTER_KEY, Server, running

THREADS = 4
AUTHORIZED = f"Host: x\r\nAuthorization: Bearer {MASTER_KEY}\r\n"
LARGE_ANSWER = f"GET /large HTTP/1.1\r\n{AUTHORIZED}Connection: close\r\n\r\n"
SLOW = {
    "readers": (LARGE_ANSWER, "took"),
    "senders of a head": ("GET /v1/repo HTTP/1.1\r\nHo", "sent"),
    "senders of a body": (
        f"POST /v1/repo HTTP/1.1\r\n{AUTHORIZED}Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{{",
        "sent",
    ),
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path, COMMAND, workers="1", threads=str(THREADS)) as server:
        yield server


def connect(server: Server, sent: str) -> socket.socket:
    """Connect, and send something."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    connection.sendall(sent.encode())
    return connection


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.slow
@pytest.mark.parametrize("what", SLOW)
def test_slow_clients_on_all_threads_keep_no_request_waiting_for_good(server: Server, what: str):
    sent, verb = SLOW[what]
    with ExitStack() as stack:
        slow = [stack.enter_context(connect(server, sent)) for _ in range(THREADS)]
        for _ in range(3):
            assert call(server, MASTER_KEY, "GET", "/v1/repo") == {"repos": []}
        cut = server.log.read_text().count(f"A client was cut off: it {verb} ")
        assert 1 <= cut <= 3  # one for each request at the most
        if what == "senders of a body":
            answers = []
            for connection in slow:
                connection.setblocking(False)
                try:
                    answers.append(connection.recv(65536))
                except BlockingIOError:
                    continue  # this one was left alone
            assert len(answers) >= 1
            assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers)


def test_a_slow_reader_gets_all_where_nobody_waits(tmp_path: Path):
    with running(tmp_path, COMMAND, workers="1", threads="1", min_rate=str(1024**3)) as server:
        with connect(server, LARGE_ANSWER) as connection:
            time.sleep(3)  # the server has to wait, and a client at this rate would be far ahead
            answer = read_all(connection)
        assert len(answer.partition(b"\r\n\r\n")[2]) == LARGE
        assert "cut off" not in server.log.read_text()


def test_the_slowest_goes_first(tmp_path: Path):
    with ExitStack() as stack:
        server = stack.enter_context(running(tmp_path, COMMAND, workers="1", threads="2", min_rate=str(1024**3)))
        stalled = stack.enter_context(connect(server, LARGE_ANSWER))
        time.sleep(0.5)
        reader = stack.enter_context(connect(server, LARGE_ANSWER))
        assert call(server, MASTER_KEY, "GET", "/v1/repo") == {"repos": []}
        assert len(read_all(reader).partition(b"\r\n\r\n")[2]) == LARGE
        with suppress(ConnectionResetError):
            assert len(read_all(stalled)) < LARGE
        assert server.log.read_text().count("A client was cut off") == 1


def test_a_reader_at_twice_the_rate_gets_on_while_others_wait(tmp_path: Path):
    """The system takes megabytes at once, so for seconds it takes no more, although the client reads."""
    rate = 128 * 1024
    with (
        running(tmp_path, COMMAND, workers="1", threads="1", min_rate=str(rate // 2)) as server,
        ThreadPoolExecutor(1) as pool,
        socket.socket() as reader,
    ):
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        reader.connect(("127.0.0.1", server.port))
        reader.sendall(LARGE_ANSWER.encode())
        other = pool.submit(call, server, MASTER_KEY, "GET", "/v1/repo")
        started = time.monotonic()
        for piece in range(8 * 8):
            assert reader.recv(rate // 8, socket.MSG_WAITALL)
            time.sleep(max(0.0, started + (piece + 1) / 8 - time.monotonic()))
        assert not other.done()
        assert "cut off" not in server.log.read_text()
        reader.close()
        assert other.result() == {"repos": []}
