"""A data directory is for the servers of one machine: another machine, and a disk without locks, are refused.

The other machine is a process that takes itself for one. Its locks are its own where `unshared` is a folder: as
on a file system of a network, no other process sees them.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from storage.servers import NAME
from tests.e2e.conftest import call
from tests.payloads import target
from tests.seams import wait_until
from tests.server import MASTER_KEY, environment, running
from tests.storage.repositories import run_together

MACHINE = """
import fcntl, hashlib, os, sys
from app.cli import main
from storage import servers
from storage.journal import header

machine, unshared, silence = sys.argv[1:4]
servers.this_machine = lambda: machine
header.BOOT = hashlib.md5(machine.encode()).digest()
servers.SILENCE_SECONDS = float(silence)
flock = fcntl.flock
private = {}

def lock_apart(file, kind):
    file = file if isinstance(file, int) else file.fileno()
    path = os.path.join(unshared, os.readlink(f"/proc/self/fd/{file}").replace("/", "-"))
    private[file] = private.get(file) or os.open(path, os.O_RDWR | os.O_CREAT)
    flock(private[file], kind)

if unshared:
    fcntl.flock = lock_apart
main(sys.argv[4:])
"""


def on_machine(name: str, unshared: Path | str = "", silence: float = 6.0) -> list[str]:
    """Return the command of a server on a machine of some name."""
    return [sys.executable, "-c", MACHINE, f"{name}-boot {name}", str(unshared), str(silence), "serve"]


def start(command: list[str], data_dir: Path, **settings: str) -> str:
    """Start a server that does not come up, and return what it says."""
    done = subprocess.run(command, env=environment(data_dir, **settings), capture_output=True, text=True, timeout=90)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def machine_in(data_dir: Path) -> str:
    return (data_dir / NAME).read_text()


def test_many_servers_of_one_machine_serve_one_directory(tmp_path: Path):
    with running(tmp_path, workers="1") as first, running(tmp_path, workers="1") as second:
        call(first, MASTER_KEY, "POST", "/v1/repo", {"repo_name": "demo"})
        assert call(second, MASTER_KEY, "GET", "/v1/repo") == {"repos": ["demo"]}
        os.killpg(first.process.pid, signal.SIGKILL)
        with running(tmp_path, workers="1") as third:
            assert call(third, MASTER_KEY, "GET", "/v1/repo") == {"repos": ["demo"]}
        assert machine_in(tmp_path)
    assert machine_in(tmp_path) == ""


def test_a_machine_whose_lock_is_seen_is_refused_unless_a_setting_says_that_locks_are_shared(tmp_path: Path):
    with running(tmp_path, workers="1", shared_locks="on") as first:
        assert "BAKEHOUSE_SHARED_LOCKS=on" in start(on_machine("b"), tmp_path)
        call(first, MASTER_KEY, "POST", "/v1/repo", {"repo_name": "demo"})
        with running(tmp_path, on_machine("b"), workers="1", shared_locks="on") as second:
            servers = (first, second)

            def write(machine: int) -> None:
                for number in range(40):
                    call(servers[machine], MASTER_KEY, "POST", "/v1/repo/demo/targets", target(f"t{machine}-{number}"))

            run_together(2, write)
            for server in servers:
                assert len(call(server, MASTER_KEY, "GET", "/v1/repo/demo/targets")["targets"]) == 80


@pytest.mark.parametrize("setting", ["off", "on"])
def test_a_machine_whose_lock_is_not_seen_is_refused_while_it_runs(tmp_path: Path, setting: str):
    locks = tmp_path / "locks"
    locks.mkdir()
    data_dir = tmp_path / "data"
    with running(data_dir, workers="1"):
        said = start(on_machine("b", locks), data_dir, shared_locks=setting)
        assert "its locks are not seen here: writes would be lost" in said


def test_commands_on_another_machine_are_refused(tmp_path: Path):
    with running(tmp_path, workers="1"):
        for command in (["users", "create", "alice"], ["maintain"], ["verify"]):
            assert "serves it" in start([*on_machine("b")[:-1], *command], tmp_path)


def test_a_machine_that_is_gone_holds_nobody_up(tmp_path: Path):
    with running(tmp_path, on_machine("a"), workers="1") as server:
        os.killpg(server.process.pid, signal.SIGKILL)
    assert machine_in(tmp_path) == "a-boot a"
    with running(tmp_path, workers="1", command=on_machine("b", silence=3)) as server:
        assert machine_in(tmp_path) == "b-boot b"
        assert "The machine a had this data directory" in server.log.read_text()
    with running(tmp_path, on_machine("c", silence=60), workers="1") as server:  # after an ordinary stop
        assert "had this data directory" not in server.log.read_text()


def test_a_server_ends_when_another_machine_takes_over(tmp_path: Path):
    """As where this machine was stopped for a while, and the other found it silent."""
    with running(tmp_path) as server:
        (tmp_path / NAME).write_text("b-boot b")
        wait_until(lambda: server.process.poll() is not None)
        assert "The machine b has taken" in server.log.read_text()


@pytest.mark.parametrize("error", ["ENOLCK", "EOPNOTSUPP", "EINVAL", "ENOSYS"])
@pytest.mark.parametrize("where", ["files", "folders"])
def test_a_server_does_not_start_where_the_disk_has_no_locks(tmp_path: Path, error: str, where: str):
    refuse = f"""
import errno, fcntl, os, stat
flock = fcntl.flock
def refuse(file, kind):
    if stat.S_ISDIR(os.fstat(file).st_mode) == {where == "folders"}:
        raise OSError(errno.{error}, os.strerror(errno.{error}))
    flock(file, kind)
fcntl.flock = refuse
from app.cli import main
main(["serve"])
"""
    said = start([sys.executable, "-c", refuse], tmp_path)
    assert f"The data directory {tmp_path} cannot be used: its file system cannot lock" in said


def test_a_server_does_not_start_where_locks_exclude_nobody(tmp_path: Path):
    pretend = "import fcntl; fcntl.flock = lambda *_: None; from app.cli import main; main(['serve'])"
    assert "its file system gives one lock to two at once" in start([sys.executable, "-c", pretend], tmp_path)
