"""The rows of a run as users read them, put together from the ledger."""

import json
from collections.abc import Iterator
from typing import Any

from app.runs.ledger.rows import Row
from app.runs.ledger.runs import Run, RunGone
from app.runs.recipe import rows
from app.runs.recipe.rows import Context
from app.runs.services import Runs

_CHUNK = 200  # rows that are put together at a time


def page(runs: Runs, run: Run, offset: int, limit: int) -> list[dict[str, Any]]:
    """Return the finished rows of a run from a position on; RunGone where it was deleted meanwhile."""
    return [row for row, _ in _read(runs, run, offset, min(limit, run.listed - offset))]


def page_with_bodies(runs: Runs, run: Run, offset: int, limit: int) -> list[tuple[dict[str, Any], bytes | None]]:
    """Return rows as `page` does, each with the answer of the endpoint as it came; None where there is none."""
    return _read(runs, run, offset, min(limit, run.listed - offset), bodies=True)


def lines(runs: Runs, run: Run) -> Iterator[bytes]:
    """Yield the finished rows of a run as lines of canonical JSON; few of them are in memory at a time."""
    for offset in range(0, run.listed, _CHUNK):
        yield from map(rows.line, page(runs, run, offset, _CHUNK))


class StimulusReader:
    """Reads the stimuli of a stim, or those that a rollout answers."""

    def __init__(self, runs: Runs, run: Run) -> None:
        self._runs = runs
        self._run_id = run.id if run.stim is None else run.stim
        self._context = Context.of_json(runs.table.context(self._run_id))

    def read(self, first: int, end: int) -> dict[int, dict[str, Any]]:
        """Return the rows of the stimuli from `first` to before `end`, by number."""
        return {row.stimulus: self.row(row) for row in self._runs.rows.page(self._run_id, 1, first, end - first)}

    def row(self, row: Row) -> dict[str, Any]:
        """Return a stimulus as users read it."""
        recorded = json.loads(row.text)
        return rows.stim_row(self._context, row.stimulus, recorded["generator"], recorded["question"])


def _read(
    runs: Runs, run: Run, offset: int, limit: int, *, bodies: bool = False
) -> list[tuple[dict[str, Any], bytes | None]]:
    if limit <= 0:
        return []
    stimuli = StimulusReader(runs, run)
    width = run.width
    found = runs.rows.page(run.id, width, offset, limit, bodies=bodies)
    first, end = offset // width, (offset + limit - 1) // width + 1
    answered = {} if run.stim is None else stimuli.read(first, end)
    if len(found) < limit or (run.stim is not None and len(answered) < end - first):
        raise RunGone(run.id)
    if run.stim is None:
        return [(stimuli.row(row), row.body) for row in found]
    model, commit = run.config["model_name"], run.commit
    return [
        (rows.rollout_row(answered[row.stimulus], row.trajectory, json.loads(row.text), model, commit), row.body)
        for row in found
    ]
