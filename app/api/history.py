"""`/v1/repo/{repo_name}/log`, and the histories of targets, prompts and the default."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from flask import Blueprint

from app.api import payloads
from app.domain.field_paths import keys_of
from app.registry.audit import field_log, history, log_filters
from app.registry.audit.history import Entry
from app.registry.configs import things
from app.registry.configs.things import Thing
from app.schemas.history import HistorySchema, LogQuerySchema, LogSchema, PageQuerySchema
from app.wire import allowance, context, versions
from app.wire.contract import Answer, accepts, returns
from storage.ids import CommitId
from storage.repository import Repository

blueprint = Blueprint("history", __name__, url_prefix="/v1/repo/<repo_name>")
blueprint.before_request(context.authorize)


@blueprint.get("/log")
@accepts(query=LogQuerySchema)
@returns(LogSchema, 200, errors=(404, 409), headers=versions.COMMIT_HEADERS)
def get_log(repo_name: str, query: dict[str, Any]) -> Answer:
    """List the commits of a repo, newest first, with the fields that each changed, or with one `field` alone."""
    repository, snapshot = context.repository(repo_name), context.snapshot(repo_name, query)
    before = _before(repository, query)
    asked = {name: query[name] for name in query.keys() - PageQuerySchema().fields.keys() - {"field"}}
    wanted = log_filters.read(asked, context.services().accounts, context.principal().owner)
    work, limit = allowance.work(), query["limit"]
    entries: Iterable[Entry | CommitId | None]
    if query["field"] is None:
        entries = history.of_repo(repository, snapshot, wanted, work, before=before, limit=limit)
    else:
        keys = keys_of(query["field"])
        entries = field_log.search(repository, snapshot, keys, wanted, work, before=before, limit=limit)
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
    before = _before(repository, query)
    entries = history.of_thing(repository, snapshot, thing, allowance.work(), before=before, limit=query["limit"])
    version = versions.of_answer(snapshot, query)
    status = 304 if versions.is_known(version) else 200
    shown = partial(_page, entries, partial(_version, full=query["full"]))
    return shown, status, versions.headers(version, snapshot.commit)


def _page(entries: Iterable[Entry | CommitId | None], show: Callable[[Entry], dict[str, Any]]) -> dict[str, Any]:
    """Return as many entries as there is room for, one at least, and what the next page is before.

    Another commit in place of the last entry says so, and None that there is no next page.
    """
    space, commits, following = allowance.room(), [], None
    for entry in entries:
        if not isinstance(entry, Entry):
            following = entry
            break
        commit = show(entry)
        if not space.fits(commit):
            break
        commits.append(commit)
        following = entry.commit if entry.has_older else None
    return {"commits": commits, "next": following}


def _before(repository: Repository, query: dict[str, Any]) -> CommitId | None:
    return None if query["before"] is None else repository.find(query["before"])


def _logged(entry: Entry, *, full: bool) -> dict[str, Any]:
    space = allowance.room()
    files = [{"path": file.path, **payloads.changed_file(file, space, full=full)} for file in entry.files]
    more = {"more_files": entry.more_files} if entry.more_files else {}
    return {**payloads.commit(entry.commit, entry.signature), "files": files, **more}


def _version(entry: Entry, *, full: bool) -> dict[str, Any]:
    changed = payloads.changed_file(entry.files[0], allowance.room(), full=full)
    return {**payloads.commit(entry.commit, entry.signature), **changed}
