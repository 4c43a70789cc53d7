"""What tests of the API get: servers with limits of their own, and a clone."""

from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.settings import Settings
from tests.app.api.bundles import data_dir
from tests.app.api.helpers import Limited, put
from tests.client import Client
from tests.contracts import hold_to_contracts
from tests.server import MASTER_KEY
from tests.storage.repositories import git


@pytest.fixture
def limited(tmp_path: Path) -> Limited:
    """Return a function that makes a server with limits, and returns a client with its master key."""

    def make(**limits: int) -> Client:
        app = create_app(Settings(tmp_path / "data", master_key=MASTER_KEY, **limits))
        hold_to_contracts(app)
        client = Client(app, MASTER_KEY)
        client.post("/v1/repo", {"repo_name": "demo"})
        return client

    return make


@pytest.fixture
def clone(app: Flask, alice: Client, tmp_path: Path) -> Path:
    """A clone of alice's repo, which has a target, a changed target, a prompt and a tag."""
    put(alice, "a", temperature=0.5)
    put(alice, "b", "a", max_tokens=5)
    put(alice, "a", temperature=0.75)
    alice.put("/v1/repo/demo/prompts/p", {"messages": []})
    alice.post("/v1/repo/demo/tags", {"name": "v1"})
    alice.put("/v1/repo/demo/labels/production", {"ref": "v1"})
    git(tmp_path, "clone", "--quiet", str(data_dir(app) / "repos/alice/demo.git"), "clone")
    return tmp_path / "clone"
