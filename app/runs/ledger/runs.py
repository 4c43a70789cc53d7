"""The runs in the ledger: found, started, cancelled and deleted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.domain.manifests import Kind
from app.runs.ledger.database import Database
from app.runs.ledger.lease_times import LONGEST, is_over
from app.runs.ledger.rows import free_failed_rows
from app.runs.ledger.tables import NO_REPO, RUNS
from app.runs.recipe.turns import Waiting

RUNNING, COMPLETE, FAILED = "running", "complete", "failed"
CANCELLED, BUDGET = "cancelled", "budget"  # why a run failed, where something depends on it

_JSON = ("inputs", "config", "origin", "warnings")


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run to start. `total` is the number of its rows, `context` what all of them have in common."""

    repo: str
    place: str
    target: str
    kind: Kind
    key: str
    commit: str
    inputs: Mapping[str, Any]
    config: Mapping[str, Any]
    context: Mapping[str, Any]
    origin: Mapping[str, Any]
    total: int
    warnings: Sequence[str] = ()
    stim: int | None = None


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run as lists have it, without what may be long. Times are seconds since 1970."""

    id: int
    repo: str
    place: str
    target: str
    kind: Kind
    key: str
    commit: str
    stim: int | None
    inputs: Mapping[str, Any]
    origin: Mapping[str, Any]
    state: str
    error: str | None
    error_type: str | None
    total: int
    done: int
    listed: int
    failed: int
    requests: int
    retries: int
    answers: int
    truncated: int
    empty: int
    tokens_in: int
    tokens_out: int
    holder: str | None
    lease_until: float
    created: float
    finished: float | None
    manifest_commit: str | None
    rows_sha256: str | None

    @property
    def percent(self) -> float:
        """How many of its rows are there, 0 to 100 percent."""
        return 100.0 if self.state == COMPLETE else round(100 * self.done / max(self.total, 1), 2)

    @property
    def repeated_requests(self) -> int:
        """How many requests there were beside one for each row; of a stim, beside one for each answer."""
        return max(0, self.requests - (self.answers if self.stim is None else self.done))


@dataclass(frozen=True, slots=True)
class Run(ListedRun):
    """A run as the ledger has it, without its context."""

    config: Mapping[str, Any]
    warnings: Sequence[str]

    @property
    def width(self) -> int:
        """The number of rows a stimulus: of a rollout, its trajectories."""
        return 1 if self.stim is None else int(self.config["num_traj_per_stimulus"])


_COLUMNS = [RUNS.c[field.name] for field in fields(Run)]
_LISTED = [RUNS.c[field.name] for field in fields(ListedRun)]


class RunGone(Exception):
    """A run was deleted while it was read."""

    def __init__(self, run_id: int) -> None:
        super().__init__(f"Run {run_id} was deleted while it was read.")


class StimGone(Exception):
    """The stim run of a rollout was deleted while the rollout was about to start."""

    def __init__(self, target: str) -> None:
        super().__init__(f"The stim run of target {target!r} was deleted just now: start stim again.")


class RunTable:
    """The runs of a ledger. Every method may raise LedgerUnavailable, and then changed nothing."""

    def __init__(self, database: Database, lease: float = LONGEST) -> None:
        self._database, self._lease = database, lease

    def start(self, new: NewRun) -> Run:
        """Start a run, or return the one with its key. One that failed goes on: what it lacks is made.

        Its failed rows are asked for again, too. Nothing else has them asked for again, so that rows do not change
        while a run goes on. Raises StimGone where the stim run that a rollout would stand on was deleted meanwhile.
        """
        there = self.find(new.repo, new.target, new.kind, new.key)
        if there is not None and there.state != FAILED:
            return there  # nothing is to be written, so nobody's lock is waited for
        try:
            with self._database.begin() as connection:
                found = _one(connection, _of_key(new.repo, new.target, new.kind, new.key))
                if found is None:
                    return self._insert(connection, new)
                if found.state != FAILED:
                    return found
                again = {"state": RUNNING, "error": None, "error_type": None, "finished": None}
                again |= {name: json.dumps(getattr(new, name)) for name in ("config", "warnings")}  # not in the key
                connection.execute(update(RUNS).where(RUNS.c.id == found.id).values(again))
                if found.failed:
                    free_failed_rows(connection, found.id)
                return _expect(connection, found.id)
        except IntegrityError:
            return self.start(new)  # another process started it at the same time

    def _insert(self, connection: Connection, new: NewRun) -> Run:
        stim = select(RUNS.c.id).where(RUNS.c.id == new.stim, RUNS.c.repo == new.repo).with_for_update(read=True)
        if new.stim is not None and connection.execute(stim).scalar() is None:
            raise StimGone(new.target)
        values = {field.name: getattr(new, field.name) for field in fields(new)}
        values |= {name: json.dumps(values[name]) for name in (*_JSON, "context")}
        values |= {"state": RUNNING, "created": self._database.now(connection)}
        made = connection.execute(insert(RUNS).values(values).returning(RUNS.c.id)).scalar_one()
        return _expect(connection, made)

    def get(self, run_id: int) -> Run | None:
        """Return a run by its id."""
        with self._database.read() as connection:
            return _one(connection, select(*_COLUMNS).where(RUNS.c.id == run_id, RUNS.c.repo != NO_REPO))

    def find(self, repo: str, target: str, kind: Kind, key: str) -> Run | None:
        """Return the run of a target with a key."""
        with self._database.read() as connection:
            return _one(connection, _of_key(repo, target, kind, key))

    def latest(self, repo: str, target: str, kind: str) -> Run | None:
        """Return the run of a target that was started last."""
        wanted = select(*_COLUMNS).where(RUNS.c.repo == repo, RUNS.c.target == target, RUNS.c.kind == kind)
        with self._database.read() as connection:
            return _one(connection, wanted.order_by(RUNS.c.id.desc()).limit(1))

    def list(
        self, repo: str, target: str | None = None, *, before: int | None = None, limit: int = 100
    ) -> list[ListedRun]:
        """Return runs of a repo, or of one of its targets, newest first; `before` is the id of a run."""
        wanted = select(*_LISTED).where(RUNS.c.repo == repo)
        if target is not None:
            wanted = wanted.where(RUNS.c.target == target)
        if before is not None:
            wanted = wanted.where(RUNS.c.id < before)
        with self._database.read() as connection:
            rows = connection.execute(wanted.order_by(RUNS.c.id.desc()).limit(limit)).mappings()
            return [ListedRun(**_read(row)) for row in rows]

    def going_on(self, repo: str, target: str, kind: str) -> Sequence[int]:
        """Return the ids of the runs of a target that are not over."""
        of_target = (RUNS.c.repo == repo) & (RUNS.c.target == target) & (RUNS.c.kind == kind)
        with self._database.read() as connection:
            return [*connection.execute(select(RUNS.c.id).where(of_target, RUNS.c.state == RUNNING)).scalars()]

    def context(self, run_id: int) -> Mapping[str, Any]:
        """Return what all rows of a run have in common; RunGone where it was deleted."""
        with self._database.read() as connection:
            text = connection.execute(select(RUNS.c.context).where(RUNS.c.id == run_id)).scalar()
        if text is None:
            raise RunGone(run_id)
        found: Mapping[str, Any] = json.loads(text)
        return found

    def cancel(self, run_id: int, reason: str) -> bool:
        """End a run that is not over; its worker writes nothing more. Return whether it was not over.

        Nobody takes the run until that worker has stopped, or its lease is over.
        """
        with self._database.begin() as connection:
            ended = {
                "state": FAILED,
                "error": reason,
                "error_type": CANCELLED,
                "finished": self._database.now(connection),
                "fence": RUNS.c.fence + 1,
            }
            running = (RUNS.c.id == run_id) & (RUNS.c.state == RUNNING)
            return connection.execute(update(RUNS).where(running).values(ended)).rowcount == 1

    def waiting(self) -> Sequence[Waiting]:
        """Return the runs that are not over and that nobody carries out, oldest first."""
        with self._database.read() as connection:
            idle = (RUNS.c.state == RUNNING) & is_over(self._database.now(connection), self._lease)
            found = connection.execute(select(RUNS.c.id, RUNS.c.place, RUNS.c.fence).where(idle).order_by(RUNS.c.id))
            return [Waiting(row.id, row.place.partition("/")[0], row.fence) for row in found]


def _of_key(repo: str, target: str, kind: Kind, key: str) -> Select[Any]:
    of_target = (RUNS.c.repo == repo) & (RUNS.c.target == target)
    return select(*_COLUMNS).where(of_target & (RUNS.c.kind == kind) & (RUNS.c.key == key))


def _one(connection: Connection, wanted: Select[Any]) -> Run | None:
    row = connection.execute(wanted).mappings().one_or_none()
    return None if row is None else _run(row)


def _expect(connection: Connection, run_id: int) -> Run:
    return _run(connection.execute(select(*_COLUMNS).where(RUNS.c.id == run_id)).mappings().one())


def _run(row: RowMapping) -> Run:
    return Run(**_read(row))


def _read(row: RowMapping) -> dict[str, Any]:
    return {**row, **{name: json.loads(row[name]) for name in _JSON if name in row}}
