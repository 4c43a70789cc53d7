"""Tokens reach no log, commit, file or answer."""

import subprocess
import urllib.error
from pathlib import Path

from tests.e2e.conftest import call, new_user
from tests.payloads import target
from tests.server import MASTER_KEY, Server, running

WRONG = "bakehouse_a-token-that-nobody-has"


def answers_to_all_kinds_of_requests(server: Server, token: str) -> list[str]:
    """Send what is right and what is wrong, and return what was answered."""
    answers = []
    for method, path, body in (
        ("GET", "/v1/repo", None),
        ("GET", "/v1/repo/nope", None),
        ("GET", f"/v1/repo/{token}", None),
        ("GET", f"/v1/{token}", None),
        ("GET", f"/v1/repo/demo/targets?ref={token}", None),
        ("GET", f"/v1/repo?user_id={token}", None),
        ("POST", "/v1/repo/demo/targets", target("a")),
        ("POST", "/v1/repo/demo/targets", {"target_name": 1}),
        ("POST", "/v1/admin/users", {"user_id": "somebody"}),
        ("PATCH", "/v1/repo", None),
    ):
        try:
            answers.append(str(call(server, token, method, path, body)))
        except urllib.error.HTTPError as error:
            answers.append(error.read().decode())
    return answers


def all_objects(repository: Path) -> bytes:
    command = ["git", "-C", repository, "cat-file", "--batch", "--batch-all-objects"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def test_secrets_reach_no_log_no_commit_and_no_file(tmp_path: Path):
    with running(tmp_path / "data") as server:
        user = new_user(server)
        secrets = (user.token, MASTER_KEY, WRONG)
        for secret in secrets:
            assert not [answer for answer in answers_to_all_kinds_of_requests(server, secret) if secret in answer]
        subprocess.run(["git", "clone", "-q", user.clone_url(), tmp_path / "clone"], check=True)
        subprocess.run(["git", "clone", "-q", user.clone_url(token=WRONG), tmp_path / "x"], capture_output=True)
        log = server.log.read_bytes()
    repositories = [*(tmp_path / "data").rglob("*.git"), tmp_path / "clone/.git"]
    assert len(repositories) >= 3
    written = b"".join(map(all_objects, repositories))
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    for secret in secrets:
        assert secret.encode() not in log
        assert secret.encode() not in written
        assert not [path for path in files if secret.encode() in path.read_bytes()]
        assert not [path for path in files if secret in path.name]
