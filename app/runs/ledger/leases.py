"""Leases: who carries out a run, and that nobody else writes to it.

A lease has a number, its fence. Each write of a worker checks, in the transaction that writes, that the run still has
this fence and that the lease has not run out. So a worker that was stopped for a while writes nothing after another
took the run.
"""

import logging
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, select, update

from app.runs.ledger.database import Database, LedgerUnavailable
from app.runs.ledger.lease_times import is_over
from app.runs.ledger.rows import Row, put_rows
from app.runs.ledger.runs import COMPLETE, FAILED, RUNNING
from app.runs.ledger.tables import RUNS

_RENEWALS = 3  # while a lease lasts
_LATEST = 1.0  # seconds until a worker notices that its run was cancelled

_log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Somebody else has the run, or it was cancelled or deleted, or the lease ran out: this worker must stop."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a worker writes in one transaction: rows, and what to add to the counters of the run.

    `listed` is the number of rows before the first that is missing, once the batch is written. The same batch can be
    written again: the second time changes nothing.
    """

    rows: Sequence[Row] = ()
    listed: int = 0
    done: int = 0
    failed: int = 0
    requests: int = 0
    retries: int = 0
    answers: int = 0
    truncated: int = 0
    empty: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    id: str = field(default_factory=lambda: secrets.token_hex(16), init=False)


_ADDED = ("done", "failed", "requests", "retries", "answers", "truncated", "empty", "tokens_in", "tokens_out")

# A worker executes these two for each few rows. To make such a statement takes longer than to execute it.
_RENEW = (
    update(RUNS)
    .where(RUNS.c.id == bindparam("run_id"), RUNS.c.fence == bindparam("mine"), RUNS.c.lease_until > bindparam("now"))
    .where(RUNS.c.state == RUNNING)
    .values(lease_until=bindparam("until"))
    .returning(RUNS.c.batch)
)
_ADD = (
    update(RUNS)
    .where(RUNS.c.id == bindparam("run_id"))
    .values({name: RUNS.c[name] + bindparam(f"more_{name}") for name in _ADDED})
    .values(listed=bindparam("now_listed"), batch=bindparam("now_batch"))
)


class Leases:
    """The leases of a ledger, each for `seconds`. Every method may raise LedgerUnavailable."""

    def __init__(self, database: Database, seconds: float) -> None:
        self._database = database
        self.seconds = seconds

    def take(self, run_id: int, holder: str) -> "Lease | None":
        """Take a run that nobody holds; None if somebody does, or if the run is over."""
        with self._database.begin() as connection:
            now = self._database.now(connection)
            free = (RUNS.c.id == run_id) & (RUNS.c.state == RUNNING) & is_over(now, self.seconds)
            name = f"{holder} {secrets.token_hex(4)}"  # a process has several threads that take runs
            taken = {"fence": RUNS.c.fence + 1, "holder": name, "lease_until": now + self.seconds}
            fence = connection.execute(update(RUNS).where(free).values(taken).returning(RUNS.c.fence)).scalar()
        return None if fence is None else Lease(self._database, run_id, fence, self.seconds, name)

    def held(self) -> dict[int, str]:
        """Return the ids of the runs that somebody carries out, each with the repo's owner."""
        with self._database.read() as connection:
            busy = (RUNS.c.state == RUNNING) & ~is_over(self._database.now(connection), self.seconds)
            found = connection.execute(select(RUNS.c.id, RUNS.c.place).where(busy))
            return {row.id: row.place.partition("/")[0] for row in found}


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to a run. Each write renews it for `seconds`; LeaseLost where it is over."""

    database: Database
    run_id: int
    fence: int
    seconds: float
    holder: str

    @property
    def pause(self) -> float:
        """The seconds after which a worker that has nothing to write renews the lease."""
        return min(_LATEST, self.seconds / _RENEWALS)

    def write(self, batch: Batch) -> None:
        """Write a batch, whole and durable or not at all.

        Where the connection breaks while the database commits, nobody knows whether it did: write the batch again.
        """
        with self.database.begin() as connection:
            if self._guard(connection) == batch.id:
                return
            if batch.rows:
                put_rows(connection, self.run_id, batch.rows)
            more = {f"more_{name}": getattr(batch, name) for name in _ADDED}
            now = {"run_id": self.run_id, "now_listed": batch.listed, "now_batch": batch.id}
            connection.execute(_ADD, more | now)

    def renew(self) -> None:
        """Renew the lease, where nothing is to be written to the run."""
        with self.database.begin() as connection:
            self._guard(connection)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renew the lease while a block lasts that writes nothing to the run; LeaseLost at its end if it was lost."""
        over = threading.Event()
        lost: list[LeaseLost] = []
        thread = threading.Thread(target=self._keep, args=(over, lost), name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            if lost:
                raise lost[0]

    def _keep(self, over: threading.Event, lost: list[LeaseLost]) -> None:
        while not over.wait(self.pause):
            try:
                self.renew()
            except LeaseLost as error:
                lost.append(error)
                return
            except LedgerUnavailable as error:
                _log.warning("Run %s: its lease could not be renewed: %s", self.run_id, error)

    def fail(self, error_type: str, error: str) -> None:
        """End the run: it failed, for a reason. Its rows stay."""
        told = error.encode(errors="backslashreplace").decode().replace("\0", "\\0")  # what PostgreSQL's text can be
        self._end({"state": FAILED, "error_type": error_type, "error": told})

    def complete(self, manifest_commit: str, rows_sha256: str) -> None:
        """End the run: all rows are there, and the manifest is in git."""
        self._end({"state": COMPLETE, "manifest_commit": manifest_commit, "rows_sha256": rows_sha256})

    def release(self, after: float = 0) -> None:
        """Leave the run to whoever is free, `after` some seconds."""
        with self.database.begin() as connection:
            self._guard(connection)
            until = self.database.now(connection) + after if after else 0
            values = {"holder": None, "lease_until": until, "fence": RUNS.c.fence + 1}
            connection.execute(update(RUNS).where(RUNS.c.id == self.run_id).values(values))

    def give_up(self) -> None:
        """Say that this worker, which lost the run, has stopped: whoever is free may take it now."""
        mine = (RUNS.c.id == self.run_id) & (RUNS.c.holder == self.holder)
        with self.database.begin() as connection:
            connection.execute(update(RUNS).where(mine).values(holder=None, lease_until=0))

    def _end(self, values: dict[str, str]) -> None:
        with self.database.begin() as connection:
            self._guard(connection)
            ended = {**values, "finished": self.database.now(connection), "holder": None, "lease_until": 0}
            connection.execute(update(RUNS).where(RUNS.c.id == self.run_id).values(ended))

    def _guard(self, connection: Connection) -> str | None:
        """Renew the lease, and keep others from the run until the transaction ends; LeaseLost if it is over.

        Return the id of the batch that was written last.
        """
        now = self.database.now(connection)
        values = {"run_id": self.run_id, "mine": self.fence, "now": now, "until": now + self.seconds}
        found = connection.execute(_RENEW, values).one_or_none()
        if found is None:
            raise LeaseLost(f"Run {self.run_id} is no longer this worker's.")
        last: str | None = found.batch
        return last
