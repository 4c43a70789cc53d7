"""The file of the ledger: locked by others, moved, replaced, damaged."""

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.runs.ledger import database as module
from app.runs.ledger.database import Database, LedgerUnavailable
from app.runs.ledger.runs import RunTable
from tests.app.runs.ledger.runs import new


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.sqlite"


@pytest.fixture
def table(tmp_path: Path) -> Iterator[RunTable]:
    """The runs of a ledger in the data directory."""
    database = Database(None, tmp_path)
    yield RunTable(database)
    database.close()


def test_a_ledger_that_another_process_locks_is_waited_for(table: RunTable, path: Path):
    run = table.start(new())
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    unlock = threading.Timer(0.2, other.rollback)
    unlock.start()
    assert table.cancel(run.id, "Cancelled by alice.")
    unlock.join()
    other.close()


def test_a_ledger_that_stays_locked_is_unavailable_to_writes_alone(
    table: RunTable, path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_PATIENCE", 0.1)
    run = table.start(new())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(LedgerUnavailable, match="database is locked"):
        table.cancel(run.id, "Cancelled by alice.")
    assert table.get(run.id) == run
    other.rollback()
    other.close()
    assert table.cancel(run.id, "Cancelled by alice.")


def test_a_ledger_that_is_gone_is_unavailable_until_it_is_back(table: RunTable, path: Path, tmp_path: Path):
    run = table.start(new())
    path.rename(tmp_path / "moved")
    for _ in range(2):
        with pytest.raises(
            LedgerUnavailable, match=r"its file runs\.sqlite is gone: put it back, or remove runs\.sqlite-made"
        ):
            table.start(new(key="meanwhile"))
        with pytest.raises(LedgerUnavailable):
            table.get(run.id)
    assert not path.exists()
    started_meanwhile = Database(None, tmp_path)
    with pytest.raises(LedgerUnavailable, match="is gone"):
        RunTable(started_meanwhile).start(new())
    (tmp_path / "moved").rename(path)
    assert table.get(run.id) == run
    assert RunTable(started_meanwhile).get(run.id) == run
    started_meanwhile.close()


def test_an_operator_can_begin_without_the_runs_of_a_ledger_that_is_lost(table: RunTable, path: Path, tmp_path: Path):
    table.start(new())
    path.unlink()
    (tmp_path / "runs.sqlite-made").unlink()
    fresh = Database(None, tmp_path)
    assert RunTable(fresh).list("r" * 32) == []
    assert table.list("r" * 32) == []
    fresh.close()


def test_a_ledger_that_was_put_back_from_a_copy_is_used(table: RunTable, path: Path, tmp_path: Path):
    run = table.start(new())
    with sqlite3.connect(path) as source, sqlite3.connect(tmp_path / "copy") as copy:
        source.backup(copy)
    for connection in (source, copy):
        connection.close()
    path.unlink()
    with pytest.raises(LedgerUnavailable):
        table.get(run.id)
    for rest in tmp_path.glob("runs.sqlite*"):
        rest.unlink()
    shutil.copy(tmp_path / "copy", path)
    assert table.get(run.id) == run
    assert table.cancel(run.id, "Cancelled by alice.")
    with sqlite3.connect(path) as seen:
        assert seen.execute("SELECT state FROM runs").fetchall() == [("failed",)]
    seen.close()


def test_a_damaged_ledger_is_unavailable_and_stays_as_it_is(tmp_path: Path, path: Path):
    path.write_bytes(b"damaged " * 1000)
    database = Database(None, tmp_path)
    for _ in range(2):
        with pytest.raises(LedgerUnavailable, match="file is not a database"):
            RunTable(database).start(new())
    assert path.read_bytes() == b"damaged " * 1000
    path.unlink()
    assert RunTable(database).start(new()).id == 1
    database.close()


def test_a_folder_that_cannot_hold_a_ledger_is_told(tmp_path: Path):
    database = Database(None, tmp_path / "missing")
    with pytest.raises(LedgerUnavailable, match="unable to open database file"):
        RunTable(database).start(new())
