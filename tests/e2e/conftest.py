"""A user of the real server, and git without anybody's configuration."""

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.server import MASTER_KEY, Server

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

Git = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test in this folder, so that `-m "not e2e"` leaves all of them out."""
    for item in items:  # pytest passes the items of all folders
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.e2e)


@dataclass(frozen=True)
class User:
    """A user of a running server, with a repo `demo`."""

    server: Server
    id: str
    token: str

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Return what a request is answered; urllib's HTTPError if it fails."""
        return call(self.server, self.token, method, path, body, **headers)

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return the status and body of an answer; 200 for each that is no error."""
        try:
            return 200, self.call(method, path, body)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def clone_url(self, repo: str = "demo", token: str | None = None, owner: str | None = None) -> str:
        credentials = f"{self.id}:{token or self.token}"
        return f"http://{credentials}@127.0.0.1:{self.server.port}/git/{owner or self.id}/{repo}.git"


def call(server: Server, token: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """Return what a request with some token is answered; `If_Match` is the header `If-Match`."""
    request = urllib.request.Request(
        server.url + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


@pytest.fixture
def user(server: Server) -> User:
    return new_user(server)


def new_user(server: Server) -> User:
    """Make a user with a repo `demo`."""
    user_id = f"user-{uuid.uuid4().hex[:8]}"
    made = call(server, MASTER_KEY, "POST", "/v1/admin/users", {"user_id": user_id, "user_alias": "Una"})
    user = User(server, user_id, made["api_key"])
    user.call("POST", "/v1/repo", {"repo_name": "demo"})
    return user


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Run git in the test's folder, without prompts and without anybody's configuration."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }

    def run(*arguments: str, fails: bool = False, **more: str) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            ["git", *arguments],
            cwd=tmp_path,
            env=environment | more,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert (done.returncode != 0) == fails, done.stderr
        return done

    return run


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 4 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)
