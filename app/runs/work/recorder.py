"""What a worker writes to the ledger while it carries out a run: many rows and counts in one transaction."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from app.runs.failures import Stopped
from app.runs.ledger.database import LedgerUnavailable
from app.runs.ledger.leases import Batch, Lease
from app.runs.ledger.rows import Row
from app.runs.models.answers import Answer
from app.runs.recipe.progress import Progress

_MOST_WAITING = 500  # rows that wait to be written, after which samples wait
_MOST_BYTES = 16 * 1024 * 1024  # of such rows: answers may be long
_GATHER = 0.005  # seconds until a write begins: more samples share it, and a row takes 0.9 of the processor time
_PAUSE = 0.5  # seconds until a ledger that cannot be written is tried again

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(slots=True)
class _Pending:
    rows: list[Row] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    written: list[asyncio.Future[None]] = field(default_factory=list)
    size: int = 0  # of the rows, in characters and in bytes of the endpoint's answers

    def add_row(self, row: Row) -> None:
        self.rows.append(row)
        self.size += len(row.text) + len(row.body or b"")

    def is_full(self) -> bool:
        return len(self.rows) >= _MOST_WAITING or self.size >= _MOST_BYTES

    def add(self, **counts: int) -> None:
        for name, number in counts.items():
            self.counts[name] = self.counts.get(name, 0) + number


class Recorder:
    """Writes for one run. While a transaction is going on, what comes in meanwhile waits for the next."""

    def __init__(
        self, lease: Lease, progress: Progress, width: int = 1, is_stopping: Callable[[], bool] = lambda: False
    ) -> None:
        """Write with a lease; `progress` knows the rows that are there, `width` is the trajectories a stimulus.

        `is_stopping` tells whether the worker is to stop.
        """
        self._lease = lease
        self._progress = progress
        self._width = width
        self._is_stopping = is_stopping
        self._pending = _Pending()
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._is_over = False
        self._thread = ThreadPoolExecutor(1, "ledger")
        self._valid_until = time.monotonic() + lease.seconds

    async def count(self, is_retry: bool) -> None:
        """Count a request that is about to be sent, and return once the count is durable.

        Stopped where the worker is to stop: then nothing more is sent, while answers that are out are recorded.
        """
        if self._is_stopping():
            raise Stopped
        self._pending.add(requests=1, retries=int(is_retry))
        await self._written()

    async def record(self, row: Row) -> None:
        """Record a row soon; return at once, or when few enough rows wait."""
        self._pending.add_row(row)
        self._wake.set()
        if self._pending.is_full():
            self._room.clear()
            await self._room.wait()

    def count_answer(self, answer: Answer) -> None:
        """Count an answer, together with the rows that are recorded of it without a wait."""
        self._pending.add(answers=1, truncated=int(answer.is_truncated), empty=int(answer.is_empty))
        self._pending.add(tokens_in=answer.tokens_in, tokens_out=answer.tokens_out)
        self._wake.set()

    async def flush(self) -> None:
        """Return once all that was recorded is durable."""
        await self._written()

    async def read(self, read: Callable[[], T]) -> T:
        """Return what a function reads from the ledger, which is tried again for as long as a lease lasts."""
        return await self._insist(read, time.monotonic() + self._lease.seconds)

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do some work, and write what it records, until both are over: also what came before the work failed.

        Raises what the work raises; LeaseLost as soon as the run is no longer this worker's; LedgerUnavailable where
        the ledger could not be written for as long as the lease lasts.
        """
        working = asyncio.ensure_future(work())
        writing = asyncio.create_task(self._keep_writing())
        try:
            await asyncio.wait((working, writing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            self._is_over = True
            self._wake.set()
            try:
                await writing
            finally:
                self._thread.shutdown(wait=True)
        working.result()

    async def _written(self) -> None:
        done = asyncio.get_running_loop().create_future()
        self._pending.written.append(done)
        self._wake.set()
        await done

    async def _keep_writing(self) -> None:
        is_over = False
        while not is_over:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._lease.pause):
                    await self._wake.wait()
            await asyncio.sleep(_GATHER)
            self._wake.clear()
            is_over = self._is_over
            pending, self._pending = self._pending, _Pending()
            self._room.set()
            await self._write(self._batch(pending))
            for future in pending.written:
                if not future.done():
                    future.set_result(None)

    def _batch(self, pending: _Pending) -> Batch:
        done = failed = 0
        for row in pending.rows:
            position = row.stimulus * self._width + row.trajectory
            more, more_failed = self._progress.mark(position, is_failed=row.is_failed)
            done, failed = done + more, failed + more_failed
        return Batch(pending.rows, self._progress.listed, done, failed, **pending.counts)

    async def _write(self, batch: Batch) -> None:
        """Write a batch, again and again while the ledger cannot be written and the lease lasts."""

        def write() -> float:
            started = time.monotonic()
            self._lease.write(batch)
            return started

        self._valid_until = await self._insist(write, self._valid_until, self._thread) + self._lease.seconds

    async def _insist(self, use: Callable[[], T], until: float, executor: ThreadPoolExecutor | None = None) -> T:
        """Use the ledger in a thread, again and again while it is away; LedgerUnavailable after `until`."""
        while True:
            try:
                return await asyncio.get_running_loop().run_in_executor(executor, use)
            except LedgerUnavailable as error:
                if time.monotonic() > until:
                    raise
                _log.warning("Run %s waits: %s", self._lease.run_id, error)
                await asyncio.sleep(_PAUSE)
