"""The rows of a run as users read them, put together from the ledger."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from app.runs.ledger.rows import Row
from app.runs.ledger.runs import Run, RunGone
from app.runs.recipe import rows
from app.runs.recipe.rows import Context
from app.runs.services import Runs

_MOST_ROWS = 200  # that are put together at a time
_MOST_TEXT = 4 * 1024 * 1024  # characters of these rows in the ledger, save where a single row has more

RowWithBody = tuple[dict[str, Any], bytes | None]


def read(
    runs: Runs, run: Run, offset: int = 0, limit: int | None = None, *, bodies: bool = False
) -> Iterator[RowWithBody]:
    """Yield the finished rows of a run from a position on, each with the endpoint's answer as it came if wanted.

    Few rows are in memory at a time, and few bytes where the rows are long. RunGone where the run was deleted.
    """
    end = run.listed if limit is None else min(run.listed, offset + limit)
    if offset >= end:
        return
    stimuli = StimulusReader(runs, run)
    for start in range(offset, end, _MOST_ROWS):
        for number in _parts(lengths(runs, run, start, min(_MOST_ROWS, end - start), bodies=bodies)):
            yield from _together(runs, run, stimuli, start, number, bodies=bodies)
            start += number


def lengths(runs: Runs, run: Run, offset: int, limit: int, *, bodies: bool = False) -> list[int]:
    """Return how many characters each row has at least, without reading the rows; RunGone where these are not there."""
    limit = min(limit, run.listed - offset)
    if limit <= 0:
        return []
    found = runs.rows.lengths(run.id, run.width, offset, limit, bodies=bodies)
    if run.stim is not None:
        stimuli = _stimuli(run, offset, limit)
        asked = runs.rows.lengths(run.stim, 1, stimuli.start, len(stimuli))
        places = ((offset + number) // run.width - stimuli.start for number in range(limit))
        found = [own + asked[place] for own, place in zip(found, places, strict=False) if place < len(asked)]
    if len(found) < limit:
        raise RunGone(run.id)
    return found


def lines(runs: Runs, run: Run) -> Iterator[bytes]:
    """Yield the finished rows of a run as lines of canonical JSON; few of them are in memory at a time."""
    return (rows.line(row) for row, _ in read(runs, run))


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


def _parts(lengths: Iterable[int]) -> Iterator[int]:
    """Yield how many rows are put together at a time."""
    number = size = 0
    for length in lengths:
        if number and size + length > _MOST_TEXT:
            yield number
            number = size = 0
        number, size = number + 1, size + length
    yield number


def _together(
    runs: Runs, run: Run, stimuli: StimulusReader, offset: int, limit: int, *, bodies: bool
) -> list[RowWithBody]:
    found = runs.rows.page(run.id, run.width, offset, limit, bodies=bodies)
    wanted = _stimuli(run, offset, limit)
    answered = {} if run.stim is None else stimuli.read(wanted.start, wanted.stop)
    if len(found) < limit or (run.stim is not None and len(answered) < len(wanted)):
        raise RunGone(run.id)
    if run.stim is None:
        return [(stimuli.row(row), row.body) for row in found]
    model, commit = run.config["model_name"], run.commit
    return [
        (rows.rollout_row(answered[row.stimulus], row.trajectory, json.loads(row.text), model, commit), row.body)
        for row in found
    ]


def _stimuli(run: Run, offset: int, limit: int) -> range:
    """Return the numbers of the stimuli that some rows of a run are about."""
    return range(offset // run.width, (offset + limit - 1) // run.width + 1)
