"""`/v1/repo/{repo_name}/log`, and the histories of targets, prompts and the default."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from flask import Blueprint

from app.api import payloads
from app.registry.audit import history
from app.registry.audit.history import Entry
from app.registry.configs import things
from app.registry.configs.things import Thing
from app.schemas.history import HistorySchema, LogQuerySchema, LogSchema, PageQuerySchema
from app.wire import allowance, context, logs, versions
from app.wire.contract import Answer, accepts, returns
from storage.ids import CommitId

blueprint = Blueprint("history", __name__, url_prefix="/v1/repo/<repo_name>")
blueprint.before_request(context.authorize)


@blueprint.get("/log")
@accepts(query=LogQuerySchema)
@returns(LogSchema, 200, errors=(404, 409), headers=versions.COMMIT_HEADERS)
def get_log(repo_name: str, query: dict[str, Any]) -> Answer:
    """List the commits of a repo, newest first, with the fields that each changed, or with one `field` alone."""
    repository, snapshot = context.repository(repo_name), context.snapshot(repo_name, query)
    entries = logs.of_repo(repository, snapshot, query, allowance.work())
    return _page(entries, partial(_logged, full=query["full"])), 200, versions.commit_headers(snapshot)


@blueprint.get("/targets/<item:target_name>/history")
@accepts(query=PageQuerySchema, conditions=("If-None-Match",))
@returns(HistorySchema, 200, 304, errors=(404, 409), headers=versions.ANSWER_HEADERS)
def get_target_history(repo_name: str, target_name: str, query: dict[str, Any]) -> Answer:
    """List the commits that changed a target, newest first.

    A deleted target keeps its history.
    """
    return _history(repo_name, things.target(target_name), query)


@blueprint.get("/prompts/<item:prompt_name>/history")
@accepts(query=PageQuerySchema, conditions=("If-None-Match",))
@returns(HistorySchema, 200, 304, errors=(404, 409), headers=versions.ANSWER_HEADERS)
def get_prompt_history(repo_name: str, prompt_name: str, query: dict[str, Any]) -> Answer:
    """List the commits that changed a prompt, newest first.

    A deleted prompt keeps its history.
    """
    return _history(repo_name, things.prompt(prompt_name), query)


@blueprint.get("/defaults/target/history")
@accepts(query=PageQuerySchema, conditions=("If-None-Match",))
@returns(HistorySchema, 200, 304, errors=(404, 409), headers=versions.ANSWER_HEADERS)
def get_default_history(repo_name: str, query: dict[str, Any]) -> Answer:
    """List the commits that changed the template called `default`, newest first."""
    return _history(repo_name, things.DEFAULT, query)


def _history(repo_name: str, thing: Thing, query: dict[str, Any]) -> Answer:
    repository, snapshot = context.repository(repo_name), context.snapshot(repo_name, query)
    before = logs.before(repository, query)
    entries = history.of_thing(repository, snapshot, thing, allowance.work(), before=before, limit=query["limit"])
    version = versions.of_answer(snapshot, query)
    status = 304 if versions.is_known(version) else 200
    shown = partial(_page, entries, partial(_version, full=query["full"]))
    return shown, status, versions.headers(version, snapshot.commit)


def _page(entries: Iterable[Entry | CommitId | None], show: Callable[[Entry], dict[str, Any]]) -> dict[str, Any]:
    commits, following = logs.fitting(entries, show, allowance.room().fits)
    return {"commits": commits, "next": following}


def _logged(entry: Entry, *, full: bool) -> dict[str, Any]:
    space = allowance.room()
    files = [{"path": file.path, **payloads.changed_file(file, space, full=full)} for file in entry.files]
    more = {"more_files": entry.more_files} if entry.more_files else {}
    return {**payloads.commit(entry.commit, entry.signature), "files": files, **more}


def _version(entry: Entry, *, full: bool) -> dict[str, Any]:
    changed = payloads.changed_file(entry.files[0], allowance.room(), full=full)
    return {**payloads.commit(entry.commit, entry.signature), **changed}
