"""Runs in the ledger: one for each key, whoever starts it, and listed in order."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import update

from app.runs.ledger.database import Database, LedgerUnavailable
from app.runs.ledger.runs import RunTable, StimGone
from app.runs.ledger.schema import CURRENT
from app.runs.ledger.tables import VERSION
from tests.app.runs.ledger.runs import new

PROCESSES, KEYS = 4, 10

START = """
import sys
from pathlib import Path
from app.runs.ledger.database import Database, LedgerUnavailable
from app.runs.ledger.runs import RunTable
from tests.app.runs.ledger.runs import new

database = Database(sys.argv[1], Path())
sys.stdin.read(1)  # so that all begin together
for key in range(int(sys.argv[2])):
    print(RunTable(database).start(new(key=str(key))).id)
"""


@pytest.mark.slow
def test_processes_that_start_the_same_runs_at_once_start_each_once(url: str, database: Database):
    """They also make the tables at the same moment."""
    command = [sys.executable, "-c", START, url, str(KEYS)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(PROCESSES)]
    for process in processes:
        assert process.stdin
        process.stdin.write(b"\n")
        process.stdin.flush()
    answers = {process.communicate()[0] for process in processes}
    assert [process.returncode for process in processes] == [0] * PROCESSES
    (ids,) = answers
    assert len(set(ids.split())) == KEYS
    assert sorted(run.key for run in RunTable(database).list("r" * 32)) == sorted(map(str, range(KEYS)))


def test_a_run_is_of_its_repo_target_kind_and_key(database: Database):
    table = RunTable(database)
    runs = [table.start(new(**{field: "x"})) for field in ("repo", "target", "kind", "key")]
    assert len({run.id for run in [*runs, table.start(new())]}) == 5
    assert table.find("r" * 32, "a", "rollout", "x") == runs[3]
    assert table.find("r" * 32, "a", "rollout", "y") is None
    assert table.latest("r" * 32, "a", "rollout") == table.start(new())
    assert [run.id for run in table.list("r" * 32)] == [5, 4, 3, 2]
    assert [run.id for run in table.list("r" * 32, "a", before=5, limit=1)] == [4]


def test_a_run_that_goes_on_heeds_what_is_not_in_its_key(database: Database):
    table = RunTable(database)
    run = table.start(new())
    other = new(config={"max_concurrency": 2}, warnings=["It is slow."])
    assert table.start(other) == run  # it is not over
    table.cancel(run.id, "Cancelled by alice.")
    again = table.start(other)
    assert (again.id, again.config, again.warnings) == (run.id, other.config, other.warnings)


def test_what_rows_have_in_common_is_kept_whole(database: Database):
    table = RunTable(database)
    assert table.context(table.start(new()).id) == new().context


def test_a_rollout_does_not_start_on_a_stim_that_was_deleted(database: Database):
    table = RunTable(database)
    stim = table.start(new(kind="stim"))
    table.cancel(stim.id, "Cancelled by alice.")
    table.delete(stim.id)
    with pytest.raises(StimGone, match="start stim again"):
        table.start(new(stim=stim.id))
    assert table.list("r" * 32) == []


def test_a_ledger_of_a_newer_version_is_refused_with_what_to_do(url: str, database: Database, tmp_path: Path):
    run = RunTable(database).start(new())
    with database.begin() as connection:
        connection.execute(update(VERSION).values(version=CURRENT + 1))
    newer = Database(url, tmp_path)
    with pytest.raises(
        LedgerUnavailable, match=f"tables of version {CURRENT + 1}, and this Bakehouse knows .* {CURRENT}"
    ):
        RunTable(newer).start(new())
    newer.close()
    with database.begin() as connection:
        connection.execute(update(VERSION).values(version=CURRENT))
    assert RunTable(newer).start(new()) == run
    newer.close()


def test_a_driver_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    database = Database("postgresql://127.0.0.1/runs", tmp_path)
    with pytest.raises(LedgerUnavailable, match=r"pip install 'bakehouse\[postgres\]'"):
        RunTable(database).start(new())
