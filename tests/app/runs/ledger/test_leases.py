"""Leases: one worker at a time writes to a run, and one that lost it writes nothing."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app.runs.ledger.database import Database, LedgerUnavailable
from app.runs.ledger.leases import Batch, Lease, LeaseLost, Leases
from app.runs.ledger.rows import Row, RowTable
from app.runs.ledger.runs import COMPLETE, FAILED, RUNNING, InUse, Run, RunTable
from app.runs.ledger.tables import RUNS
from tests.app.runs.ledger.runs import new
from tests.seams import set_clock, wait_until

LONG, SHORT = 600, 0.05  # seconds of a lease


def sqlite_with(folder: Path, seconds: float) -> tuple[Database, Leases, RunTable]:
    """Return a ledger in a file, which has its time from this process, and its leases of some seconds."""
    database = Database(None, folder)
    return database, Leases(database, seconds), RunTable(database, seconds)


def start(database: Database, **changes: object) -> Run:
    return RunTable(database).start(new(**changes))


def take(database: Database, run: Run, seconds: float = LONG, holder: str = "a") -> Lease:
    lease = Leases(database, seconds).take(run.id, holder)
    assert lease is not None
    return lease


def get(database: Database, run: Run) -> Run:
    found = RunTable(database).get(run.id)
    assert found is not None
    return found


def rows(database: Database, run: Run) -> list[Row]:
    return RowTable(database).page(run.id, 2, 0, run.total)


def one(text: str = "{}", stimulus: int = 0) -> Batch:
    """Return a batch of one row."""
    return Batch([Row(stimulus, 0, text)], listed=stimulus + 1, done=1)


def test_a_run_has_one_holder_until_its_lease_is_over(database: Database):
    run = start(database)
    lease = take(database, run, SHORT)
    assert get(database, run).holder == lease.holder
    assert lease.holder.startswith("a ")
    wait_until(lambda: Leases(database, LONG).take(run.id, "a") is not None)
    taken = get(database, run)
    assert taken.holder != lease.holder
    lease.give_up()  # which it has no more
    assert get(database, run) == taken
    assert Leases(database, LONG).take(run.id, "c") is None
    with pytest.raises(LeaseLost):
        lease.write(one())
    assert rows(database, run) == []


def test_a_holder_past_its_lease_writes_nothing_even_where_nobody_took_the_run(database: Database):
    run = start(database)
    lease = take(database, run)
    lease.write(one())
    with database.begin() as connection:  # as after a pause of the process
        connection.execute(update(RUNS).values(lease_until=database.now(connection) - SHORT))
    for write in (
        lambda: lease.write(one("late", 1)),
        lambda: lease.fail("samples", "late"),
        lambda: lease.complete("c" * 40, "d" * 64),
        lease.release,
    ):
        with pytest.raises(LeaseLost):
            write()
    found = get(database, run)
    assert (found.state, found.done, found.error, found.rows_sha256) == (RUNNING, 1, None, None)
    assert [row.text for row in rows(database, run)] == ["{}"]


def test_each_write_renews_the_lease(database: Database):
    run = start(database)
    lease = take(database, run, LONG)
    before = get(database, run).lease_until
    time.sleep(SHORT)
    lease.write(Batch())
    assert get(database, run).lease_until >= before + SHORT


def end_by_cancel(database: Database, run: Run, _: Lease) -> None:
    assert RunTable(database).cancel(run.id, "Cancelled by alice.")


def end_by_failing(_: Database, __: Run, lease: Lease) -> None:
    lease.fail("samples", "Too many samples failed.")


def end_by_completing(_: Database, __: Run, lease: Lease) -> None:
    lease.complete("c" * 40, "d" * 64)


def end_by_releasing(_: Database, __: Run, lease: Lease) -> None:
    lease.release()


def end_by_delete(database: Database, run: Run, _: Lease) -> None:
    RunTable(database).cancel(run.id, "Cancelled by alice.")
    RunTable(database).delete(run.id)


@pytest.mark.parametrize("end", [end_by_cancel, end_by_failing, end_by_completing, end_by_releasing, end_by_delete])
def test_nothing_is_written_to_a_run_that_was_given_up(database: Database, end: Callable[[Database, Run, Lease], None]):
    run = start(database)
    lease = take(database, run)
    end(database, run, lease)
    before = RunTable(database).get(run.id)
    with pytest.raises(LeaseLost):
        lease.write(one())
    with pytest.raises(LeaseLost):
        lease.complete("e" * 40, "f" * 64)
    assert RunTable(database).get(run.id) == before
    assert rows(database, run) == []


def test_a_run_that_goes_on_is_not_open_to_its_former_holder(database: Database):
    run = start(database)
    lease = take(database, run)
    RunTable(database).cancel(run.id, "Cancelled by alice.")
    assert Leases(database, LONG).take(run.id, "b") is None
    assert start(database).id == run.id
    with pytest.raises(LeaseLost):
        lease.write(one("of the former holder"))
    assert Leases(database, LONG).take(run.id, "b") is None  # requests of the former holder may be out
    lease.give_up()
    take(database, run, holder="b").write(one("of b"))
    with pytest.raises(LeaseLost):
        lease.write(one("of the former holder", 1))
    assert [row.text for row in rows(database, run)] == ["of b"]


def test_a_cancelled_run_whose_holder_is_gone_is_free_when_the_lease_is_over(database: Database):
    run = start(database)
    take(database, run, SHORT)
    RunTable(database).cancel(run.id, "Cancelled by alice.")
    start(database)
    wait_until(lambda: Leases(database, LONG).take(run.id, "b") is not None)


def test_a_lease_that_is_released_for_later_is_free_then(database: Database):
    run = start(database)
    take(database, run).release(SHORT)
    assert get(database, run).lease_until > 0
    wait_until(lambda: Leases(database, LONG).take(run.id, "b") is not None)


def test_only_runs_that_nobody_carries_out_wait(database: Database):
    held, free, over = start(database), start(database, key="free"), start(database, key="over")
    take(database, held)
    take(database, over).fail("samples", "…")
    assert [run.id for run in RunTable(database).waiting()] == [free.id]
    assert Leases(database, LONG).held() == {held.id: held.place.partition("/")[0]}


@pytest.mark.parametrize("ahead", [2 * 3600, 10**7])
def test_a_clock_that_was_ahead_and_is_put_right_stops_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: float
):
    database, leases, table = sqlite_with(tmp_path, LONG)
    run, now = start(database), time.time()
    clock = set_clock(monkeypatch, now + ahead)
    dead = take(database, run)
    clock.now = now
    assert [waiting.id for waiting in table.waiting()] == [run.id]
    assert leases.held() == {}
    lease = leases.take(run.id, "b")
    assert lease is not None
    with pytest.raises(LeaseLost):
        dead.write(one())
    lease.write(one())
    assert leases.take(run.id, "c") is None
    database.close()


def test_a_clock_that_is_put_back_a_little_takes_no_run_from_its_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    database, leases, table = sqlite_with(tmp_path, LONG)
    run, now = start(database), time.time()
    clock = set_clock(monkeypatch, now)
    lease = take(database, run)
    clock.now = now - 59
    assert leases.take(run.id, "b") is None
    assert (list(table.waiting()), len(leases.held())) == ([], 1)
    lease.write(one())
    assert get(database, run).lease_until == clock.now + LONG
    database.close()


def test_the_clock_of_the_database_counts(postgresql: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A machine whose clock is hours ahead takes no run from another, and one that is behind keeps none."""
    database = Database(postgresql.make_database(), tmp_path)
    run = start(database)
    lease = take(database, run, LONG)
    set_clock(monkeypatch, time.time() + 10 * LONG)
    assert Leases(database, LONG).take(run.id, "ahead") is None
    lease.write(one())
    set_clock(monkeypatch, 0)
    assert Leases(database, LONG).take(run.id, "behind") is None
    lease.write(one(stimulus=1))
    assert run.created > 1_700_000_000
    database.close()


