"""`/v1/repo/{repo_name}/prompts`."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint

from app.api import examples, payloads
from app.api.batches import load_each
from app.registry.configs import prompts, usage
from app.registry.configs.prompts import Prompt
from app.schemas.batches import BatchSchema, DeletedInUseSchema
from app.schemas.prompts import (
    MessagesSchema,
    PromptBatchSchema,
    PromptCreateSchema,
    PromptListSchema,
    PromptPutSchema,
    PromptSchema,
)
from app.schemas.revisions import RefQuerySchema
from app.wire import context, versions
from app.wire.contract import Answer, accepts, returns

blueprint = Blueprint("prompts", __name__, url_prefix="/v1/repo/<repo_name>/prompts")
blueprint.before_request(context.authorize)


@blueprint.post("")
@accepts(PromptCreateSchema, example=examples.CREATE_PROMPT, conditions=("If-Match",))
@returns(PromptSchema, 201, 200, errors=(404, 409, 412), headers=versions.HEADERS | versions.LOCATION)
def create_prompt(repo_name: str, body: dict[str, Any]) -> Answer:
    """Create a prompt.

    200 if it exists with the same content. `If-Match` is about the version of the list.
    """
    asked = Prompt(body["prompt_name"], body["messages"], body.get("tools"))
    prompt, created = prompts.create(context.repository(repo_name), context.origin(), asked, versions.precondition())
    return _answer(prompt, 201 if created else 200)


@blueprint.get("")
@accepts(query=RefQuerySchema, conditions=("If-None-Match",))
@returns(PromptListSchema, 200, 304, errors=(404, 409), headers=versions.LIST_HEADERS)
def list_prompts(repo_name: str, query: dict[str, Any]) -> Answer:
    """List the prompts of a repo."""
    snapshot = context.snapshot(repo_name, query)
    version = prompts.FOLDER.version(snapshot)
    headers = versions.headers(version, snapshot.commit)
    if versions.is_known(version):
        return {}, 304, headers
    return {"prompts": prompts.FOLDER.names(snapshot)}, 200, headers


@blueprint.post("/batch")
@accepts(PromptBatchSchema, example=examples.PROMPT_BATCH, conditions=("If-Match",))
@returns(BatchSchema, 200, errors=(404, 409, 412), headers=versions.CHANGED_HEADERS)
def create_prompt_batch(repo_name: str, body: dict[str, Any]) -> Answer:
    """Create or replace prompts, in one commit.

    A prompt with mistakes is listed in `failed`, and the others are written. An invalid name is a 422.
    `If-Match` is about the version of the list.
    """
    return _put_batch(repo_name, body)


@blueprint.put("/batch")
@accepts(PromptBatchSchema, example=examples.PROMPT_BATCH, conditions=("If-Match",))
@returns(BatchSchema, 200, errors=(404, 409, 412), headers=versions.CHANGED_HEADERS)
def put_prompt_batch(repo_name: str, body: dict[str, Any]) -> Answer:
    """Create or replace prompts, in one commit. Deprecated: use POST."""
    return _put_batch(repo_name, body)


@blueprint.get("/<item:prompt_name>")
@accepts(query=RefQuerySchema, conditions=("If-None-Match",))
@returns(PromptSchema, 200, 304, errors=(404, 409), headers=versions.HEADERS)
def get_prompt(repo_name: str, prompt_name: str, query: dict[str, Any]) -> Answer:
    """Read a prompt."""
    snapshot = context.snapshot(repo_name, query)
    version = prompts.FOLDER.expect(snapshot, prompt_name)
    headers = versions.headers(version, snapshot.commit)
    status = 304 if versions.is_known(version) else 200
    return lambda: _payload(prompts.get(snapshot, prompt_name)), status, headers


@blueprint.put("/<item:prompt_name>")
@accepts(PromptPutSchema, example=examples.PUT_PROMPT, conditions=versions.CONDITIONS)
@returns(PromptSchema, 200, errors=(404, 409, 412), headers=versions.HEADERS)
def put_prompt(repo_name: str, prompt_name: str, body: dict[str, Any]) -> Answer:
    """Create or replace a prompt."""
    asked = Prompt(prompt_name, body["messages"], body.get("tools"))
    prompt = prompts.put(context.repository(repo_name), context.origin(), asked, versions.precondition())
    return _answer(prompt, 200)


@blueprint.delete("/<item:prompt_name>")
@accepts(conditions=versions.CONDITIONS)
@returns(DeletedInUseSchema, 200, errors=(404, 412), headers=versions.DELETED_HEADERS)
def delete_prompt(repo_name: str, prompt_name: str) -> Answer:
    """Delete a prompt. Its history stays, and targets that name it do not change."""
    repository = context.repository(repo_name)
    commit = prompts.FOLDER.delete(repository, context.origin(), prompt_name, versions.precondition())
    used_by = usage.users_of_prompt(repository.at(commit), prompt_name)
    return payloads.deleted(f"Prompt '{prompt_name}'", used_by), 200, {"Git-Commit": commit}


def _put_batch(repo_name: str, body: dict[str, Any]) -> Answer:
    items = ((name, {"messages": messages}) for name, messages in body["prompts"].items())
    wanted, failed = load_each(MessagesSchema(), items)
    asked = [Prompt(name, item["messages"]) for name, item in wanted]
    written, commit = prompts.put_all(context.repository(repo_name), context.origin(), asked, versions.precondition())
    return {"created": written, "failed": failed, "versions": written}, 200, {"Git-Commit": commit}


def _answer(prompt: Prompt, status: int) -> Answer:
    headers = versions.headers(prompt.version, prompt.commit)
    if status == HTTPStatus.CREATED:
        headers |= versions.location(prompt.name)
    return _payload(prompt), status, headers


def _payload(prompt: Prompt) -> dict[str, Any]:
    return {"prompt_name": prompt.name, **prompt.document()}
