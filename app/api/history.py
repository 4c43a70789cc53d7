"""`/v1/repo/{repo_name}/log`, and the histories and differences of targets and prompts."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from flask import Blueprint, request

from app.api import payloads
from app.domain.budgets import Room
from app.domain.differences import compare
from app.registry import revisions
from app.registry.audit import history, log_filters
from app.registry.audit.history import ChangedFile, Entry
from app.registry.configs import prompts, targets
from app.registry.configs.target_files import FOLDER, Target
from app.registry.folders import Folder
from app.registry.revisions import Ref
from app.schemas.base import InvalidRequest, Mistake
from app.schemas.history import (
    DiffQuerySchema,
    DiffSchema,
    HistorySchema,
    LogQuerySchema,
    LogSchema,
    PageQuerySchema,
)
from app.wire import context, versions
from app.wire.contract import Answer, TextFormat, accepts, returns
from storage.ids import CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot

blueprint = Blueprint("history", __name__, url_prefix="/v1/repo/<repo_name>")
blueprint.before_request(context.authorize)

_TEXT_DIFF = TextFormat(
    "text/x-diff",
    "What `git diff` prints for the two files; nothing if they are equal.",
    "--- a/targets/a.yml\n+++ b/targets/a.yml\n@@ -3 +3 @@\n-  temperature: 0.7\n+  temperature: 1.0\n",
)


@blueprint.get("/log")
@accepts(query=LogQuerySchema)
@returns(LogSchema, 200, errors=(404, 409), headers=versions.COMMIT_HEADERS)
def get_log(repo_name: str, query: dict[str, Any]) -> Answer:
    """List the commits of a repo, newest first, with the fields that each changed."""
    repository, snapshot = context.repository(repo_name), context.snapshot(repo_name, query)
    before = _before(repository, query)
    asked = {name: query[name] for name in query.keys() - PageQuerySchema().fields.keys()}
    wanted = log_filters.read(asked, context.services().accounts, context.principal().owner)
    entries = history.of_repo(repository, snapshot, wanted, payloads.work(), before=before, limit=query["limit"])
    return _page(entries, partial(_logged, full=query["full"])), 200, versions.commit_headers(snapshot)


@blueprint.get("/targets/<item:target_name>/history")
@accepts(query=PageQuerySchema)
@returns(HistorySchema, 200, errors=(404, 409), headers=versions.COMMIT_HEADERS)
def get_target_history(repo_name: str, target_name: str, query: dict[str, Any]) -> Answer:
    """List the commits that changed a target, newest first.

    A deleted target keeps its history.
    """
    return _history(repo_name, FOLDER, target_name, query)


@blueprint.get("/prompts/<item:prompt_name>/history")
@accepts(query=PageQuerySchema)
@returns(HistorySchema, 200, errors=(404, 409), headers=versions.COMMIT_HEADERS)
def get_prompt_history(repo_name: str, prompt_name: str, query: dict[str, Any]) -> Answer:
    """List the commits that changed a prompt, newest first.

    A deleted prompt keeps its history.
    """
    return _history(repo_name, prompts.FOLDER, prompt_name, query)


@blueprint.get("/targets/<item:target_name>/diff")
@accepts(query=DiffQuerySchema)
@returns(DiffSchema, 200, errors=(404, 409, 413), text=_TEXT_DIFF)
def get_target_diff(repo_name: str, target_name: str, query: dict[str, Any]) -> Answer:
    """Compare a target with itself at another commit, or with another target.

    As a JSON Patch and field by field, or with `Accept: text/x-diff` as `git diff` prints it.
    """
    repository = context.repository(repo_name)
    against = None if query["against"] == target_name else query["against"]
    then, now = _sides(repository, query["from_"], query["to"], against)
    names = (then, against or target_name), (now, target_name)
    for side in names:
        FOLDER.expect(*side)  # the text needs no more
    accepted = request.accept_mimetypes.best_match(["application/json", _TEXT_DIFF.media_type])
    if accepted == _TEXT_DIFF.media_type:
        sides = [(snapshot.commit, FOLDER.path(name)) for snapshot, name in names]
        return repository.diff(*sides), 200, {}
    work = payloads.work()
    for snapshot, name in names:
        work.expect("The comparison", len(snapshot.blob(FOLDER.expect(snapshot, name))))
    old, new = (targets.get(*side) for side in names)
    compared = payloads.comparison(compare(old.config, new.config), payloads.room(), full=query["full"])
    return {"from_": _compared(old), "to": _compared(new), **compared}, 200, {}


def _sides(repository: Repository, from_: Ref | None, to: Ref | None, against: str | None) -> tuple[Snapshot, Snapshot]:
    """Return the old and the new side of a comparison; InvalidRequest if they are the same."""
    now = revisions.at(repository, to)
    if from_ is None:
        if against is None:
            mistake = Mistake("missing", "This field is required, unless 'against' names another target")
            raise InvalidRequest([(("query", "from"), mistake)])
        return now, now
    then = revisions.at(repository, from_)
    if then.commit == now.commit and against is None:
        mistake = Mistake("value_error", f"'from' and 'to' are the same commit, {now.commit}")
        raise InvalidRequest([(("query", "to"), mistake)])
    return then, now


def _compared(target: Target) -> dict[str, Any]:
    return {"target_name": target.name, "commit": target.commit, "version": target.version}


def _history(repo_name: str, folder: Folder, name: str, query: dict[str, Any]) -> Answer:
    repository, snapshot = context.repository(repo_name), context.snapshot(repo_name, query)
    before = _before(repository, query)
    of_file = history.of_file(repository, snapshot, folder, name, payloads.work(), before=before, limit=query["limit"])
    return _page(of_file, partial(_version, full=query["full"])), 200, versions.commit_headers(snapshot)


def _page(entries: Iterator[Entry], show: Callable[[Entry], dict[str, Any]]) -> dict[str, Any]:
    """Return as many entries as there is room for, one at least, and what the next page is before."""
    space, commits, following = payloads.room(), [], None
    for entry in entries:
        commit = show(entry)
        if not space.fits(commit):
            break
        commits.append(commit)
        following = entry.commit if entry.has_older else None
    return {"commits": commits, "next": following}


def _before(repository: Repository, query: dict[str, Any]) -> CommitId | None:
    return None if query["before"] is None else repository.find(query["before"])


def _logged(entry: Entry, *, full: bool) -> dict[str, Any]:
    space = payloads.room()
    files = [{"path": file.path, **_changed(file, space, full=full)} for file in entry.files]
    return {
        **payloads.commit(entry.commit, entry.signature),
        "files": files,
        **({"more_files": entry.more_files} if entry.more_files else {}),
    }


def _version(entry: Entry, *, full: bool) -> dict[str, Any]:
    return {**payloads.commit(entry.commit, entry.signature), **_changed(entry.files[0], payloads.room(), full=full)}


def _changed(file: ChangedFile, space: Room, *, full: bool) -> dict[str, Any]:
    action = "deleted" if file.new is None else "created" if file.old is None else "updated"
    if file.differences is None:
        return {"action": action, "version": file.new, "changes": None, "note": file.note}
    return {"action": action, "version": file.new, **payloads.changes(file.differences, space, full=full)}
