"""What tests of histories share: times, commits by hand, and pages of commits."""

from datetime import datetime

import pytest
from flask import Flask

from storage.repository import Repository
from tests import seams
from tests.app.api.helpers import demo
from tests.client import Client
from tests.storage.repositories import commit_files

LOG = "/v1/repo/demo/log"

TEN = "2090-01-01T10:00:00Z"
ELEVEN = "2090-01-01T11:00:00Z"
TWELVE = "2090-01-01T12:00:00Z"


def set_clock(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """Have commits be made at a moment; one far in the future, since their times never go back."""
    seams.set_clock(monkeypatch, datetime.fromisoformat(moment).timestamp())


def demo_repository(app: Flask) -> Repository:
    """Return alice's repo as storage has it."""
    return app.extensions["bakehouse"].store.open("alice/demo")


def commit_by_hand(app: Flask, files: dict[str, bytes | None]) -> str:
    """Commit files that Bakehouse did not write, and return the commit."""
    return demo_repository(app).transact(commit_files(files))


def tip(app: Flask) -> str:
    """Return the commit that alice's repo is at."""
    return demo(app, "rev-parse", "main").strip()


def refs(app: Flask) -> str:
    """Return all refs of alice's repo: they stay the same as long as nothing is written."""
    return demo(app, "for-each-ref")


def put_target(client: Client, name: str, **overrides: object) -> str:
    """Put a target made from `default`, and return the commit."""
    body = {"template": "default", "overrides": overrides}
    return client.put(f"/v1/repo/demo/targets/{name}", body).headers["Git-Commit"]


def commits(client: Client, query: str = "", path: str = LOG) -> list[str]:
    """Return the commits on one page."""
    answer = client.get(f"{path}?{query}")
    assert answer.status_code == 200, answer.text
    return [entry["commit"] for entry in answer.json["commits"]]


def pages(client: Client, query: str, path: str = LOG) -> list[list[str]]:
    """Return the commits on all pages, walked as `next` tells."""
    found, before = [], ""
    while before is not None:
        page = client.get(f"{path}?{query}&before={before}").json
        found.append([entry["commit"] for entry in page["commits"]])
        before = page["next"]
    return found


def rev_list(app: Flask, *arguments: str) -> list[str]:
    """Return what git lists, newest first: all commits, or those that the arguments ask for."""
    return demo(app, "rev-list", *(arguments or ("main",))).split()
