"""A stopped process holds the lock of one repository: its writers wait for a bounded time, others go on."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage.journal.journal_file import NAME
from tests.e2e.conftest import call, new_user
from tests.payloads import made, target
from tests.server import MASTER_KEY, Server, running
from tests.storage.repositories import git

TARGETS = "/v1/repo/demo/targets"
_HOLD = """
import fcntl, os, sys
fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Have another process hold the lock of a file, and be stopped while it does."""
    holder = subprocess.Popen([sys.executable, "-c", _HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        holder.send_signal(signal.SIGSTOP)
        yield
    finally:
        holder.kill()
        holder.communicate()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server(data_dir: Path) -> Iterator[Server]:
    with running(data_dir, threads="4", lock_timeout="1") as server:
        yield server


@pytest.mark.slow
@pytest.mark.parametrize("what", ["the repository", "the owner's folder"])
def test_other_requests_are_answered_while_one_lock_is_held(server: Server, data_dir: Path, what: str):
    stuck, other = new_user(server), new_user(server)
    stuck.call("POST", TARGETS, target("before"))
    folder = data_dir / "repos" / stuck.id
    if what == "the repository":
        lock, write = folder / "demo.git" / NAME, ("POST", TARGETS, target("meanwhile"))
    else:
        lock, write = folder, ("POST", "/v1/repo", {"repo_name": "new"})
    with ThreadPoolExecutor(24) as pool, held(lock):
        writers = [pool.submit(stuck.ask, *write) for _ in range(24)]
        for number in range(20):  # each is answered while the lock is held
            assert call(server, MASTER_KEY, "GET", "/v1/health")["status"] == "healthy"
            assert other.ask("POST", TARGETS, target(f"t{number}"))[0] == 200
            assert other.ask("GET", f"{TARGETS}/t{number}")[0] == 200
            assert stuck.ask("GET", TARGETS) == (200, {"targets": ["before"]})
            assert stuck.ask("GET", "/v1/repo/demo/log")[0] == 200
        answers = [writer.result() for writer in writers]
        assert {status for status, _ in answers} == {503}
        assert all("has held its lock for too long" in answer["message"] for _, answer in answers)
    assert stuck.ask(*write)[0] == 200
    assert "Traceback" not in server.log.read_text()


def test_server_stops_and_checkpoints_others_while_one_lock_is_held(server: Server, data_dir: Path):
    stuck, others = new_user(server), [new_user(server) for _ in range(3)]
    journal = data_dir / "repos" / stuck.id / "demo.git" / NAME
    pids = server.workers()
    with held(journal):
        for other in others:
            other.call("POST", TARGETS, target("committed"))
        server.process.terminate()
        server.process.wait()
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
        for other in others:
            path = data_dir / "repos" / other.id / "demo.git"
            assert "targets/committed.yml" in git(path, "ls-tree", "-r", "--name-only", "main")


def test_a_stuck_repository_is_checkpointed_once_its_lock_is_free(server: Server, data_dir: Path):
    stuck, other = new_user(server), new_user(server)
    path = data_dir / "repos" / stuck.id / "demo.git"
    stuck.call("POST", TARGETS, target("committed"))
    with held(path / NAME):
        other.call("POST", TARGETS, target("committed"))
        git(data_dir / "repos" / other.id / "demo.git", "show", "main:targets/committed.yml")
    assert "targets/committed.yml" in git(path, "ls-tree", "-r", "--name-only", "main")


def test_a_dry_run_of_a_rebase_waits_for_no_lock(server: Server, data_dir: Path):
    user = new_user(server)
    for name, template, temperature in (
        ("base", "default", 0.5),
        ("child", "base", 0.6),
        ("grandchild", "child", 0.7),
        ("base", "default", 0.8),
    ):
        user.call("PUT", f"{TARGETS}/{name}", made(template, temperature=temperature))
    rebase = ("POST", f"{TARGETS}/child/rebase")
    with held(data_dir / "repos" / user.id / "demo.git" / NAME):
        status, foretold = user.ask(*rebase, {"dry_run": True, "descendants": True})
        assert (status, len(foretold.get("targets", []))) == (200, 2)
        assert user.ask(*rebase, {"descendants": True})[0] == 503
    assert user.ask(*rebase, {"descendants": True}) == (200, {**foretold, "dry_run": False})
