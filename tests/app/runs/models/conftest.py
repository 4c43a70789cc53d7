"""Limits in a ledger of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.runs.ledger.database import Database
from app.runs.ledger.limits import Limits


@pytest.fixture
def limits(tmp_path: Path) -> Iterator[Limits]:
    database = Database(None, tmp_path)
    yield Limits(database)
    database.close()
