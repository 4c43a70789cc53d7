"""What a worker records is written in groups, in order, and also where its work ends early."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from app.runs.ledger.database import Database, LedgerUnavailable
from app.runs.ledger.leases import Batch, Lease, LeaseLost, Leases
from app.runs.ledger.rows import Row, RowTable
from app.runs.ledger.runs import NewRun, Run, RunTable
from app.runs.models.answers import Answer
from app.runs.recipe.progress import Progress
from app.runs.work.recorder import Recorder

TOTAL = 40
ANSWER = Answer({"content": "Yes.", "finish_reason": "stop"}, b"", tokens_in=2, tokens_out=3)


class Watched(Lease):
    """A lease that notes what is written, and fails as it is told."""

    batches: list[Batch]
    failures: list[Exception]

    def write(self, batch: Batch) -> None:
        if self.failures:
            raise self.failures.pop(0)
        super().write(batch)
        self.batches.append(batch)


class Ledger:
    def __init__(self, folder: Path) -> None:
        self.database = Database(None, folder)
        self.table = RunTable(self.database)
        new = NewRun("r" * 32, "a/b", "t", "rollout", "k" * 64, "c" * 40, {}, {}, {}, {}, TOTAL)
        self.id = self.table.start(new).id
        lease = Leases(self.database, 1).take(self.id, "me")
        assert lease is not None
        self.lease = Watched(lease.database, lease.run_id, lease.fence, lease.seconds, lease.holder)
        object.__setattr__(self.lease, "batches", [])
        object.__setattr__(self.lease, "failures", [])

    @property
    def run(self) -> Run:
        run = self.table.get(self.id)
        assert run is not None
        return run

    def rows(self) -> list[int]:
        return [row.stimulus for row in RowTable(self.database).page(self.id, 1, 0, TOTAL)]

    def record(self, work: Callable[[Recorder], Awaitable[None]]) -> None:
        async def run() -> None:
            recorder = Recorder(self.lease, Progress(TOTAL))
            await recorder.run(lambda: work(recorder))

        asyncio.run(run())


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


async def sample(recorder: Recorder, number: int) -> None:
    await recorder.count(False)
    recorder.count_answer(ANSWER)
    await recorder.record(Row(number, 0, "{}"))


async def all_samples(recorder: Recorder) -> None:
    await asyncio.gather(*(sample(recorder, number) for number in range(TOTAL)))


def test_many_samples_are_few_transactions_and_the_counters_fit_the_rows(ledger: Ledger):
    ledger.record(all_samples)
    assert ledger.rows() == list(range(TOTAL))
    run = ledger.run
    assert (run.done, run.listed, run.requests, run.tokens_in, run.tokens_out) == (TOTAL, TOTAL, TOTAL, 80, 120)
    assert len(ledger.lease.batches) <= 4


def test_samples_wait_where_many_bytes_are_to_be_written(ledger: Ledger):
    megabyte = b" " * 2**20

    async def work(recorder: Recorder) -> None:
        for number in range(TOTAL):
            await recorder.record(Row(number, 0, "{}", megabyte))

    ledger.record(work)
    assert ledger.rows() == list(range(TOTAL))
    assert [len(batch.rows) for batch in ledger.lease.batches if batch.rows] == [16, 16, 8]


def test_a_request_is_counted_before_it_may_be_sent(ledger: Ledger):
    async def work(recorder: Recorder) -> None:
        for number in range(3):
            await recorder.count(number > 0)
            assert (ledger.run.requests, ledger.run.retries) == (number + 1, number)

    ledger.record(work)


def test_rows_before_a_gap_are_listed(ledger: Ledger):
    async def work(recorder: Recorder) -> None:
        for number in (0, 1, 3, 2):
            await sample(recorder, number)
            await recorder.flush()
            listed.append(ledger.run.listed)

    listed: list[int] = []
    ledger.record(work)
    assert listed == [1, 2, 2, 4]


def test_work_that_fails_leaves_its_rows(ledger: Ledger):
    async def work(recorder: Recorder) -> None:
        await sample(recorder, 0)
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        ledger.record(work)
    assert ledger.rows() == [0]


def test_work_that_is_cancelled_leaves_its_rows(ledger: Ledger):
    async def run() -> None:
        recorder = Recorder(ledger.lease, Progress(TOTAL))
        began = asyncio.Event()

        async def work() -> None:
            await sample(recorder, 0)
            began.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(recorder.run(work))
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert ledger.rows() == [0]


def test_a_lost_lease_ends_the_work_at_once(ledger: Ledger):
    async def work(recorder: Recorder) -> None:
        await sample(recorder, 0)
        await recorder.flush()
        ledger.table.cancel(ledger.id, "Cancelled by alice.")
        await sample(recorder, 1)
        pytest.fail("the request would be sent")

    with pytest.raises(LeaseLost):
        ledger.record(work)
    assert ledger.rows() == [0]
    assert ledger.run.requests == 1


def test_a_ledger_that_comes_back_gets_everything(ledger: Ledger):
    ledger.lease.failures.append(LedgerUnavailable("the disk is full"))
    ledger.record(all_samples)
    assert ledger.run.done == TOTAL


def test_a_ledger_that_stays_away_ends_the_work(ledger: Ledger):
    ledger.lease.failures.extend([LedgerUnavailable("the disk is full")] * 100)
    with pytest.raises(LedgerUnavailable):
        ledger.record(all_samples)
    assert ledger.rows() == []


def test_a_lease_is_renewed_while_nothing_is_recorded(ledger: Ledger):
    async def work(recorder: Recorder) -> None:
        await asyncio.sleep(2 * ledger.lease.seconds)
        await sample(recorder, 0)

    ledger.record(work)
    assert ledger.rows() == [0]


def test_a_read_is_tried_again_while_the_ledger_is_away(ledger: Ledger):
    tries: list[Exception | None] = [LedgerUnavailable("the server restarts"), None]

    def read() -> str:
        if error := tries.pop(0):
            raise error
        return "read"

    async def work(recorder: Recorder) -> None:
        assert await recorder.read(read) == "read"

    ledger.record(work)
    assert tries == []


def test_a_read_is_given_up_after_as_long_as_a_lease_lasts(ledger: Ledger):
    def read() -> None:
        raise LedgerUnavailable("the server is gone")

    with pytest.raises(LedgerUnavailable):
        ledger.record(lambda recorder: recorder.read(read))
