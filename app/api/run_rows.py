"""`…/stim/rows` and `…/rollout/rows`: all rows of a run, in the format that the request asks for."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from flask import Blueprint, request

from app.api.runs import find
from app.domain import extra_kwargs
from app.domain.manifests import Kind
from app.registry import revisions
from app.registry.configs import targets
from app.runs import full_rows, plans
from app.runs.failures import NotReady
from app.runs.full_rows import RowWithBody
from app.runs.ledger.runs import Run
from app.runs.models import requests
from app.runs.plans import ROLLOUT, STIM
from app.runs.reading import NoRun
from app.runs.recipe import formats, parquet, rows
from app.schemas.base import InvalidRequest, Mistake
from app.schemas.runs import RowsQuerySchema
from app.wire import context, versions
from app.wire.context import InvalidHeader
from app.wire.contract import Answer, TextFormat, accepts, returns
from app.wire.sending import Pieces

blueprint = Blueprint("run_rows", __name__, url_prefix="/v1/repo/<repo_name>/targets/<item:target_name>")
blueprint.before_request(context.authorize)

_LINES = TextFormat("application/x-ndjson", "A line of JSON for each row.")
_CSV = TextFormat("text/csv", "A CSV file (RFC 4180) with a header row; nested values as JSON.")
_PARQUET = TextFormat("application/vnd.apache.parquet", "A Parquet file with the columns of the CSV file.", "PAR1")
_TEXTS = (_LINES, _CSV, _PARQUET)
_HEADERS = {
    "ETag": "The version, in quotes: of a run that is complete, whose rows never change.",
    "Run-Key": "The run's key.",
    "Run-Status": "How far the run is. Rows are those before the first that is missing.",
}
_PIECE = 64 * 1024  # bytes

Encode = Callable[[Iterable[RowWithBody]], Iterator[bytes]]


@blueprint.get("/stim/rows")
@accepts(query=RowsQuerySchema, conditions=("If-None-Match",))
@returns((), 200, 304, errors=(404, 409), headers=_HEADERS, text=_TEXTS)
def get_stim_rows(repo_name: str, target_name: str, query: dict[str, Any]) -> Answer:
    """Read all stimuli, as JSON Lines, CSV or Parquet.

    `format=batch` has the requests of the rollout that the target describes.
    """
    return _answer(repo_name, target_name, STIM, query)


@blueprint.get("/rollout/rows")
@accepts(query=RowsQuerySchema, conditions=("If-None-Match",))
@returns((), 200, 304, errors=(404, 409), headers=_HEADERS, text=_TEXTS)
def get_rollout_rows(repo_name: str, target_name: str, query: dict[str, Any]) -> Answer:
    """Read all trajectories, as JSON Lines, CSV or Parquet.

    `format=openai` leaves out rows without an answer, and reasoning.
    """
    return _answer(repo_name, target_name, ROLLOUT, query)


def _answer(repo_name: str, target_name: str, kind: Kind, query: dict[str, Any]) -> Answer:
    text = _wanted_text()
    _check(kind, query, text)
    run = find(repo_name, target_name, kind, query).run
    if run is None:
        raise NoRun(f"Target '{target_name}' has no {kind} yet: POST …/targets/{target_name}/{kind} starts one.")
    encode, depends_on = _encoder(repo_name, target_name, run, query, text)
    headers = {"Run-Key": run.key, "Run-Status": run.state}
    if run.rows_sha256 is not None:
        version = versions.of_files(run.rows_sha256, text.media_type, f"{query['format']} {query['body']} {depends_on}")
        headers["ETag"] = f'"{version}"'
        if versions.is_known(version):
            return "", 304, headers
    end = context.stream()
    try:
        found = full_rows.read(context.services().runs, run, bodies=query["body"])
        source = _gathered(encode(found))
        pieces = Pieces(_begun(source), end, text.media_type)
    except BaseException:
        end()
        raise
    return pieces, 200, headers


def _wanted_text() -> TextFormat:
    """Return the format that the header Accept asks for: JSON Lines where it says nothing of these."""
    wanted = request.accept_mimetypes.best_match([text.media_type for text in _TEXTS])
    text = next((text for text in _TEXTS if text.media_type == wanted), _LINES)
    if text is _PARQUET and not parquet.is_installed():
        raise InvalidHeader(
            "The header Accept asks for Parquet, which this server cannot write: its operator has to install "
            "'bakehouse[parquet]'. JSON Lines and CSV need nothing."
        )
    return text


def _check(kind: Kind, query: Mapping[str, Any], text: TextFormat) -> None:
    """Raise InvalidRequest for what does not go together."""
    wanted, problem = query["format"], None
    if wanted == "openai" and kind == STIM:
        problem = ("format", "Stimuli have no answers: ask for the rows of the rollout")
    elif wanted != "rows" and text is not _LINES:
        problem = ("format", f"This format is lines of JSON: leave out 'Accept: {text.media_type}'")
    elif wanted != "rows" and query["body"]:
        problem = ("body", "Only the format `rows` has place for what endpoints answered")
    if problem is not None:
        raise InvalidRequest([(("query", problem[0]), Mistake("value_error", problem[1]))])


def _encoder(
    repo_name: str, target_name: str, run: Run, query: Mapping[str, Any], text: TextFormat
) -> tuple[Encode, str]:
    """Return what writes the rows of a run, and what the result depends on beside the rows."""
    if query["format"] == "openai":
        return _fine_tuning, ""
    if query["format"] == "batch" and run.kind == ROLLOUT:
        return lambda found: _batch_of_rollout(run, found), ""
    if query["format"] == "batch":
        snapshot = revisions.at(context.repository(repo_name), query["ref"])
        config = targets.get(snapshot, target_name).config
        _expect_rollout(config, run.total)
        return lambda found: _batch_of_stim(config, found), snapshot.commit
    columns = {**formats.COLUMNS[run.kind], **({formats.BODY: False} if query["body"] else {})}
    write: Mapping[str, Encode] = {
        _LINES.media_type: lambda found: (rows.line(_whole(row, query)) for row in found),
        _CSV.media_type: lambda found: _csv(columns, (_whole(row, query) for row in found)),
        _PARQUET.media_type: lambda found: parquet.pieces((_whole(row, query) for row in found), columns),
    }
    return write[text.media_type], ""


def _whole(found: RowWithBody, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row, with the endpoint's answer as text where it is wanted; null where nothing was answered."""
    row, body = found
    return {**row, formats.BODY: None if body is None else body.decode(errors="replace")} if query["body"] else row


