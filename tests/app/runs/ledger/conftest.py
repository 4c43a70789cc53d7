"""Ledgers, on SQLite and on PostgreSQL: each test that takes one runs on both."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.runs.ledger.database import Database


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty ledger of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/runs.sqlite"
    address: str = request.getfixturevalue("postgresql").make_database()
    return address


@pytest.fixture
def database(url: str, tmp_path: Path) -> Iterator[Database]:
    """An empty ledger."""
    database = Database(url, tmp_path)
    yield database
    database.close()
