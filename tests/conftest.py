"""What all tests share: an application in memory, and a server that runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings

from app import create_app
from app.settings import Settings
from storage.journal.checkpointer import Checkpointer
from tests import databases, models
from tests.client import Client
from tests.contracts import hold_to_contracts
from tests.faulty_proxy import FaultyProxy
from tests.server import MASTER_KEY, Server, running

# No test judges speed: machines are noisy.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """An application with an empty data directory, which holds its views to their contract."""
    app = create_app(Settings(tmp_path / "data", master_key=MASTER_KEY))
    hold_to_contracts(app)
    return app


@pytest.fixture
def master(app: Flask) -> Client:
    """The master key's requests, as user `admin`."""
    return Client(app, MASTER_KEY)


@pytest.fixture
def alice(app: Flask, master: Client) -> Client:
    """Requests of the user `alice`, who has a repo `demo`."""
    body = {"user_id": "alice", "user_alias": "Alice", "user_email": "alice@example.org"}
    client = Client(app, master.post("/v1/admin/users", body).json["api_key"])
    client.post("/v1/repo", {"repo_name": "demo"})
    return client


@pytest.fixture
def no_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave commits in the journal until the test calls `checkpoint`."""
    monkeypatch.setattr(Checkpointer, "schedule", lambda *_: None)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server with two workers, for the whole run; each test makes its own users."""
    with running(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="session")
def model_url() -> Iterator[str]:
    """The base URL of a real model's server, for the whole run."""
    with models.serving() as url:
        yield url


@pytest.fixture
def proxy() -> Iterator[FaultyProxy]:
    """A proxy of faults that answers by itself, at once."""
    with FaultyProxy() as proxy:
        yield proxy


@pytest.fixture
def model_proxy(model_url: str) -> Iterator[FaultyProxy]:
    """A proxy of faults in front of the real model."""
    with FaultyProxy(upstream=model_url) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def postgresql() -> Iterator[databases.PostgreSQL]:
    """A real PostgreSQL for the whole run; each test makes its own database, and leaves the server running."""
    with databases.postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[databases.Redis]:
    """A real Redis for the whole run; each test takes its own database, and leaves the server running."""
    with databases.redis() as server:
        yield server
