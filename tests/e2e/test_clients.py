"""Clients that are slow or vanish: others are answered meanwhile, and nothing stays open."""

import base64
import json
import os
import random
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import call
from tests.payloads import target
from tests.server import MASTER_KEY, Server, running

THREADS = 4
TARGETS = "/v1/repo/demo/targets"
BODY = json.dumps(target("never")).encode()
HEAD = (
    f"POST {TARGETS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {MASTER_KEY}\r\n"
    f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
).encode()


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A server of one worker with four threads, with a repo of some megabytes, and its data directory."""
    data_dir = tmp_path_factory.mktemp("clients") / "data"
    with running(data_dir, workers="1", threads=str(THREADS), max_document=str(16 * 1024**2)) as server:
        call(server, MASTER_KEY, "POST", "/v1/repo", {"repo_name": "demo"})
        noise = base64.b64encode(random.Random(1).randbytes(4_000_000)).decode()
        call(server, MASTER_KEY, "POST", TARGETS, target("large", extra_kwargs={"noise": noise}))
        assert_it_works(server, "warm", data_dir)  # what is opened once stays open
        yield server, data_dir


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def vanish(connection: socket.socket) -> None:
    """Reset the connection, as a client that crashed."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@dataclass(frozen=True)
class Held:
    """What the server's worker holds."""

    files: int  # and sockets
    threads: int
    processes: list[str]

    def is_within(self, other: "Held") -> bool:
        in_pool = self.threads <= 2 + THREADS  # they are started when they are first needed; two others always run
        return in_pool and self.files <= other.files and self.processes == other.processes


def held(server: Server) -> Held:
    (worker,) = server.workers()
    process = Path(f"/proc/{worker}")
    processes = sorted(command(pid) for pid in children(worker))
    return Held(len(os.listdir(process / "fd")), len(os.listdir(process / "task")), processes)


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def assert_held_again(server: Server, before: Held) -> None:
    """Expect that the worker comes to hold no more than it held before."""
    deadline = time.monotonic() + 30
    while not (now := held(server)).is_within(before) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert now.is_within(before), (now, before)


def assert_it_works(server: Server, name: str, folder: Path) -> None:
    call(server, MASTER_KEY, "POST", TARGETS, target(name))
    url = f"http://admin:{MASTER_KEY}@127.0.0.1:{server.port}/git/admin/demo.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", url, folder / f"{name}.clone"], check=True)
    assert name in call(server, MASTER_KEY, "GET", TARGETS)["targets"]
    assert not list((folder / "repos").rglob("*.lock"))


@pytest.mark.parametrize("sent", [b"", b"POST /v1/re", HEAD[:-2], HEAD, HEAD + BODY[:9]])
@pytest.mark.parametrize("end", [vanish, socket.socket.close])
def test_half_a_request_blocks_nobody_and_leaves_nothing(lone: tuple[Server, Path], sent: bytes, end):
    server, _ = lone
    before = held(server)
    with ExitStack() as stack:
        slow = [stack.enter_context(connect(server)) for _ in range(3)]
        for connection in slow:
            connection.sendall(sent)
        for number in range(5):  # others are answered meanwhile
            call(
                server,
                MASTER_KEY,
                "PUT",
                f"{TARGETS}/meanwhile",
                {"template": "default", "overrides": {"max_tokens": number + 1}},
            )
        for connection in slow:
            end(connection)
    assert_held_again(server, before)
    assert "never" not in call(server, MASTER_KEY, "GET", TARGETS)["targets"]


def test_idle_connections_block_nobody(lone: tuple[Server, Path]):
    server, _ = lone
    before = held(server)
    with ExitStack() as stack:
        for _ in range(100):
            idle = stack.enter_context(connect(server))
            idle.sendall(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert idle.recv(12) == b"HTTP/1.1 200"
        assert call(server, MASTER_KEY, "GET", "/v1/repo") == {"repos": ["demo"]}
    assert_held_again(server, before)


def test_answers_that_are_not_read_leave_nothing(lone: tuple[Server, Path], tmp_path: Path):
    server, data_dir = lone
    before = held(server)
    for _ in range(6):  # more than there are threads
        connection = connect(server)
        connection.sendall(HEAD.replace(b"POST ", b"GET ").replace(b"targets", b"targets/large"))
        assert connection.recv(12) == b"HTTP/1.1 200"
        vanish(connection)
    assert_held_again(server, before)
    assert_it_works(server, f"after-{tmp_path.name}", data_dir)


def test_a_clone_that_breaks_off_leaves_nothing(lone: tuple[Server, Path], tmp_path: Path):
    server, data_dir = lone
    before = held(server)
    repository = data_dir / "repos/admin/demo.git"
    tip = subprocess.check_output(["git", "-C", repository, "rev-parse", "main"], text=True).strip()
    want = f"want {tip} side-band-64k\n"
    wanted = f"{len(want) + 4:04x}{want}00000009done\n".encode()
    login = base64.b64encode(f"admin:{MASTER_KEY}".encode()).decode()
    head = (
        "POST /git/admin/demo.git/git-upload-pack HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Basic {login}\r\n"
        f"Content-Type: application/x-git-upload-pack-request\r\nContent-Length: {len(wanted)}\r\n\r\n"
    )
    for end in (vanish, socket.socket.close, vanish):
        connection = connect(server)
        connection.sendall(head.encode() + wanted)
        assert connection.recv(12) == b"HTTP/1.1 200"
        assert any("upload-pack" in name for name in held(server).processes)  # it has much to send
        end(connection)
    assert_held_again(server, before)
    assert_it_works(server, f"after-{tmp_path.name}", data_dir)
