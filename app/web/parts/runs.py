"""Runs as several pages list them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from app.registry.messages import Origin
from app.runs.ledger.database import LedgerUnavailable
from app.runs.ledger.runs import BUDGET, CANCELLED, COMPLETE, RUNNING, ListedRun
from app.web.admission import Place
from app.wire import context
from storage import moments
from storage.signatures import Person


@dataclass(frozen=True, slots=True)
class Line:
    """A run in a list: its state in words and as a class of badges, when (moments), how long it took, and by whom."""

    run: ListedRun
    state: str
    look: str
    started: int
    ended: int | None
    took: str
    by: Person

    @classmethod
    def of(cls, run: ListedRun) -> "Line":
        """Return a run as a line."""
        state, look = state_of(run)
        ended = None if run.finished is None else _moment(run.finished)
        took = duration((run.finished or time.time()) - run.created)
        return cls(run, state, look, _moment(run.created), ended, took, Origin(**run.origin).author)


def last(place: Place, target_name: str, limit: int = 5) -> Sequence[Line] | None:
    """Return the last runs of a target, newest first; None while the ledger cannot be read."""
    try:
        found = context.services().runs.table.list(place.repository.identity(), target_name, limit=limit)
    except LedgerUnavailable:
        return None
    return [Line.of(run) for run in found]


def state_of(run: ListedRun) -> tuple[str, str]:
    """Return the state of a run in words, and how its badge looks."""
    if run.state == COMPLETE:
        return "complete", "good"
    if run.state == RUNNING:
        return ("running", "") if run.lease_until > time.time() else ("waiting for a worker", "")
    words = {CANCELLED: ("cancelled", "warn"), BUDGET: ("budget spent", "bad")}
    return words.get(run.error_type or "", ("failed", "bad"))


def duration(seconds: float) -> str:
    """Return a duration as people say it, with two units at most."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _moment(seconds: float) -> int:
    return round(seconds * moments.SECOND)