@contextmanager
def breaking(database: Database) -> Iterator[None]:
    """Let a transaction be committed, and its connection break before the caller hears of it."""
    begin = database.begin

    @contextmanager
    def begin_and_break() -> Iterator[Any]:
        with begin() as connection:
            yield connection
        raise LedgerUnavailable("the connection broke")

    database.begin = begin_and_break  # type: ignore[method-assign]
    yield
    database.begin = begin  # type: ignore[method-assign]


def test_a_batch_that_is_written_again_counts_once(database: Database):
    run = start(database)
    lease = take(database, run)
    batch = Batch([Row(0, 0, "{}", is_failed=True)], 1, done=1, failed=1, requests=3, retries=2, tokens_in=5)
    with breaking(database), pytest.raises(LedgerUnavailable):
        lease.write(batch)
    for _ in range(2):
        lease.write(batch)
    found = get(database, run)
    assert (found.done, found.failed, found.requests, found.retries, found.tokens_in) == (1, 1, 3, 2, 5)
    lease.write(Batch(requests=1))
    assert get(database, run).requests == 4


def test_a_run_that_is_not_over_or_that_a_rollout_stands_on_is_not_deleted(database: Database):
    table = RunTable(database)
    stim = start(database, kind="stim")
    rollout = start(database, stim=stim.id)
    for run in (stim, rollout):
        take(database, run).write(one())
        with pytest.raises(InUse, match="is not over"):
            table.delete(run.id)
        table.cancel(run.id, "Cancelled by alice.")
    with pytest.raises(InUse, match="A rollout stands on"):
        table.delete(stim.id)
    table.delete(rollout.id)
    assert rows(database, rollout) == []
    assert len(rows(database, stim)) == 1
    table.delete(stim.id)
    table.delete(stim.id)
    assert table.get(stim.id) is None
    assert start(database, kind="stim").id > rollout.id


