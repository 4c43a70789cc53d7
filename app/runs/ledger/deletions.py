"""Runs deleted with their rows: at once for whoever reads, and in parts, so that nobody waits long for the ledger."""

import time

from sqlalchemy import ColumnElement, Connection, Text, cast, delete, exists, func, select, tuple_, update

from app.runs.ledger.database import Database
from app.runs.ledger.runs import FAILED, RUNNING
from app.runs.ledger.tables import NO_REPO, ROWS, RUNS

_PART = 5000  # rows of a transaction
_GAP = 0.02  # seconds between two: SQLite lets others write only then


class InUse(Exception):
    """A run cannot be deleted: it is not over, or a rollout stands on it."""


class Deletions:
    """The deletion of runs. Every method may raise LedgerUnavailable; what was begun then is left to `finish`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def delete(self, run_id: int) -> None:
        """Delete a run and its rows. InUse while it is not over, or while a rollout stands on it."""
        with self._database.begin() as connection:
            found = select(RUNS.c.state, RUNS.c.key).where(RUNS.c.id == run_id, RUNS.c.repo != NO_REPO)
            run = connection.execute(found.with_for_update()).one_or_none()
            if run is None:
                return
            if run.state == RUNNING:
                raise InUse(f"Run {run.key} is not over: cancel it first.")
            if connection.execute(select(exists().where(RUNS.c.stim == run_id))).scalar():
                raise InUse(f"A rollout stands on run {run.key}: delete the rollout first.")
            _mark(connection, RUNS.c.id == run_id)
        self.finish()

    def repos(self) -> set[str]:
        """Return the identities of all repos that have runs."""
        with self._database.read() as connection:
            return set(connection.execute(select(RUNS.c.repo).where(RUNS.c.repo != NO_REPO).distinct()).scalars())

    def forget(self, repo: str) -> tuple[int, int]:
        """Delete all runs of a repo, also those that go on; return how many runs and rows there were."""
        with self._database.begin() as connection:
            mine = RUNS.c.repo == repo
            in_mine = ROWS.c.run.in_(select(RUNS.c.id).where(mine))
            rows = connection.execute(select(func.count()).select_from(ROWS).where(in_mine)).scalar_one()
            runs = _mark(connection, mine)
        self.finish()
        return runs, rows

    def finish(self) -> None:
        """Delete what is left of runs whose deletion began, here or in a process that was killed meanwhile."""
        with self._database.read() as connection:
            begun = [*connection.execute(select(RUNS.c.id).where(RUNS.c.repo == NO_REPO)).scalars()]
        for run_id in begun:
            while self._delete_part(run_id):
                time.sleep(_GAP)

    def _delete_part(self, run_id: int) -> bool:
        """Delete some rows of a run, or the run where none are left; return whether there may be more."""
        place, mine = (ROWS.c.stimulus, ROWS.c.trajectory), ROWS.c.run == run_id
        with self._database.begin() as connection:
            following = select(*place).where(mine).order_by(*place).offset(_PART).limit(1)
            end = connection.execute(following).one_or_none()
            if end is not None:
                connection.execute(delete(ROWS).where(mine, tuple_(*place) < (end.stimulus, end.trajectory)))
                return True
            connection.execute(delete(ROWS).where(mine))
            connection.execute(delete(RUNS).where(RUNS.c.id == run_id))
            return False


def _mark(connection: Connection, runs: ColumnElement[bool]) -> int:
    """Hide runs from all who read, and from their workers; return how many. Others may have their keys at once."""
    hidden = {
        "repo": NO_REPO,
        "target": cast(RUNS.c.id, Text),
        "stim": None,
        "state": FAILED,
        "fence": RUNS.c.fence + 1,
    }
    return connection.execute(update(RUNS).where(runs).values(hidden)).rowcount
