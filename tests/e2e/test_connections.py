"""Connections of a real server: how long they stay, what they hold, and how they end."""

import http.client
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import call
from tests.e2e.views import COMMAND
from tests.seams import wait_until
from tests.server import MASTER_KEY, Server, running

GET = b"GET /v1/repo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + MASTER_KEY.encode() + b"\r\n\r\n"
CLIENTS = 8


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def ask(connection: socket.socket) -> bytes:
    """Return the head of the answer to a request on a connection that stays open."""
    connection.sendall(GET)
    answer = b""
    while not answer.endswith(b'{"repos":[]}\n'):
        answer += connection.recv(65536)
    return answer


def open_sockets(pid: int) -> int:
    links = Path(f"/proc/{pid}/fd")
    count = 0
    for number in os.listdir(links):
        with suppress(FileNotFoundError):  # closed since the folder was read
            count += (links / number).readlink().name.startswith("socket:")
    return count


def read_to_the_end(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


class Hammer(threading.Thread):
    """A client that asks again and again on one connection, and makes another where the server closes it."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.answered = 0
        self.broken: Exception | None = None

    def run(self) -> None:
        try:
            while True:
                if self.connection.sock is None:
                    self.connection.connect()
                self.connection.request("GET", "/v1/repo", headers={"Authorization": f"Bearer {MASTER_KEY}"})
                response = self.connection.getresponse()
                assert response.status == 200
                response.read()
                self.answered += 1
        except ConnectionRefusedError:
            pass  # nothing was sent: the client knows that the server is not there
        except Exception as error:
            self.broken = error


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(3))
def test_no_request_is_lost_when_the_server_stops(tmp_path: Path, turn: int):
    with running(tmp_path) as server:
        hammers = [Hammer(server) for _ in range(CLIENTS)]
        for hammer in hammers:
            hammer.start()
        while min(hammer.answered for hammer in hammers) < 20 + turn:
            time.sleep(0.001)
        server.process.terminate()
        for hammer in hammers:
            hammer.join()
    assert [hammer.broken for hammer in hammers if hammer.broken] == []


def test_requests_that_wait_for_a_thread_are_answered_when_the_server_stops(tmp_path: Path):
    with running(tmp_path, COMMAND, workers="1", threads="1") as server:
        waiting = [connect(server) for _ in range(3)]
        for connection in waiting:
            connection.sendall(b"GET /takes-a-second HTTP/1.1\r\nHost: x\r\n\r\n")
        while "GET /takes-a-second 200" not in server.log.read_text():
            time.sleep(0.01)
        server.process.terminate()
        for connection in waiting:
            with connection:
                assert read_to_the_end(connection).endswith(b"\r\n\r\ndone")


def test_idle_connections_are_closed_without_a_reset_when_the_server_stops(tmp_path: Path):
    with running(tmp_path) as server:
        silent, idle = connect(server), connect(server)
        assert b"keep-alive" in ask(idle)
        call(server, MASTER_KEY, "GET", "/v1/repo")
        server.process.terminate()
        for connection in (silent, idle):
            with connection:
                assert read_to_the_end(connection) == b""
        assert server.process.wait() == 0


def test_connections_stay_open_as_long_as_the_setting_says(tmp_path: Path):
    with running(tmp_path, keep_alive="1") as server, connect(server) as connection:
        assert b"keep-alive" in ask(connection)
        assert read_to_the_end(connection) == b""


def test_connections_without_a_request_take_no_thread(tmp_path: Path):
    with running(tmp_path, workers="1", threads="1") as server:
        silent = [connect(server) for _ in range(20)]
        idle = [connect(server) for _ in range(20)]
        for connection in idle:
            assert b" 200 OK" in ask(connection)
        for _ in range(20):
            assert call(server, MASTER_KEY, "GET", "/v1/repo") == {"repos": []}
        for connection in silent:  # each is still open
            assert b" 200 OK" in ask(connection)
        for connection in (*silent, *idle):
            connection.close()


def test_a_client_that_does_not_close_its_end_keeps_nobody_waiting(tmp_path: Path):
    closed: list[socket.socket] = []
    with running(tmp_path, workers="1", threads="1") as server:
        wait_until(server.workers)  # the socket listens before the worker is there
        (worker,) = server.workers()
        before = open_sockets(worker)
        for _ in range(200):
            connection = connect(server)
            connection.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            assert b" 200 OK" in read_to_the_end(connection)
            closed.append(connection)
            if open_sockets(worker) >= before + 4:
                break  # others were answered while the server waited for these to close
        else:
            pytest.fail("the server waits for one client after the other")
        for connection in closed:
            connection.close()


def test_a_restart_of_the_workers_keeps_the_server_listening(tmp_path: Path):
    with running(tmp_path) as server:
        old = server.workers()
        server.process.send_signal(signal.SIGHUP)
        with ThreadPoolExecutor(4) as pool:
            while set(old) & set(server.workers()):
                assert set(pool.map(lambda _: str(call(server, MASTER_KEY, "GET", "/v1/repo")), range(4))) == {
                    "{'repos': []}"
                }
        assert call(server, MASTER_KEY, "GET", "/v1/repo") == {"repos": []}
