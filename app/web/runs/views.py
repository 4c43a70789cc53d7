"""The runs of a repo and of a target, and one run: `…/targets/<target_name>/runs/<run_key>`."""

from flask import Blueprint, Response, jsonify
from werkzeug.wrappers import Response as Redirect

from app.domain.manifests import Kind
from app.runs.ledger.runs import Run
from app.web import admission
from app.web.rendering import page
from app.web.runs import actions, downloads, live, progress
from app.web.runs import page as pages
from app.wire import context

blueprint: Blueprint = admission.pages("runs")

_REPO = "/<user:owner>/<repo_name>"
_TARGET = f"{_REPO}/targets/<item:target_name>"
_RUN = f"{_TARGET}/runs/<run_key>"


@blueprint.get(f"{_REPO}/runs")
def of_repo(owner: str, repo_name: str) -> Response:
    """Show the runs of a repo, newest first."""
    return page("runs/repo.html", listed=pages.listed(admission.place(), None))


@blueprint.get(f"{_TARGET}/runs")
def of_target(owner: str, repo_name: str, target_name: str) -> Response:
    """Show the stim and the rollout of a target, and all its runs. A target that was deleted keeps its runs."""
    return actions.show_target(admission.place(), target_name)


@blueprint.post(f"{_TARGET}/<any(stim, rollout):kind>")
def start(owner: str, repo_name: str, target_name: str, kind: Kind) -> Response | Redirect:
    """Start or resume a run; 400 with everything that is missing, 402 where its budget is spent."""
    return actions.start(admission.place(), target_name, kind)


@blueprint.get(_RUN)
def show(owner: str, repo_name: str, target_name: str, run_key: str) -> Response:
    """Show a run: how far it is, and its rows as conversations."""
    return page("runs/run.html", shown=pages.shown(admission.place(), _run(target_name, run_key)))


@blueprint.get(f"{_RUN}/rows/<int:position>")
def row(owner: str, repo_name: str, target_name: str, run_key: str, position: int) -> Response:
    """Show one row of a run whole."""
    run = _run(target_name, run_key)
    return page("runs/row.html", run=run, position=position, conversation=pages.row(run, position))


@blueprint.get(f"{_RUN}/files/<row_file>")
def download(owner: str, repo_name: str, target_name: str, run_key: str, row_file: str) -> Response:
    """Send all rows of a run as a file."""
    return downloads.send(admission.place(), _run(target_name, run_key), row_file)


@blueprint.get(f"{_RUN}/events")
def events(owner: str, repo_name: str, target_name: str, run_key: str) -> Response:
    """Send how far a run is, each time that this changes."""
    return live.stream(_run(target_name, run_key))


@blueprint.get(f"{_RUN}/progress")
def look(owner: str, repo_name: str, target_name: str, run_key: str) -> Response:
    """Send how far a run is, as JSON."""
    return jsonify(progress.told(context.services().runs, _run(target_name, run_key)))


@blueprint.post(f"{_RUN}/cancel")
def cancel(owner: str, repo_name: str, target_name: str, run_key: str) -> Redirect:
    """Cancel a run that goes on."""
    return actions.cancel(admission.place(), _run(target_name, run_key))


@blueprint.post(f"{_RUN}/delete")
def delete(owner: str, repo_name: str, target_name: str, run_key: str) -> Redirect:
    """Delete a run and its rows; 409 while it goes on, and for a stim while a rollout stands on it."""
    return actions.delete(admission.place(), _run(target_name, run_key))


def _run(target_name: str, run_key: str) -> Run:
    return pages.find(admission.place(), target_name, run_key)
