"""`…/stim/rows` and `…/rollout/rows`: all rows of a run, in the format that the request asks for."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, request

from app.api.runs import find
from app.domain.manifests import Kind
from app.registry import revisions
from app.runs import exports
from app.runs.exports import BATCH, CSV, LINES, OPENAI, PARQUET, ROWS, Form
from app.runs.plans import ROLLOUT, STIM
from app.runs.reading import NoRun
from app.runs.recipe import parquet
from app.schemas.base import InvalidRequest, Mistake
from app.schemas.runs import RowsQuerySchema
from app.wire import context, versions
from app.wire.context import InvalidHeader
from app.wire.contract import Answer, TextFormat, accepts, returns
from app.wire.sending import streamed

blueprint = Blueprint("run_rows", __name__, url_prefix="/v1/repo/<repo_name>/targets/<item:target_name>")
blueprint.before_request(context.authorize)

_LINES = TextFormat(LINES, "A line of JSON for each row.")
_CSV = TextFormat(CSV, "A CSV file (RFC 4180) with a header row; nested values as JSON.")
_PARQUET = TextFormat(PARQUET, "A Parquet file with the columns of the CSV file.", "PAR1")
_TEXTS = (_LINES, _CSV, _PARQUET)
_HEADERS = {
    "ETag": "The version, in quotes: of a run that is complete, whose rows never change.",
    "Run-Key": "The run's key.",
    "Run-Status": "How far the run is. Rows are those before the first that is missing.",
}


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
    config, depends_on = None, ""
    if query["format"] == BATCH and kind == STIM:
        snapshot = revisions.at(context.repository(repo_name), query["ref"])
        config, depends_on = exports.config_of_requests(snapshot, target_name, run), snapshot.commit
    headers = {"Run-Key": run.key, "Run-Status": run.state}
    if run.rows_sha256 is not None:
        version = versions.of_files(run.rows_sha256, text.media_type, f"{query['format']} {query['body']} {depends_on}")
        headers["ETag"] = f'"{version}"'
        if versions.is_known(version):
            return "", 304, headers
    form = Form(query["format"], text.media_type, query["body"], config)
    return streamed(lambda: exports.pieces(context.services().runs, run, form), text.media_type), 200, headers


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
    if wanted == OPENAI and kind == STIM:
        problem = ("format", "Stimuli have no answers: ask for the rows of the rollout")
    elif wanted != ROWS and text is not _LINES:
        problem = ("format", f"This format is lines of JSON: leave out 'Accept: {text.media_type}'")
    elif wanted != ROWS and query["body"]:
        problem = ("body", "Only the format `rows` has place for what endpoints answered")
    if problem is not None:
        raise InvalidRequest([(("query", problem[0]), Mistake("value_error", problem[1]))])
