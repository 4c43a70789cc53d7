"""A store with one repository."""

from collections.abc import Callable
from pathlib import Path

import pytest

from storage.journal import header
from storage.repository import Repository
from storage.store import Store
from tests.storage.repositories import first_commit


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def repository(store: Store) -> Repository:
    return store.create("alice/demo", first_commit)


@pytest.fixture
def power(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return what makes every process from then on take the machine for one that was started anew."""
    boots = iter(range(1000))
    return lambda: monkeypatch.setattr(header, "BOOT", b"a boot, number %02d" % next(boots))
