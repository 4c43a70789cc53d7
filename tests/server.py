"""A real Bakehouse server, as a process of its own on a free port."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

MASTER_KEY = "the-master-key-of-these-tests"

_LISTENING = re.compile(r"Listening at: http://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True)
class Server:
    """A server that runs: where it listens, its process, and the file it logs to."""

    port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def workers(self) -> list[int]:
        """Return the process ids of the web workers that there are now."""
        pid = self.process.pid
        return [child for child in _children(pid) if _command(child) == _command(pid)]

    def run_workers(self) -> list[int]:
        """Return the process ids of the run workers that there are now."""
        pid = self.process.pid
        return [child for child in _children(pid) if b"worker" in _command(child)]


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """Return the environment of a server on `data_dir`; `settings` are BAKEHOUSE_* in lower case.

    It has no run workers unless a test asks for some.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BAKEHOUSE_")}
    given = {"data_dir": str(data_dir), "port": "0", "master_key": MASTER_KEY, "run_workers": "0", **settings}
    return inherited | {f"BAKEHOUSE_{name.upper()}": value for name, value in given.items() if value}


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _command(pid: int) -> list[bytes]:
    """Return the words of a process's command line; none where it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return []


def limited(files: int, *command: str) -> list[str]:
    """Return a command that may open only so many files, whatever it asks for."""
    return ["sh", "-c", f'ulimit -n {files} && exec "$@"', "sh", sys.executable, *command]


@contextmanager
def running(data_dir: Path, command: list[str] | None = None, **settings: str) -> Iterator[Server]:
    """Start a server as a process group, wait until it listens, and stop all of it at the end."""
    with tempfile.NamedTemporaryFile(prefix="bakehouse-log-") as log:
        process = subprocess.Popen(
            command or [sys.executable, "-m", "app.cli", "serve"],
            env=environment(data_dir, **settings),
            stdout=log,
            stderr=log,
            process_group=0,
        )
        try:
            yield Server(_wait_for_port(process, Path(log.name)), process, Path(log.name))
        finally:
            process.terminate()
            process.wait(timeout=90)  # gunicorn itself kills a worker that does not stop after 30 s
            with suppress(ProcessLookupError):  # workers whose master was killed
                os.killpg(process.pid, signal.SIGKILL)


def _wait_for_port(process: "subprocess.Popen[bytes]", log: Path) -> int:
    while process.poll() is None:
        match = _LISTENING.search(log.read_text())
        if match:
            return int(match[1])
        time.sleep(0.02)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")
