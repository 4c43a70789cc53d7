"""What tests of the API get: servers with limits of their own."""

from pathlib import Path

import pytest

from app import create_app
from app.settings import Settings
from tests.app.api.helpers import Limited
from tests.client import Client
from tests.contracts import hold_to_contracts
from tests.server import MASTER_KEY


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
