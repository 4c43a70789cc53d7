"""The rows in the ledger: of each run, one for a stimulus, or one for a stimulus and a trajectory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, func, select, true, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from app.runs.ledger.database import Database
from app.runs.ledger.tables import ROWS

_CHUNK = 1000  # rows that are read at a time


@dataclass(frozen=True, slots=True)
class Row:
    """A row: `text` is what is particular to it, as JSON; `body` the endpoint's answer as it came."""

    stimulus: int
    trajectory: int
    text: str
    body: bytes | None = None
    is_failed: bool = False


class Present(NamedTuple):
    """A row that is there. One that `is_again` failed, and is to be asked for again."""

    stimulus: int
    trajectory: int
    is_failed: bool
    is_again: bool


def _put(insert: Any) -> Any:
    """Return the statement that adds a row, in the words of a database."""
    added = insert(ROWS)
    replaced = {name: added.excluded[name] for name in ("row", "body", "failed", "again")}
    return added.on_conflict_do_update(
        index_elements=[ROWS.c.run, ROWS.c.stimulus, ROWS.c.trajectory], set_=replaced, where=ROWS.c.again
    )


_PUT = {"sqlite": _put(sqlite.insert), "postgresql": _put(postgresql.insert)}


def put_rows(connection: Connection, run_id: int, rows: Sequence[Row]) -> None:
    """Add rows to a run. A row that is there stays, unless it is to be asked for again."""
    values = [
        {
            "run": run_id,
            "stimulus": row.stimulus,
            "trajectory": row.trajectory,
            "row": row.text,
            "body": row.body,
            "failed": row.is_failed,
            "again": False,
        }
        for row in rows
    ]
    connection.execute(_PUT[connection.dialect.name], values)


def free_failed_rows(connection: Connection, run_id: int) -> None:
    """Have the failed rows of a run asked for again. They stay until others take their places."""
    failed = (ROWS.c.run == run_id) & ROWS.c.failed
    connection.execute(update(ROWS).where(failed).values(again=True))


class Seen(NamedTuple):
    """A row that was looked at: its position, its size in characters, and whether it may be one that is wanted."""

    position: int
    size: int
    is_candidate: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Rows that are looked for: failed ones alone, or those with texts in their JSON, in any case of A to Z.

    `own` is in the row itself; `either` there, or in the row of the run `stim` that the row answers.
    """

    own: str = ""
    either: str = ""
    stim: int | None = None
    is_failed: bool = False


class RowTable:
    """The rows of a ledger. Every method may raise LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, run_id: int, width: int, offset: int, limit: int, *, bodies: bool = False) -> list[Row]:
        """Return the rows of a run from a position on, in order: by stimulus, then by trajectory.

        `width` is the number of trajectories a stimulus. Only the rows of the page are read.
        """
        columns = [ROWS.c.stimulus, ROWS.c.trajectory, ROWS.c.row, ROWS.c.failed, *([ROWS.c.body] if bodies else [])]
        with self._database.read() as connection:
            found = connection.execute(_ordered(select(*columns), run_id, width, offset, limit)).all()
        return [Row(row.stimulus, row.trajectory, row.row, row.body if bodies else None, row.failed) for row in found]

    def lengths(self, run_id: int, width: int, offset: int, limit: int, *, bodies: bool = False) -> list[int]:
        """Return how long the rows are that `page` would return: in characters, and in bytes of the bodies."""
        length = func.length(ROWS.c.row)
        wanted = select(length + func.coalesce(func.length(ROWS.c.body), 0) if bodies else length)
        with self._database.read() as connection:
            return [*connection.execute(_ordered(wanted, run_id, width, offset, limit)).scalars()]

    def look(self, run_id: int, width: int, wanted: Wanted, offset: int, limit: int) -> list[Seen]:
        """Look at the rows of a run from a position on, in order; the ledger compares, and sends no texts."""
        asked = ROWS.alias("asked")
        is_there = ROWS.c.row.icontains(wanted.either, autoescape=True)
        if wanted.stim is not None:
            is_there |= asked.c.row.icontains(wanted.either, autoescape=True)
        conditions = [is_there] if wanted.either else []
        conditions += [ROWS.c.row.contains(wanted.own, autoescape=True)] if wanted.own else []
        conditions += [ROWS.c.failed] if wanted.is_failed else []
        found = select(ROWS.c.stimulus, ROWS.c.trajectory, func.length(ROWS.c.row), and_(true(), *conditions))
        if wanted.either and wanted.stim is not None:
            is_asked = (asked.c.run == wanted.stim) & (asked.c.stimulus == ROWS.c.stimulus) & (asked.c.trajectory == 0)
            found = found.outerjoin(asked, is_asked)
        with self._database.read() as connection:
            rows = connection.execute(_ordered(found, run_id, width, offset, limit)).all()
        return [Seen(stimulus * width + number, size, bool(is_one)) for stimulus, number, size, is_one in rows]

    def present(self, run_id: int, first: int = 0) -> Iterator[Present]:
        """Yield which rows are there, from a stimulus on."""
        wanted = select(ROWS.c.stimulus, ROWS.c.trajectory, ROWS.c.failed, ROWS.c.again).where(
            ROWS.c.run == run_id, ROWS.c.stimulus >= first
        )
        with self._database.read() as connection:
            for row in connection.execute(wanted.execution_options(yield_per=_CHUNK)):
                yield Present(row.stimulus, row.trajectory, row.failed, row.again)


def _ordered(wanted: Select[Any], run_id: int, width: int, offset: int, limit: int) -> Select[Any]:
    """Return a statement that reads the rows of a run from a position on, in order."""
    place = tuple_(ROWS.c.stimulus, ROWS.c.trajectory)
    first, end = divmod(offset, width), divmod(offset + limit, width)
    found = wanted.where(ROWS.c.run == run_id, place >= first, place < end)
    return found.order_by(ROWS.c.stimulus, ROWS.c.trajectory)