def test_a_run_that_is_over_stays_as_it_is(database: Database):
    run = start(database)
    take(database, run).complete("c" * 40, "d" * 64)
    found = get(database, run)
    assert found.state == COMPLETE
    assert not RunTable(database).cancel(run.id, "Cancelled by alice.")
    assert start(database) == found
    assert Leases(database, LONG).take(run.id, "b") is None


def test_a_failed_run_goes_on_with_its_rows(database: Database):
    run = start(database)
    lease = take(database, run)
    lease.write(Batch([Row(0, 0, "{}"), Row(0, 1, "failed", is_failed=True)], 2, done=2, failed=1, requests=7))
    lease.fail("samples", "Too many samples failed.")
    failed = get(database, run)
    assert (failed.state, failed.error, failed.error_type) == (FAILED, "Too many samples failed.", "samples")
    again = start(database)
    assert (again.id, again.state, again.error, again.done, again.requests) == (run.id, RUNNING, None, 2, 7)
    take(database, again).write(Batch([Row(0, 0, "other"), Row(0, 1, "mended")], 2, failed=-1))
    assert [(row.text, row.is_failed) for row in rows(database, run)] == [("{}", False), ("mended", False)]


def test_a_reason_may_hold_any_characters(database: Database):
    run = start(database)
    take(database, run).fail("endpoint", "The endpoint said: \ud83d\0é")
    assert get(database, run).error == "The endpoint said: \\ud83d\\0é"


@pytest.mark.slow
def test_a_lease_is_kept_while_nothing_is_written(database: Database):
    run = start(database)
    lease = take(database, run, 2)
    with lease.kept():
        time.sleep(3)
    lease.write(one())
    RunTable(database).cancel(run.id, "Cancelled by alice.")
    with pytest.raises(LeaseLost), lease.kept():
        time.sleep(1)
