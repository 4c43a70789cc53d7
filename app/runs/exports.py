"""All rows of a run as one file, in each format that other programs read. It is made while it is sent."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from app.domain import extra_kwargs
from app.domain.resolution import Config
from app.registry.configs import targets
from app.runs import full_rows, plans
from app.runs.failures import NotReady
from app.runs.full_rows import RowWithBody
from app.runs.ledger.runs import Run
from app.runs.models import requests
from app.runs.recipe import formats, parquet, rows
from app.runs.services import Runs
from storage.snapshot import Snapshot

ROWS, OPENAI, BATCH = "rows", "openai", "batch"  # what the lines of a file are
LINES, CSV, PARQUET = "application/x-ndjson", "text/csv", "application/vnd.apache.parquet"

_PIECE = 64 * 1024  # bytes

_Encode = Callable[[Iterable[RowWithBody]], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is written. Only rows can be other than lines, and have `bodies`: what endpoints answered, as it came.

    `config` is that of the target whose rollout the requests of a stim are for.
    """

    content: str = ROWS
    media_type: str = LINES
    bodies: bool = False
    config: Config | None = None


def config_of_requests(snapshot: Snapshot, target: str, stim: Run) -> Config:
    """Return the config of a target whose rollout the requests of a stim are for.

    NotReady where a rollout would be refused for what the target says, NotFound without the target.
    """
    config = targets.get(snapshot, target).config
    problems = list(extra_kwargs.problems(config.get("extra_kwargs") or {}))
    problems += plans.rows_problems(_width(config), stim.total)
    if not config.get("model_name"):
        problems.append("model_name: a request needs the name of the model that answers.")
    if problems:
        raise NotReady(problems)
    return config


def pieces(runs: Runs, run: Run, form: Form) -> Iterator[bytes]:
    """Return the pieces of a file with the finished rows of a run; few rows are in memory at a time.

    The first piece is made now, so that what fails at once does so before anything is sent.
    """
    found = _gathered(_encoder(run, form)(full_rows.read(runs, run, bodies=form.bodies)))
    return chain([next(found)], found)


def _encoder(run: Run, form: Form) -> _Encode:
    """Return what writes the rows of a run."""
    if form.content == OPENAI:
        return _fine_tuning
    if form.content == BATCH:
        config = form.config
        return (lambda found: _batch_of_rollout(run, found)) if config is None else lambda found: _batch(config, found)
    columns = {**formats.COLUMNS[run.kind], **({formats.BODY: False} if form.bodies else {})}
    write: Mapping[str, _Encode] = {
        LINES: lambda found: (rows.line(_whole(row, form)) for row in found),
        CSV: lambda found: _csv(columns, (_whole(row, form) for row in found)),
        PARQUET: lambda found: parquet.pieces((_whole(row, form) for row in found), columns),
    }
    return write[form.media_type]


def _whole(found: RowWithBody, form: Form) -> Mapping[str, Any]:
    """Return a row, with the endpoint's answer as text where it is wanted; null where nothing was answered."""
    row, body = found
    return {**row, formats.BODY: None if body is None else body.decode(errors="replace")} if form.bodies else row


def _csv(columns: Mapping[str, bool], found: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    return chain([formats.csv_head(columns)], (formats.csv_line(row, columns) for row in found))


def _fine_tuning(found: Iterable[RowWithBody]) -> Iterator[bytes]:
    return (formats.json_line(line) for row, _ in found if (line := formats.fine_tuning(row)) is not None)


def _batch_of_rollout(run: Run, found: Iterable[RowWithBody]) -> Iterator[bytes]:
    return (_request(row, row["trajectory_id"], run.config, row.get("seed")) for row, _ in found)


def _batch(config: Config, found: Iterable[RowWithBody]) -> Iterator[bytes]:
    return (_request(row, trajectory, config, None) for row, _ in found for trajectory in range(_width(config)))


def _width(config: Config) -> int:
    return config.get("num_traj_per_stimulus") or 1


def _request(row: Mapping[str, Any], trajectory: int, config: Mapping[str, Any], seed: int | None) -> bytes:
    body = requests.body(rows.sent_messages(row), row.get("tools"), config["model_name"], config, seed)
    return formats.json_line(formats.batch_request(row["stimulus_id"], trajectory, body))


def _gathered(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Yield lines some at a time, since each piece is sent by itself."""
    waiting: list[bytes] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= _PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)
