"""`…/targets/{target_name}/stim` and `…/rollout`, and the runs of a target and of a repo."""

from typing import Any

from flask import Blueprint, current_app

from app.api import run_payloads
from app.domain.manifests import Kind
from app.registry import revisions
from app.runs import reading, starting
from app.runs.plans import ROLLOUT, STIM
from app.runs.reading import Found
from app.schemas.batches import DeletedSchema
from app.schemas.runs import (
    OfRunQuerySchema,
    OutputQuerySchema,
    RolloutOutputSchema,
    RolloutStatusSchema,
    RunListQuerySchema,
    RunListSchema,
    StimOutputSchema,
    StimStatusSchema,
)
from app.wire import context, run_lists, versions
from app.wire.contract import Answer, accepts, returns

blueprint = Blueprint("runs", __name__, url_prefix="/v1/repo/<repo_name>")
blueprint.before_request(context.authorize)

_PAGES = {STIM: StimOutputSchema(), ROLLOUT: RolloutOutputSchema()}
_LARGEST_PAGE = 32 * 1024 * 1024  # bytes of rows
_ETAG = {"ETag": "The version, in quotes: of a page of a run that is complete, whose rows never change."}


@blueprint.post("/targets/<item:target_name>/stim")
@accepts(takes_no_fields=True)
@returns(StimStatusSchema, 200, errors=(402, 404))
def start_stim(repo_name: str, target_name: str) -> Answer:
    """Make the stimuli of a target.

    The run is joined if it goes on, resumed if it failed, and answered as it is if it is complete. The answer waits
    for the end of the run, 2 seconds at most. 400 lists everything that is missing.
    """
    return _start(repo_name, target_name, STIM)


@blueprint.post("/targets/<item:target_name>/rollout")
@accepts(takes_no_fields=True)
@returns(RolloutStatusSchema, 200, errors=(402, 404))
def start_rollout(repo_name: str, target_name: str) -> Answer:
    """Send each stimulus of a target to its model, and record the answers. Like `stim`, which must be complete."""
    return _start(repo_name, target_name, ROLLOUT)


@blueprint.get("/targets/<item:target_name>/stim")
@accepts(query=OfRunQuerySchema)
@returns(StimStatusSchema, 200, errors=(404, 409))
def get_stim(repo_name: str, target_name: str, query: dict[str, Any]) -> Answer:
    """Say how far the stim of a target is."""
    return _status(find(repo_name, target_name, STIM, query)), 200, {}


@blueprint.get("/targets/<item:target_name>/rollout")
@accepts(query=OfRunQuerySchema)
@returns(RolloutStatusSchema, 200, errors=(404, 409))
def get_rollout(repo_name: str, target_name: str, query: dict[str, Any]) -> Answer:
    """Say how far the rollout of a target is."""
    return _status(find(repo_name, target_name, ROLLOUT, query)), 200, {}


@blueprint.get("/targets/<item:target_name>/stim/output")
@accepts(query=OutputQuerySchema, conditions=("If-None-Match",))
@returns(StimOutputSchema, 200, 304, errors=(404, 409, 413), headers=_ETAG)
def get_stim_output(repo_name: str, target_name: str, query: dict[str, Any]) -> Answer:
    """Read stimuli, a page at a time, also while the run goes on.

    A page is short only where nothing follows. 413 where it would be too large.
    """
    return _output(find(repo_name, target_name, STIM, query), query)


@blueprint.get("/targets/<item:target_name>/rollout/output")
@accepts(query=OutputQuerySchema, conditions=("If-None-Match",))
@returns(RolloutOutputSchema, 200, 304, errors=(404, 409, 413), headers=_ETAG)
def get_rollout_output(repo_name: str, target_name: str, query: dict[str, Any]) -> Answer:
    """Read trajectories, a page at a time, like stimuli. Rows before the first that is missing are listed."""
    return _output(find(repo_name, target_name, ROLLOUT, query), query)


@blueprint.post("/targets/<item:target_name>/stim/cancel")
@accepts(takes_no_fields=True)
@returns(StimStatusSchema, 200, errors=(404,))
def cancel_stim(repo_name: str, target_name: str) -> Answer:
    """Cancel the stims of a target that go on. Rows that are there stay, and a POST of `stim` goes on with the rest."""
    return _cancel(repo_name, target_name, STIM)


