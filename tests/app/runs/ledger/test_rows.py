"""Rows in the ledger: how long they are is known before they are read."""

from app.runs.ledger.database import Database
from app.runs.ledger.leases import Batch, Leases
from app.runs.ledger.rows import Row, RowTable
from app.runs.ledger.runs import RunTable
from tests.app.runs.ledger.runs import new


def test_the_lengths_of_rows_are_those_of_the_page(database: Database):
    run = RunTable(database).start(new())
    lease = Leases(database, 600).take(run.id, "a")
    assert lease is not None
    rows = [Row(0, 0, '"é"'), Row(0, 1, "{}", b"\0\xff!"), Row(1, 0, "[1,2]", b""), Row(1, 1, "{}", None, True)]
    lease.write(Batch(rows, listed=4, done=4, failed=1))
    table = RowTable(database)
    assert table.lengths(run.id, 2, 0, 6) == [3, 2, 5, 2]
    assert table.lengths(run.id, 2, 0, 6, bodies=True) == [3, 5, 5, 2]
    assert table.lengths(run.id, 2, 1, 2) == [len(row.text) for row in table.page(run.id, 2, 1, 2)] == [2, 5]
