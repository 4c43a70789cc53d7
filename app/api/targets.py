"""`/v1/repo/{repo_name}/targets`."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import Blueprint

from app.api import examples, payloads, target_pages
from app.api.batches import load_each
from app.domain.errors import Conflict
from app.registry.configs import target_batches, targets, usage
from app.registry.configs.target_files import FOLDER, Target
from app.registry.configs.target_requests import TargetRequest
from app.schemas.batches import DeletedInUseSchema, TargetBatchedSchema
from app.schemas.lists import TargetListQuerySchema, TargetPageSchema
from app.schemas.revisions import RefQuerySchema
from app.schemas.targets import (
    TargetBatchSchema,
    TargetCreateSchema,
    TargetListSchema,
    TargetPutSchema,
    TargetSchema,
    WrittenTargetSchema,
)
from app.wire import context, versions
from app.wire.contract import Answer, accepts, returns

blueprint = Blueprint("targets", __name__, url_prefix="/v1/repo/<repo_name>/targets")
blueprint.before_request(context.authorize)

_ITEM = TargetCreateSchema()


@blueprint.post("")
@accepts(TargetCreateSchema, example=examples.CREATE_TARGET, conditions=("If-Match",))
@returns(WrittenTargetSchema, 201, 200, errors=(404, 409, 412), headers=versions.HEADERS | versions.LOCATION)
def create_target(repo_name: str, body: dict[str, Any]) -> Answer:
    """Create a target.

    200 if it exists with the same template and overrides, or with the same resolved config. `If-Match` is
    about the version of the list.
    """
    written = targets.create(context.repository(repo_name), context.origin(), _request(body), versions.precondition())
    return _answer(written.target, 201 if written.is_new else 200, written.warnings)


@blueprint.get("")
@accepts(query=TargetListQuerySchema, conditions=("If-None-Match",))
@returns(
    (TargetListSchema, TargetPageSchema),
    *(200, 304),
    errors=(404, 409, 413),
    headers=versions.PAGE_HEADERS,
    text=target_pages.CSV,
)
def list_targets(repo_name: str, query: dict[str, Any]) -> Answer:
    """List the targets of a repo: all names, or pages with values, chosen by filters.

    With any parameter but `ref`, or as `text/csv`, the answer is a page.
    """
    if target_pages.is_asked(query):
        return target_pages.answer(repo_name, query)
    snapshot = context.snapshot(repo_name, query)
    version = FOLDER.version(snapshot)
    headers = versions.headers(version, snapshot.commit)
    if versions.is_known(version):
        return {}, 304, headers
    return {"targets": FOLDER.names(snapshot)}, 200, headers


@blueprint.post("/batch")
@accepts(TargetBatchSchema, example=examples.TARGET_BATCH, conditions=("If-Match",))
@returns(TargetBatchedSchema, 200, errors=(404, 409, 412), headers=versions.CHANGED_HEADERS)
def create_target_batch(repo_name: str, body: dict[str, Any]) -> Answer:
    """Create targets, in one commit.

    A target may have an earlier one of the batch as its template. A target with mistakes is listed in
    `failed`, and the others are written. If one exists with another configuration, nothing is written.
    `If-Match` is about the version of the list.
    """
    return _write_batch(repo_name, body, replacing=False)


@blueprint.put("/batch")
@accepts(TargetBatchSchema, example=examples.TARGET_BATCH, conditions=("If-Match",))
@returns(TargetBatchedSchema, 200, errors=(404, 409, 412), headers=versions.CHANGED_HEADERS)
def put_target_batch(repo_name: str, body: dict[str, Any]) -> Answer:
    """Create or replace targets, in one commit.

    Like POST, but existing targets are replaced.
    """
    return _write_batch(repo_name, body, replacing=True)


@blueprint.get("/<item:target_name>")
@accepts(query=RefQuerySchema, conditions=("If-None-Match",))
@returns(TargetSchema, 200, 304, errors=(404, 409), headers=versions.HEADERS)
def get_target(repo_name: str, target_name: str, query: dict[str, Any]) -> Answer:
    """Read a target."""
    snapshot = context.snapshot(repo_name, query)
    version = FOLDER.expect(snapshot, target_name)
    headers = versions.headers(version, snapshot.commit)
    status = 304 if versions.is_known(version) else 200
    return lambda: _payload(targets.get(snapshot, target_name)), status, headers


@blueprint.put("/<item:target_name>")
@accepts(TargetPutSchema, example=examples.PUT_TARGET, conditions=versions.CONDITIONS)
@returns(WrittenTargetSchema, 200, errors=(404, 409, 412), headers=versions.HEADERS)
def put_target(repo_name: str, target_name: str, body: dict[str, Any]) -> Answer:
    """Create or replace a target.

    Its template may be the target itself: then the overrides apply to its current config.
    """
    asked = _request({"target_name": target_name, **body})
    written = targets.put(context.repository(repo_name), context.origin(), asked, versions.precondition())
    return _answer(written.target, 200, written.warnings)


@blueprint.delete("/<item:target_name>")
@accepts(conditions=versions.CONDITIONS)
@returns(DeletedInUseSchema, 200, errors=(404, 412), headers=versions.DELETED_HEADERS)
def delete_target(repo_name: str, target_name: str) -> Answer:
    """Delete a target. Its history stays, and targets made from it do not change.

    Question templates that no other target names are deleted with it.
    """
    repository = context.repository(repo_name)
    commit = targets.delete(repository, context.origin(), target_name, versions.precondition())
    used_by = usage.users_of_target(repository.at(commit), target_name)
    return payloads.deleted(f"Target '{target_name}'", used_by), 200, {"Git-Commit": commit}


def _request(body: dict[str, Any]) -> TargetRequest:
    return TargetRequest.of(body["target_name"], body["template"], body.get("overrides"))


def _write_batch(repo_name: str, body: dict[str, Any], *, replacing: bool) -> Answer:
    repository = context.repository(repo_name)
    items = ((_item_name(index, item), item) for index, item in enumerate(body["targets"]))
    wanted, failed = load_each(_ITEM, items)
    asked = []
    for name, item in wanted:
        try:
            asked.append(_request(item))
        except Conflict as error:  # two generators bring the same file
            failed[name] = str(error)
    written = target_batches.write_all(
        repository, context.origin(), asked, versions.precondition(), replacing=replacing
    )
    answer = {"created": written.versions, "failed": {**failed, **written.failed}, "versions": written.versions}
    return {**answer, **payloads.warned(written.warnings)}, 200, {"Git-Commit": written.commit}


def _item_name(index: int, item: Any) -> str:
    name = item.get("target_name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else f"targets[{index}]"


def _answer(target: Target, status: int, warnings: Sequence[str] = ()) -> Answer:
    headers = versions.headers(target.version, target.commit)
    if status == HTTPStatus.CREATED:
        headers |= versions.location(target.name)
    return {**_payload(target), **payloads.warned(warnings)}, status, headers


def _payload(target: Target) -> dict[str, Any]:
    return {"target_name": target.name, "config": target.config}
