"""Real PostgreSQL and Redis, each as a process of its own on a free port of 127.0.0.1."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest

_PATIENCE = 60  # seconds
_DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
_FAST = (
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "unix_socket_directories=",
    "listen_addresses=127.0.0.1",
)

S = TypeVar("S", bound="Database")


class Database(ABC):
    """A server of a database that can be stopped and started on the same data, port and URL."""

    def __init__(self, folder: Path, command: list[str], stop_signal: signal.Signals, **options: Any) -> None:
        self.port = _free_port()
        self.log = folder / "log"
        self._command = [part.format(port=self.port) for part in command]
        self._signal = stop_signal
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        assert self._process is None
        deadline = time.monotonic() + _PATIENCE
        while True:  # PostgreSQL does not start before what a kill left of it is gone
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(self._command, stdout=log, stderr=log, **self._options)
            while self._process.poll() is None:
                if self._answers():
                    return
                assert time.monotonic() < deadline, self.log.read_text()
                time.sleep(0.02)
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop the server as an operator does; its clients lose their connections."""
        self._end(self._signal)

    def kill(self) -> None:
        """End the server at once, as a crash would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop the server, and start it again."""
        self.stop()
        self.start()

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=_PATIENCE)
            self._process = None

    @abstractmethod
    def _answers(self) -> bool:
        """Tell whether the server takes connections."""


class PostgreSQL(Database):
    """A server of PostgreSQL. A kill of it is an immediate shutdown: SIGKILL would leave its children."""

    def __init__(self, folder: Path, programs: Path) -> None:
        options = _unprivileged()
        settings = [part for setting in _FAST for part in ("-c", setting)]
        command = [str(programs / "postgres"), "-D", str(folder / "data"), "-p", "{port}", *settings]
        super().__init__(folder, command, signal.SIGINT, cwd=folder, **options)
        initdb = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", "bakehouse", "-A", "trust", "-E", "UTF8"]
        subprocess.run(
            [*initdb, "--locale=C", "--no-sync"], cwd=folder, check=True, stdout=subprocess.DEVNULL, **options
        )
        self._number = 0

    def kill(self) -> None:
        self._end(signal.SIGQUIT)

    def make_database(self) -> str:
        """Make an empty database, and return its URL."""
        self._number += 1
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"create database test_{self._number}")
        return self._url(f"test_{self._number}")

    def _url(self, database: str) -> str:
        return f"postgresql://bakehouse@127.0.0.1:{self.port}/{database}"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


class Redis(Database):
    """A server of Redis, which keeps its data in memory alone: a restart empties it."""

    def __init__(self, folder: Path) -> None:
        command = ["redis-server", "--bind", "127.0.0.1", "--port", "{port}", "--save", "", "--dir", str(folder)]
        super().__init__(folder, command, signal.SIGTERM)
        self._number = -1

    def make_database(self) -> str:
        """Return the URL of a database that no other test uses; a server has 16 of them."""
        self._number += 1
        return f"redis://127.0.0.1:{self.port}/{self._number % 16}"

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


@contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """Run a server of PostgreSQL with a fresh data directory; skip the test where PostgreSQL is absent."""
    programs = next((path for path in _DEBIAN if (path / "initdb").exists()), None)
    if programs is None:
        found = shutil.which("initdb") or pytest.skip("PostgreSQL (initdb) is not installed")
        programs = Path(found).resolve().parent
    with _folder() as folder, _running(PostgreSQL(folder, programs)) as server:
        yield server


@contextmanager
def redis() -> Iterator[Redis]:
    """Run a server of Redis; skip the test where Redis is absent."""
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed")
    with _folder() as folder, _running(Redis(folder)) as server:
        yield server


@contextmanager
def _running(server: S) -> Iterator[S]:
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder that PostgreSQL can use: its user cannot reach the folders of pytest."""
    with tempfile.TemporaryDirectory(prefix="bakehouse-database-") as name:
        if user := _unprivileged().get("user"):
            os.chown(name, user, -1)
        yield Path(name)


def _unprivileged() -> dict[str, Any]:
    """Return how a process is started that may not be root's, as PostgreSQL's may not."""
    if os.geteuid() != 0:
        return {}
    user = next(entry for entry in pwd.getpwall() if entry.pw_name in ("postgres", "nobody"))
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
