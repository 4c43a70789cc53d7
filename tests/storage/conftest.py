"""A store with one repository."""

from pathlib import Path

import pytest

from storage.repository import Repository
from storage.store import Store
from tests.storage.repositories import first_commit


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def repository(store: Store) -> Repository:
    return store.create("alice/demo", first_commit)
