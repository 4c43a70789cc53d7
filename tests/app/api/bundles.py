"""What tests of imports share: bundles of a clone, and requests with them."""

from pathlib import Path

from flask import Flask
from werkzeug.test import TestResponse

from tests.client import Client, assert_error
from tests.storage.repositories import HAND, git

TYPE = "application/x-git-bundle"


def data_dir(app: Flask) -> Path:
    path: Path = app.extensions["bakehouse"].settings.data_dir
    return path


def import_(client: Client, name: str, data: bytes, **headers: str) -> TestResponse:
    return client.request("POST", f"/v1/repo/{name}/import", data, **{"Content_Type": TYPE, **headers})


def bundle_of(clone: Path, *refs: str) -> bytes:
    git(clone, "bundle", "create", "--quiet", "made.bundle", *(refs or ("--all",)))
    return (clone / "made.bundle").read_bytes()


def commit(clone: Path, files: dict[str, str]) -> None:
    """Commit files to a clone by hand."""
    for path, text in files.items():
        (clone / path).parent.mkdir(exist_ok=True)
        (clone / path).write_text(text)
    git(clone, "add", "--all")
    git(clone, *HAND, "commit", "--quiet", "-m", "By hand")


def assert_refused(client: Client, data: bytes, *findings: str) -> None:
    """Expect that an import is refused with at least these findings, and leaves nothing."""
    before = git(data_dir(client.app) / "accounts.git", "rev-parse", "main")
    answer = import_(client, "new", data)
    assert answer.status_code == 422, answer.text
    told = [mistake["msg"] for mistake in answer.json["detail"]]
    assert {mistake["type"] for mistake in answer.json["detail"]} == {"import_refused"}
    for finding in findings:
        assert [each for each in told if finding in each], told
    assert_error(client.get("/v1/repo/new"), 404, "RESOURCE_NOT_FOUND")
    assert git(data_dir(client.app) / "accounts.git", "rev-parse", "main") == before
    left = [
        path.name for path in (data_dir(client.app) / "repos").rglob("*") if path.name.startswith((".build", ".new"))
    ]
    assert left == []