def _csv(columns: Mapping[str, bool], found: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    return chain([formats.csv_head(columns)], (formats.csv_line(row, columns) for row in found))


def _fine_tuning(found: Iterable[RowWithBody]) -> Iterator[bytes]:
    return (formats.json_line(line) for row, _ in found if (line := formats.fine_tuning(row)) is not None)


def _batch_of_rollout(run: Run, found: Iterable[RowWithBody]) -> Iterator[bytes]:
    return (_request(row, row["trajectory_id"], run.config, row.get("seed")) for row, _ in found)


def _batch_of_stim(config: Mapping[str, Any], found: Iterable[RowWithBody]) -> Iterator[bytes]:
    return (_request(row, trajectory, config, None) for row, _ in found for trajectory in range(_width(config)))


def _width(config: Mapping[str, Any]) -> int:
    return config.get("num_traj_per_stimulus") or 1


def _request(row: Mapping[str, Any], trajectory: int, config: Mapping[str, Any], seed: int | None) -> bytes:
    body = requests.body(rows.sent_messages(row), row.get("tools"), config["model_name"], config, seed)
    return formats.json_line(formats.batch_request(row["stimulus_id"], trajectory, body))


def _expect_rollout(config: Mapping[str, Any], stimuli: int) -> None:
    """Raise NotReady where a rollout of a target would be refused for what the target says."""
    problems = list(extra_kwargs.problems(config.get("extra_kwargs") or {}))
    problems += plans.rows_problems(_width(config), stimuli)
    if not config.get("model_name"):
        problems.append("model_name: a request needs the name of the model that answers.")
    if problems:
        raise NotReady(problems)


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


def _begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Return the same pieces, of which the first is made now: where that fails, the answer is an error."""
    return chain([next(pieces)], pieces)
