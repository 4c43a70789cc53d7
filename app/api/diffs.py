"""`…/diff`: targets, prompts and the default, compared with what they were, or with another of their kind."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, request

from app.api import payloads
from app.domain.differences import compare
from app.registry import revisions
from app.registry.configs import things
from app.registry.configs.things import Content, Thing
from app.registry.revisions import Ref
from app.schemas.base import InvalidRequest, Mistake
from app.schemas.diffs import (
    DefaultDiffQuerySchema,
    DefaultDiffSchema,
    PromptDiffQuerySchema,
    PromptDiffSchema,
    TargetDiffQuerySchema,
    TargetDiffSchema,
)
from app.wire import allowance, context, versions
from app.wire.contract import Answer, TextFormat, accepts, returns
from storage.repository import Repository
from storage.snapshot import Snapshot

blueprint = Blueprint("diffs", __name__, url_prefix="/v1/repo/<repo_name>")
blueprint.before_request(context.authorize)

TEXT_DIFF = TextFormat("text/x-diff", "What `git diff` prints for the two files; nothing if they are equal.")


@blueprint.get("/targets/<item:target_name>/diff")
@accepts(query=TargetDiffQuerySchema, conditions=("If-None-Match",))
@returns(TargetDiffSchema, 200, 304, errors=(404, 409, 413), headers=versions.DIFF_HEADERS, text=TEXT_DIFF)
def get_target_diff(repo_name: str, target_name: str, query: dict[str, Any]) -> Answer:
    """Compare a target with itself at another commit, or with another target.

    As a JSON Patch and field by field, or with `Accept: text/x-diff` as `git diff` prints it.
    """
    return _diff(repo_name, things.target, target_name, query)


@blueprint.get("/prompts/<item:prompt_name>/diff")
@accepts(query=PromptDiffQuerySchema, conditions=("If-None-Match",))
@returns(PromptDiffSchema, 200, 304, errors=(404, 409, 413), headers=versions.DIFF_HEADERS, text=TEXT_DIFF)
def get_prompt_diff(repo_name: str, prompt_name: str, query: dict[str, Any]) -> Answer:
    """Compare a prompt with itself at another commit, or with another prompt.

    As a JSON Patch and field by field, or with `Accept: text/x-diff` as `git diff` prints it.
    """
    return _diff(repo_name, things.prompt, prompt_name, query)


@blueprint.get("/defaults/target/diff")
@accepts(query=DefaultDiffQuerySchema, conditions=("If-None-Match",))
@returns(DefaultDiffSchema, 200, 304, errors=(404, 409, 413), headers=versions.DIFF_HEADERS, text=TEXT_DIFF)
def get_default_diff(repo_name: str, query: dict[str, Any]) -> Answer:
    """Compare the template called `default` with itself at another commit.

    As a JSON Patch and field by field, or with `Accept: text/x-diff` as `git diff` prints it.
    """
    return _diff(repo_name, lambda _: things.DEFAULT, things.DEFAULT.name, {**query, "against": None})


def _diff(repo_name: str, find: Callable[[str], Thing], name: str, query: dict[str, Any]) -> Answer:
    repository = context.repository(repo_name)
    against = None if query["against"] == name else query["against"]
    then, now = _sides(repository, query["from_"], query["to"], against)
    sides = (then, find(against or name)), (now, find(name))
    for snapshot, thing in sides:
        thing.expect(snapshot)
    is_text = request.accept_mimetypes.best_match(["application/json", TEXT_DIFF.media_type]) == TEXT_DIFF.media_type
    asked = {"from": then.commit, "against": against, "full": query["full"], "text": is_text}
    version = versions.of_answer(now, asked)
    headers = {"ETag": f'"{version}"'}
    if versions.is_known(version):
        return {}, 304, headers
    if is_text:
        old, new = ((snapshot.commit, thing.path) for snapshot, thing in sides)
        return repository.comparisons.text_of_files(old, new), 200, headers
    return lambda: _compare(repository, sides, full=query["full"]), 200, headers


def _compare(repository: Repository, sides: tuple[tuple[Snapshot, Thing], ...], *, full: bool) -> dict[str, Any]:
    work = allowance.work()
    for snapshot, thing in sides:
        work.expect("The comparison", len(snapshot.blob(thing.expect(snapshot))))
    old, new = (thing.content(snapshot) for snapshot, thing in sides)
    return {
        "from_": _compared(repository, *sides[0], old),
        "to": _compared(repository, *sides[1], new),
        **payloads.comparison(compare(old.fields, new.fields), allowance.room(), full=full),
    }


def _sides(repository: Repository, from_: Ref | None, to: Ref | None, against: str | None) -> tuple[Snapshot, Snapshot]:
    """Return the old and the new side of a comparison; InvalidRequest if they are the same."""
    now = revisions.at(repository, to)
    if from_ is None:
        if against is None:
            mistake = Mistake("missing", "This field is required, unless 'against' names another one")
            raise InvalidRequest([(("query", "from"), mistake)])
        return now, now
    then = revisions.at(repository, from_)
    if then.commit == now.commit and against is None:
        mistake = Mistake("value_error", f"'from' and 'to' are the same commit, {now.commit}")
        raise InvalidRequest([(("query", "to"), mistake)])
    return then, now


def _compared(repository: Repository, snapshot: Snapshot, thing: Thing, content: Content) -> dict[str, Any]:
    changed = repository.last_changes([thing.path], snapshot.commit)[thing.path]
    return {
        **payloads.named(thing),
        "commit": snapshot.commit,
        "version": content.version,
        "changed": payloads.commit(changed, repository.signature(changed)),
    }