@blueprint.post("/targets/<item:target_name>/rollout/cancel")
@accepts(takes_no_fields=True)
@returns(RolloutStatusSchema, 200, errors=(404,))
def cancel_rollout(repo_name: str, target_name: str) -> Answer:
    """Cancel the rollouts of a target that go on. Rows stay, and a POST of `rollout` goes on with the rest."""
    return _cancel(repo_name, target_name, ROLLOUT)


@blueprint.get("/runs")
@accepts(query=RunListQuerySchema)
@returns(RunListSchema, 200, errors=(404, 409))
def list_repo_runs(repo_name: str, query: dict[str, Any]) -> Answer:
    """List the runs of a repo, newest first."""
    return _list(repo_name, None, query)


@blueprint.get("/targets/<item:target_name>/runs")
@accepts(query=RunListQuerySchema)
@returns(RunListSchema, 200, errors=(404, 409))
def list_target_runs(repo_name: str, target_name: str, query: dict[str, Any]) -> Answer:
    """List the runs of a target, newest first. A target that was deleted keeps its runs."""
    return _list(repo_name, target_name, query)


@blueprint.delete("/targets/<item:target_name>/runs/<run_key>")
@accepts()
@returns(DeletedSchema, 200, errors=(404,))
def delete_run(repo_name: str, target_name: str, run_key: str) -> Answer:
    """Delete a run and its rows. The manifest stays in the repo, and the server's log tells the reason.

    409 while the run goes on, and for a stim while a rollout stands on it.
    """
    runs, repository = context.services().runs, context.repository(repo_name)
    run = reading.delete(runs, repository, target_name, run_key, context.origin())
    return {"message": f"Run {run_key} deleted: the {run.kind} of '{target_name}' with {run.done} rows"}, 200, {}


def find(repo_name: str, target_name: str, kind: Kind, query: dict[str, Any]) -> Found:
    """Return the run that a request means."""
    runs, repository = context.services().runs, context.repository(repo_name)
    if query["ref"] is None:
        return reading.current(runs, repository, target_name, kind)
    return reading.at(runs, repository, revisions.at(repository, query["ref"]), target_name, kind)


def _start(repo_name: str, target_name: str, kind: Kind) -> Answer:
    repository, place = context.repository(repo_name), f"{context.principal().owner}/{repo_name}"
    run = starting.start(context.services().runs, place, repository, target_name, kind, context.origin())
    return run_payloads.status(run, is_stale=False), 200, {}


def _status(found: Found) -> dict[str, Any]:
    return run_payloads.status(found.run, is_stale=found.is_stale)


def _output(found: Found, query: dict[str, Any]) -> Answer:
    run, offset, limit = found.run, query["offset"], query["limit"]
    has_more = run is not None and offset + limit < run.listed
    page = {**_status(found), "output": [], "offset": offset, "limit": limit, "has_more": has_more}
    if run is None:
        return page, 200, {}

    def whole() -> bytes:
        """Return the page. The rows are JSON already, and a schema would take ten times as long."""
        rows = reading.output(context.services().runs, run, offset, limit, _LARGEST_PAGE)
        shown = {name: value for name, value in _PAGES[run.kind].dump(page).items() if name != "output"}
        head = current_app.json.dumps(shown, separators=(",", ":")).removesuffix("}")
        return b'%b,"output":[%b]}\n' % (head.encode(), b",".join(rows))

    if run.rows_sha256 is None:
        return whole, 200, {}
    version = versions.of_files(run.key, run.rows_sha256, str(found.is_stale), f"{run.id} {offset} {limit}")
    return whole, 304 if versions.is_known(version) else 200, {"ETag": f'"{version}"'}


def _cancel(repo_name: str, target_name: str, kind: Kind) -> Answer:
    runs, repository = context.services().runs, context.repository(repo_name)
    return _status(reading.cancel(runs, repository, target_name, kind, context.origin())), 200, {}


def _list(repo_name: str, target_name: str | None, query: dict[str, Any]) -> Answer:
    found, following = run_lists.page(context.repository(repo_name), target_name, query)
    return {"runs": list(map(run_payloads.listed, found)), "next": following}, 200, {}
