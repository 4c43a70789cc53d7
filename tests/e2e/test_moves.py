"""Repos that are renamed, deleted and restored while clients write to two workers, and while the server is killed."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPException
from itertools import count
from pathlib import Path

import pytest

from tests.e2e.conftest import Git, User, call
from tests.server import MASTER_KEY, Server, running

NAMES = ("demo", "nightly")
_KILLED = (HTTPException, OSError, ValueError)  # what a request raises when the server dies, also within an answer


def new_alice(server: Server) -> User:
    made = call(server, MASTER_KEY, "POST", "/v1/admin/users", {"user_id": "alice"})
    alice = User(server, "alice", made["api_key"])
    alice.call("POST", "/v1/repo", {"repo_name": "demo"})
    return alice


def write(alice: User, thread: int, stop: threading.Event) -> list[str]:
    """Create targets under whatever name the repo has, and return the names of those that were answered with 201."""
    made: list[str] = []
    for number in count():
        name = f"t{thread}-{number}"
        while not stop.is_set():
            if any(try_to_make(alice, repo, name) for repo in NAMES):
                made.append(name)
                break
        if stop.is_set():
            return made
    raise AssertionError


def try_to_make(alice: User, repo: str, name: str) -> bool:
    try:
        status, answer = alice.ask(
            "POST", f"/v1/repo/{repo}/targets", {"target_name": name, "template": "default", "overrides": {}}
        )
    except _KILLED:
        return False
    assert status in (200, 404, 409, 503), answer
    return status == 200


@contextmanager
def writers(alice: User) -> Iterator[list["Future[list[str]]"]]:
    """Let four clients write while the block runs."""
    stop = threading.Event()
    with ThreadPoolExecutor(4) as pool:
        results = [pool.submit(write, alice, thread, stop) for thread in range(4)]
        try:
            yield results
        finally:
            stop.set()


def found(alice: User) -> tuple[str, set[str]]:
    """Return the name that the repo has, and its targets."""
    (repo,) = alice.call("GET", "/v1/repo")["repos"]
    return repo, set(alice.call("GET", f"/v1/repo/{repo}/targets")["targets"])


@pytest.mark.slow
def test_no_answered_write_is_lost_while_a_repo_is_renamed_deleted_and_restored(tmp_path: Path, git: Git):
    with running(tmp_path / "data") as server:
        alice = new_alice(server)
        with writers(alice) as results:
            for _ in range(8):
                for old, new in (NAMES, NAMES[::-1]):
                    alice.call("POST", f"/v1/repo/{old}/rename", {"name": new})
                    for _ in range(8):  # of both workers, so that none has the old name open still
                        assert alice.call("GET", f"/v1/repo/{old}")["repo_name"] == new  # urllib follows the redirect
                alice.call("DELETE", "/v1/repo/demo")
                assert {alice.ask("GET", "/v1/repo/demo/targets")[0] for _ in range(8)} == {404}
                alice.call("POST", "/v1/repo/demo/undelete", {})
        made = {name for result in results for name in result.result()}
        assert len(made) > 20
        repo, targets = found(alice)
        assert (repo, made - targets) == ("demo", set())
        git("clone", "--quiet", alice.clone_url("nightly"), str(tmp_path / "clone"))
        assert {path.stem for path in (tmp_path / "clone/targets").iterdir()} == targets


@pytest.mark.slow
def test_a_server_that_is_killed_while_a_repo_is_renamed_leaves_it_at_one_name(tmp_path: Path):
    data_dir = tmp_path / "data"
    made: set[str] = set()
    token = ""
    for number in range(4):
        with running(data_dir) as server:
            alice = new_alice(server) if not token else User(server, "alice", token)
            token = alice.token
            repo, targets = found(alice)
            assert made <= targets
            other = next(name for name in NAMES if name != repo)
            if number:  # the name that it had at some time leads to it, or was never taken
                status, answer = alice.ask("GET", f"/v1/repo/{other}")
                assert (status, answer.get("repo_name")) in ((200, repo), (404, None))
            with writers(alice) as results, ThreadPoolExecutor(1) as pool:
                renames = pool.submit(rename_to_and_fro, alice, repo, other)
                threading.Event().wait(0.5 + 0.13 * number)
                os.killpg(server.process.pid, signal.SIGKILL)
                renames.result()
            made |= {name for result in results for name in result.result()}
    assert len(made) > 10


def rename_to_and_fro(alice: User, old: str, new: str) -> None:
    """Rename the repo until the server is killed."""
    while True:
        try:
            status, _ = alice.ask("POST", f"/v1/repo/{old}/rename", {"name": new})
        except _KILLED:
            return
        old, new = (new, old) if status == 200 else (old, new)
