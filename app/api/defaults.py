"""`/v1/repo/{repo_name}/defaults`: the template called `default`."""

from typing import Any

from flask import Blueprint

from app.api import examples, payloads
from app.registry.configs import defaults
from app.registry.configs.defaults import DefaultTarget
from app.schemas.revisions import RefQuerySchema
from app.schemas.targets import DefaultTargetPutSchema, DefaultTargetSchema, WrittenDefaultTargetSchema
from app.wire import context, versions
from app.wire.contract import Answer, accepts, returns

blueprint = Blueprint("defaults", __name__, url_prefix="/v1/repo/<repo_name>/defaults")
blueprint.before_request(context.authorize)


@blueprint.get("/target")
@accepts(query=RefQuerySchema, conditions=("If-None-Match",))
@returns(DefaultTargetSchema, 200, 304, errors=(404, 409), headers=versions.HEADERS)
def get_default_target(repo_name: str, query: dict[str, Any]) -> Answer:
    """Read the template called `default`."""
    snapshot = context.snapshot(repo_name, query)
    version = defaults.version(snapshot)
    headers = versions.headers(version, snapshot.commit)
    status = 304 if versions.is_known(version) else 200
    return lambda: {"config": defaults.get(snapshot).config}, status, headers


@blueprint.put("/target")
@accepts(DefaultTargetPutSchema, example=examples.PUT_DEFAULT, conditions=versions.CONDITIONS)
@returns(WrittenDefaultTargetSchema, 200, errors=(404, 409, 412), headers=versions.HEADERS)
def put_default_target(repo_name: str, body: dict[str, Any]) -> Answer:
    """Replace the template called `default`.

    Targets that were made from it keep their configuration.
    """
    default = defaults.put(context.repository(repo_name), context.origin(), body["config"], versions.precondition())
    return _answer(default, 200)


def _answer(default: DefaultTarget, status: int) -> Answer:
    answer = {"config": default.config, **payloads.warned(default.warnings)}
    return answer, status, versions.headers(default.version, default.commit)
