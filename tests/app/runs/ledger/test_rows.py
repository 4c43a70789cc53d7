"""Rows in the ledger: one stays unless it failed and its run was started again; its length is known unread."""

from typing import Any

from app.runs.ledger.database import Database
from app.runs.ledger.leases import Batch, Lease, Leases
from app.runs.ledger.rows import Row, RowTable, Seen, Wanted
from app.runs.ledger.runs import Run, RunTable
from tests.app.runs.ledger.runs import new

ANSWERED, LOST = Row(0, 0, "answered", b"body"), Row(0, 1, "lost", is_failed=True)


def take(database: Database, run: Run) -> Lease:
    lease = Leases(database, 600).take(run.id, "a")
    assert lease is not None
    return lease


def begin(database: Database) -> tuple[Run, Lease]:
    """Start a run with a row that is answered and one that failed."""
    run = RunTable(database).start(new())
    lease = take(database, run)
    lease.write(Batch([ANSWERED, LOST], 2, done=2, failed=1))
    return run, lease


def texts(database: Database, run: Run) -> list[str]:
    return [row.text for row in RowTable(database).page(run.id, 2, 0, run.total)]


def again(database: Database, run: Run) -> list[tuple[int, int]]:
    """Return the places of the rows that are to be asked for again."""
    return [(row.stimulus, row.trajectory) for row in RowTable(database).present(run.id) if row.is_again]


def test_another_worker_changes_no_row_and_asks_for_none_again(database: Database):
    run, lease = begin(database)
    lease.release()
    assert again(database, run) == []
    take(database, run).write(Batch([Row(0, 0, "other"), Row(0, 1, "other"), Row(1, 0, "new")], 3, done=1))
    assert texts(database, run) == ["answered", "lost", "new"]


def test_a_start_of_a_run_that_goes_on_or_is_complete_frees_no_row(database: Database):
    run, lease = begin(database)
    RunTable(database).start(new())
    assert again(database, run) == []
    lease.complete("c" * 40, "d" * 64)
    RunTable(database).start(new())
    assert again(database, run) == []


def test_a_start_of_a_run_that_failed_frees_its_failed_rows_once(database: Database):
    run, lease = begin(database)
    other = RunTable(database).start(new(key="other"))
    take(database, other).write(Batch([LOST], 0, done=1, failed=1))
    lease.fail("samples", "Too many samples failed.")
    assert again(database, run) == []
    RunTable(database).start(new())
    assert (again(database, run), again(database, other)) == ([(0, 1)], [])
    assert texts(database, run) == ["answered", "lost"]
    lease = take(database, run)
    lease.write(Batch([Row(0, 0, "other"), Row(0, 1, "lost again", is_failed=True)], 2))
    assert (texts(database, run), again(database, run)) == (["answered", "lost again"], [])
    lease.write(Batch([Row(0, 1, "late")], 2))
    assert texts(database, run) == ["answered", "lost again"]


def test_rows_that_are_there_are_told_from_a_stimulus_on(database: Database):
    run, lease = begin(database)
    lease.write(Batch([Row(2, 1, "{}")], 2, done=1))
    assert list(RowTable(database).present(run.id)) == [
        (0, 0, False, False),
        (0, 1, True, False),
        (2, 1, False, False),
    ]
    assert list(RowTable(database).present(run.id, 1)) == [(2, 1, False, False)]


def test_the_lengths_of_rows_are_those_of_the_page(database: Database):
    run = RunTable(database).start(new())
    rows = [Row(0, 0, '"é"'), Row(0, 1, "{}", b"\0\xff!"), Row(1, 0, "[1,2]", b""), Row(1, 1, "{}", None, True)]
    take(database, run).write(Batch(rows, listed=4, done=4, failed=1))
    table = RowTable(database)
    assert table.lengths(run.id, 2, 0, 6) == [3, 2, 5, 2]
    assert table.lengths(run.id, 2, 0, 6, bodies=True) == [3, 5, 5, 2]
    assert table.lengths(run.id, 2, 1, 2) == [len(row.text) for row in table.page(run.id, 2, 1, 2)] == [2, 5]


def test_the_ledger_finds_rows_by_texts_as_they_are(database: Database):
    stim = RunTable(database).start(new(key="stim"))
    asked = ['{"question":"50% of BREAD?"}', '{"question":"500_ of rye?"}']
    take(database, stim).write(Batch([Row(number, 0, text) for number, text in enumerate(asked)], 2))
    run = RunTable(database).start(new(stim=stim.id))
    rows = [Row(0, 0, "Yes"), Row(0, 1, "no bread", is_failed=True), Row(1, 0, "a/b"), Row(1, 1, "yes_")]
    take(database, run).write(Batch(rows, 4))

    def found(**wanted: Any) -> list[int]:
        seen = RowTable(database).look(run.id, 2, Wanted(**wanted), 0, 4)
        assert [(each.position, each.size) for each in seen] == [(0, 3), (1, 8), (2, 3), (3, 4)]
        return [each.position for each in seen if each.is_candidate]

    assert found() == [0, 1, 2, 3]
    assert found(either="YES") == [0, 3]
    assert found(either="bread") == [1]
    assert found(either="bread", stim=stim.id) == [0, 1]
    assert found(either="0%", stim=stim.id) == [0, 1]
    assert found(either="0_", stim=stim.id) == [2, 3]
    assert found(either="a/b") == [2]
    assert found(own="yes_") == [3]
    assert found(is_failed=True) == [1]
    assert found(is_failed=True, either="yes") == []
    assert RowTable(database).look(run.id, 2, Wanted(), 3, 1) == [Seen(3, 4, True)]
