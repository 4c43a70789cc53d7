"""`/v1/repo/{repo_name}/targets`."""

from typing import Any

from flask import Blueprint, request

from app.api import context, versions
from app.api.contract import accepts, returns
from app.registry import targets
from app.registry.targets import Target
from app.schemas.targets import TargetCreateSchema, TargetListSchema, TargetPutSchema, TargetSchema

blueprint = Blueprint("targets", __name__, url_prefix="/v1/repo/<repo_name>/targets")
blueprint.before_request(context.authenticate)

Answer = tuple[dict[str, Any], int, dict[str, str]]


@blueprint.post("")
@accepts(TargetCreateSchema)
@returns(
    TargetSchema,
    201,
    200,
    errors=(404, 409),
    headers={**versions.HEADERS, "Location": "Where a new target can be read."},
)
def create_target(repo_name: str, body: dict[str, Any]) -> Answer:
    """Create a target.

    200 where it exists with the same template and overrides, or resolves to the same config.
    """
    target, created = targets.create(
        context.repository(repo_name),
        context.origin(),
        body["target_name"],
        body["template"],
        body.get("overrides") or {},
    )
    payload, status, headers = _answer(target, 201 if created else 200)
    if created:
        headers["Location"] = f"{request.path}/{target.name}"
    return payload, status, headers


@blueprint.get("")
@accepts()
@returns(TargetListSchema, 200, errors=(404,))
def list_targets(repo_name: str) -> Answer:
    """List the targets of a repo."""
    return {"targets": targets.list_names(context.repository(repo_name))}, 200, {}


@blueprint.get("/<target_name>")
@accepts(conditions=("If-None-Match",))
@returns(TargetSchema, 200, 304, errors=(404,), headers=versions.HEADERS)
def get_target(repo_name: str, target_name: str) -> Answer:
    """Read a target.

    304 where `If-None-Match` names its version.
    """
    target = targets.get(context.repository(repo_name), target_name)
    return _answer(target, 304 if versions.is_known(target.version) else 200)


@blueprint.put("/<target_name>")
@accepts(TargetPutSchema, conditions=("If-Match", "If-None-Match"))
@returns(TargetSchema, 200, errors=(404, 409, 412), headers=versions.HEADERS)
def put_target(repo_name: str, target_name: str, body: dict[str, Any]) -> Answer:
    """Create or replace a target.

    Its template may be the target itself: overrides on top of what it is now.
    """
    target = targets.put(
        context.repository(repo_name),
        context.origin(),
        target_name,
        body["template"],
        body.get("overrides") or {},
        versions.precondition(),
    )
    return _answer(target, 200)


def _answer(target: Target, status: int) -> Answer:
    payload = {"target_name": target.name, "config": target.config}
    return payload, status, versions.headers(target.version, target.commit)
