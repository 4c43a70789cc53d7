"""What a worker writes: counters say what the rows say, in whatever order rows come and whenever a worker ends."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.runs.failures import RunFailed
from app.runs.ledger.database import Database
from app.runs.ledger.leases import Batch, Lease, Leases
from app.runs.ledger.rows import Row, RowTable
from app.runs.ledger.runs import Run, RunTable
from app.runs.models.answers import Answer
from app.runs.recipe.progress import Progress
from app.runs.work.recorder import Recorder
from tests.app.runs.ledger.runs import new

WIDTH, STIMULI = 3, 4
TOTAL = WIDTH * STIMULI
ENDS = ("done", "fails", "stops", "killed", "killed late")

Records = list[tuple[int, bool]]  # positions, and whether the sample failed


class Killed(Exception):
    """The worker is gone."""


@dataclass(frozen=True)
class MortalLease(Lease):
    """A lease whose worker is killed at a write, before or after the database commits it."""

    writes: Iterator[int]
    last: int
    is_late: bool

    def write(self, batch: Batch) -> None:
        number = next(self.writes)
        if number > self.last or (number == self.last and not self.is_late):
            raise Killed
        super().write(batch)
        if number == self.last:
            raise Killed


@st.composite
def sessions(draw: st.DrawFn) -> tuple[Records, str, int]:
    """Return what a worker records, how it ends, and at which write it is killed if it is."""
    records = draw(st.lists(st.tuples(st.integers(0, TOTAL - 1), st.booleans()), max_size=10))
    unique = list({position: (position, is_failed) for position, is_failed in records}.values())
    return unique, draw(st.sampled_from(ENDS)), draw(st.integers(1, 5))


def progress_of(database: Database, run: Run) -> Progress:
    progress = Progress(TOTAL)
    for row in RowTable(database).present(run.id):
        progress.mark(row.stimulus * WIDTH + row.trajectory, is_failed=row.is_failed, is_again=row.is_again)
    return progress


async def work(recorder: Recorder, records: Records, end: str) -> None:
    """Ask for samples, and record them, as a rollout does."""
    for position, is_failed in records:
        await recorder.count(is_retry=False)
        row = Row(*divmod(position, WIDTH), text=f'"{position}"', is_failed=is_failed)
        if not is_failed:
            recorder.count_answer(Answer({"content": "Yes.", "finish_reason": "stop"}, b"", position, 1))
        await recorder.record(row)
    if end == "fails":
        raise RunFailed("samples", "Too many samples failed.")
    if end == "stops":
        raise asyncio.CancelledError


def check(database: Database, run: Run) -> None:
    """Compare the counters of a run with its rows."""
    found = RunTable(database).get(run.id)
    assert found is not None
    rows = RowTable(database).page(run.id, WIDTH, 0, TOTAL)
    places = [row.stimulus * WIDTH + row.trajectory for row in rows]
    assert places == sorted(set(places))
    assert (found.done, found.failed) == (len(rows), sum(row.is_failed for row in rows))
    assert found.listed == next(position for position in count() if position not in places)
    answered = [place for place, row in zip(places, rows, strict=True) if not row.is_failed]
    assert (found.tokens_in, found.tokens_out) == (sum(answered), len(answered))
    assert found.requests >= len(rows)


def carry_out(database: Database, run: Run, records: Records, end: str, last: int) -> Records:
    """Take a run and record what it lacks of some samples; return these."""
    lease = Leases(database, 600).take(run.id, "a")
    assert lease is not None
    progress = progress_of(database, run)
    wanted = set(progress.wanted())
    records = [record for record in records if record[0] in wanted]
    if end.startswith("killed"):
        lease = MortalLease(
            database, run.id, lease.fence, lease.seconds, lease.holder, count(1), last, end == "killed late"
        )
    recorder = Recorder(lease, progress, WIDTH)
    try:
        asyncio.run(recorder.run(lambda: work(recorder, records, end)))
    except (RunFailed, Killed, asyncio.CancelledError):
        assert end != "done"
    with database.begin() as connection:  # the lease of a worker that was killed runs out
        connection.exec_driver_sql("UPDATE runs SET lease_until = 0")
    return records


_keys = count()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(sessions(), max_size=6))
def test_counters_say_what_the_rows_say(tmp_path: Path, told: list[tuple[Records, str, int]]):
    database = Database(None, tmp_path)
    run = RunTable(database).start(new(key=str(next(_keys)), total=TOTAL))
    for records, end, last in told:
        before = RowTable(database).page(run.id, WIDTH, 0, TOTAL)
        recorded = carry_out(database, run, records, end, last)
        check(database, run)
        after = RowTable(database).page(run.id, WIDTH, 0, TOTAL)
        assert {row for row in before if not row.is_failed} <= set(after)
        if not end.startswith("killed"):  # nothing that was paid for is dropped
            assert set(recorded) <= {(row.stimulus * WIDTH + row.trajectory, row.is_failed) for row in after}
    database.close()
