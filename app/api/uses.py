"""`…/uses`: who uses a prompt, a target or a question template."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from flask import Blueprint

from app.api import payloads
from app.domain.errors import NotFound
from app.registry.audit import uses
from app.registry.configs import question_templates, things, usage
from app.schemas.uses import PromptUsesSchema, QuestionTemplateUsesSchema, TargetUsesSchema, UsesQuerySchema
from app.wire import allowance, context, versions
from app.wire.contract import Answer, accepts, returns
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.tags import Tag

blueprint = Blueprint("uses", __name__, url_prefix="/v1/repo/<repo_name>")
blueprint.before_request(context.authorize)

_Part = dict[str, Any]
_FindUsers = Callable[[Snapshot], Iterator[_Part]]


@blueprint.get("/prompts/<item:prompt_name>/uses")
@accepts(query=UsesQuerySchema, conditions=("If-None-Match",))
@returns(PromptUsesSchema, 200, 304, errors=(404, 409), headers=versions.USES_HEADERS)
def list_prompt_uses(repo_name: str, prompt_name: str, query: dict[str, Any]) -> Answer:
    """List who uses a prompt: the targets that name it, and the labels and tags that hold it.

    A prompt that is not there may be named all the same: then `exists` is false.
    """

    def find(snapshot: Snapshot) -> Iterator[_Part]:
        for user in usage.of_prompt(snapshot, prompt_name):
            yield {"target_name": user.name, "fields_": user.fields}

    thing = things.prompt(prompt_name)
    return _uses(repo_name, query, payloads.named(thing), thing.path, NotFound("Prompt", prompt_name), find)


@blueprint.get("/targets/<item:target_name>/uses")
@accepts(query=UsesQuerySchema, conditions=("If-None-Match",))
@returns(TargetUsesSchema, 200, 304, errors=(404, 409), headers=versions.USES_HEADERS)
def list_target_uses(repo_name: str, target_name: str, query: dict[str, Any]) -> Answer:
    """List who uses a target: the targets that were made from it, and the labels and tags that hold it.

    Targets may have been made from a target that is not there any more: then `exists` is false.
    """

    def find(snapshot: Snapshot) -> Iterator[_Part]:
        for name, depth in usage.descendants(snapshot, target_name):
            template, state = usage.state(snapshot, name)
            yield {"target_name": name, "depth": depth, "template": template, "state": state}

    thing = things.target(target_name)
    return _uses(repo_name, query, payloads.named(thing), thing.path, NotFound("Target", target_name), find)


@blueprint.get("/question-templates/<file_name>/uses")
@accepts(query=UsesQuerySchema, conditions=("If-None-Match",))
@returns(QuestionTemplateUsesSchema, 200, 304, errors=(404, 409), headers=versions.USES_HEADERS)
def list_question_template_uses(repo_name: str, file_name: str, query: dict[str, Any]) -> Answer:
    """List who uses a question template: the targets that own or name it, and the labels and tags that hold it.

    A file that is not there may be named all the same: then `exists` is false.
    """
    path = question_templates.path(file_name)

    def find(snapshot: Snapshot) -> Iterator[_Part]:
        for user in usage.of_file(snapshot, path):
            yield {"target_name": user.name, "owned": user.owned}

    return _uses(repo_name, query, {"file_name": file_name}, path, question_templates.missing(file_name), find)


def _uses(repo_name: str, query: _Part, named: _Part, path: str, missing: NotFound, find: _FindUsers) -> Answer:
    repository, snapshot = context.repository(repo_name), context.snapshot(repo_name, query)
    if snapshot.version(path) is None and next(find(snapshot), None) is None:
        uses.expect_ever(repository, snapshot, path, missing)
    tags = repository.tags()
    version = versions.of_answer(snapshot, {**query, "tags": [(tag.name, tag.commit) for tag in tags]})
    status = 304 if versions.is_known(version) else 200

    def page() -> _Part:
        parts = _parts(repository, snapshot, path, find(snapshot), tags)
        return {**named, **_page(snapshot, path, parts, query["offset"])}

    return page, status, versions.headers(version, snapshot.commit)


def _parts(
    repository: Repository, snapshot: Snapshot, path: str, users: Iterator[_Part], tags: Sequence[Tag]
) -> Iterator[tuple[str, _Part]]:
    """Yield the uses, each with the kind that it is of: the targets, then the labels, then the tags."""
    yield from (("targets", user) for user in users)
    now = snapshot.version(path)
    for kind, held in uses.held_by(repository, snapshot, path, tags):
        same = held.version == now
        yield kind, {"name": held.name, "commit": held.commit, "version": held.version, "same": same}


def _page(snapshot: Snapshot, path: str, parts: Iterator[tuple[str, _Part]], offset: int) -> _Part:
    """Return the uses that there is room for, one at least."""
    space, version = allowance.room(), snapshot.version(path)
    shown: dict[str, list[_Part]] = {"targets": [], "labels": [], "tags": []}
    count, following = offset, None
    for kind, part in islice(parts, offset, None):
        if not space.fits(part):
            following = {"ref": snapshot.commit, "offset": count}
            break
        shown[kind].append(part)
        count += 1
    return {"exists": version is not None, "version": version, **shown, "next": following}
