"""Numbers about all runs of a ledger, for whoever watches a server."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from app.runs.ledger.database import Database
from app.runs.ledger.runs import RUNNING
from app.runs.ledger.tables import NO_REPO, RUNS

SUMS = ("done", "failed", "requests", "retries", "truncated", "empty", "tokens_in", "tokens_out")


@dataclass(frozen=True, slots=True)
class Totals:
    """The runs of one kind in one state: how many there are, and the sums of their counters by name."""

    kind: str
    state: str
    runs: int
    sums: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The runs that nobody carries out: how many, and for how many seconds the oldest is there."""

    runs: int
    oldest: float


def totals(database: Database) -> list[Totals]:
    """Return the numbers of each kind and state; LedgerUnavailable if the ledger cannot be read."""
    sums = [func.sum(RUNS.c[name]).label(name) for name in SUMS]
    wanted = (
        select(RUNS.c.kind, RUNS.c.state, func.count().label("runs"), *sums)
        .where(RUNS.c.repo != NO_REPO)
        .group_by(RUNS.c.kind, RUNS.c.state)
    )
    with database.read() as connection:
        return [
            Totals(row["kind"], row["state"], row["runs"], {name: int(row[name]) for name in SUMS})
            for row in connection.execute(wanted).mappings()
        ]


def waiting(database: Database) -> Waiting:
    """Return how many runs wait for a worker; LedgerUnavailable if the ledger cannot be read."""
    with database.read() as connection:
        now = database.now(connection)
        idle = (RUNS.c.state == RUNNING) & (RUNS.c.lease_until <= now)
        number, oldest = connection.execute(select(func.count(), func.min(RUNS.c.created)).where(idle)).one()
        return Waiting(number, 0.0 if oldest is None else max(0.0, now - oldest))
