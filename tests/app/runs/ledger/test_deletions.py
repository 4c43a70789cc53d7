"""Runs are deleted in parts, at once for whoever reads, and whole in the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import func, select

from app.runs.ledger.database import Database, LedgerUnavailable
from app.runs.ledger.deletions import Deletions
from app.runs.ledger.leases import Batch, Leases
from app.runs.ledger.rows import Row, RowTable
from app.runs.ledger.runs import Run, RunTable, StimGone
from app.runs.ledger.tables import ROWS, RUNS
from app.runs.ledger.totals import totals
from tests.app.runs.ledger.runs import new

ROWS_OF_A_RUN = 11_000  # more than two parts


def failed(database: Database, **changes: Any) -> Run:
    """Return a run that failed with all its rows."""
    run = RunTable(database).start(new(total=ROWS_OF_A_RUN, **changes))
    lease = Leases(database, 600).take(run.id, "a")
    assert lease is not None
    rows = [Row(number // 2, number % 2, "{}") for number in range(ROWS_OF_A_RUN)]
    lease.write(Batch(rows, listed=len(rows), done=len(rows)))
    lease.fail("samples", "Too many samples failed.")
    return run


def left(database: Database) -> list[int]:
    """Return how many runs and rows the tables have."""
    with database.read() as connection:
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in (RUNS, ROWS)]


@contextmanager
def killed_after(database: Database, transactions: int) -> Iterator[list[int]]:
    """Have the ledger fail after some transactions that write; yield the number of rows before each."""
    begin, seen = database.begin, list[int]()

    @contextmanager
    def counted() -> Iterator[Any]:
        seen.append(left(database)[1])
        if len(seen) > transactions:
            raise LedgerUnavailable("killed")
        with begin() as connection:
            yield connection

    database.begin = counted  # type: ignore[method-assign]
    yield seen
    database.begin = begin  # type: ignore[method-assign]


def test_a_large_run_is_deleted_in_parts(database: Database):
    run, other = failed(database), failed(database, key="other")
    with killed_after(database, 100) as seen:
        Deletions(database).delete(run.id)
    assert [before - after for before, after in pairwise(seen)] == [0, 5000, 5000]
    assert left(database) == [1, ROWS_OF_A_RUN]
    assert len(RowTable(database).page(other.id, 2, 0, ROWS_OF_A_RUN)) == ROWS_OF_A_RUN


def test_a_run_whose_deletion_began_is_nowhere_and_is_deleted_later(database: Database):
    table, deletions = RunTable(database), Deletions(database)
    stim = failed(database, kind="stim")
    with killed_after(database, 2), pytest.raises(LedgerUnavailable):
        deletions.delete(stim.id)
    assert left(database) == [1, ROWS_OF_A_RUN - 5000]
    assert (table.get(stim.id), table.list(stim.repo), totals(database), deletions.repos()) == (None, [], [], set())
    assert table.find(stim.repo, stim.target, "stim", stim.key) is None
    with pytest.raises(StimGone):
        table.start(new(stim=stim.id))
    again = table.start(new(kind="stim"))
    assert again.id != stim.id
    deletions.finish()
    assert left(database) == [1, 0]
    assert table.get(again.id) == again


def test_all_runs_of_a_repo_are_deleted_with_those_that_stand_on_others(database: Database):
    stim = failed(database, kind="stim")
    failed(database, stim=stim.id)
    RunTable(database).start(new(key="goes on"))
    assert Deletions(database).forget(stim.repo) == (3, 2 * ROWS_OF_A_RUN)
    assert left(database) == [0, 0]
