"""A server with few open files does less at once, and answers every request."""

import http.client
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import call
from tests.payloads import made
from tests.server import MASTER_KEY, Server, environment, limited, running

REPOS, CLIENTS, ROUNDS = 40, 16, 5
HEADERS = {"Authorization": f"Bearer {MASTER_KEY}", "Content-Type": "application/json"}


class Caller:
    """A client that keeps its connection, where the server does."""

    def __init__(self, server: Server, folder: Path, number: int) -> None:
        self.server, self.folder, self.number = server, folder, number
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.answered = 0

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Return what is answered; an exception where that is an error, or nothing."""
        self.connection.request(method, path, None if body is None else json.dumps(body), HEADERS)
        response = self.connection.getresponse()
        answer = json.load(response)
        assert response.status in (200, 201), answer
        self.answered += 1
        return answer

    def clone(self, repo: str) -> Path:
        self.connection.close()  # the server would, as nothing comes for long
        url = f"http://admin:{MASTER_KEY}@127.0.0.1:{self.server.port}/git/admin/{repo}.git"
        folder = self.folder / f"{repo}-{self.number}"
        done = subprocess.run(["git", "clone", "--quiet", url, folder], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return folder

    def work(self) -> int:
        """Make requests of all kinds, to many repos; return how many were answered, and rightly so."""
        for turn in range(ROUNDS):
            here, there = (f"repo-{(self.number * 7 + turn * way) % REPOS}" for way in (3, 11))
            name = f"target-{self.number}-{turn}"
            url = f"/v1/repo/{here}/targets"
            self.call("POST", url, {"target_name": name, **made(temperature=0.5)})
            assert name in self.call("GET", url)["targets"]
            assert self.call("GET", f"/v1/repo/{there}/defaults/target")
            assert self.call("PUT", f"{url}/{name}", made(max_tokens=7))["config"]["max_tokens"] == 7
            assert len(self.call("GET", f"/v1/repo/{here}/log?path=targets/{name}.yml")["commits"]) == 2
            assert self.call("GET", f"{url}/{name}/explain")
            self.call("POST", f"/v1/repo/{there}/tags", {"name": name})
            assert len(self.call("GET", "/v1/repo?include_metadata=true&limit=50")["repos"]) == REPOS
        assert (self.clone(here) / f"targets/{name}.yml").exists()
        self.connection.close()
        return self.answered


@pytest.mark.slow
def test_every_request_is_answered_with_64_open_files(tmp_path: Path):
    with running(tmp_path / "data", limited(64, "-m", "app.cli", "serve"), run_workers="1") as server:
        for number in range(REPOS):
            call(server, MASTER_KEY, "POST", "/v1/repo", {"repo_name": f"repo-{number}"})
        workers = server.workers()
        callers = [Caller(server, tmp_path, number) for number in range(CLIENTS)]
        with ThreadPoolExecutor(CLIENTS) as pool:
            assert sum(pool.map(Caller.work, callers)) == CLIENTS * ROUNDS * 8
        assert server.workers() == workers
        told = server.log.read_text()
        assert "Each worker may open 64 files: at once 2 repos stay open" in told
        assert "Traceback" not in told
        assert "[ERROR]" not in told


def test_server_does_not_start_with_too_few_open_files(tmp_path: Path):
    for command in (
        ["-m", "app.cli", "serve"],
        ["-m", "gunicorn", "--bind=127.0.0.1:0", "--no-control-socket", "wsgi:app"],
    ):
        done = subprocess.run(
            limited(32, *command), env=environment(tmp_path), capture_output=True, text=True, timeout=60
        )
        assert done.returncode != 0
        assert "A process may open only 32 files at once, and needs at least 45: raise the limit" in done.stderr
