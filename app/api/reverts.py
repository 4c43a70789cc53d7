"""`…/revert`: targets, prompts and the default as they were, in a new commit."""

from typing import Any

from flask import Blueprint

from app.api import examples, payloads
from app.registry.configs import reverts, things
from app.registry.configs.reverts import Reverted
from app.registry.configs.things import Thing
from app.schemas.diffs import RevertSchema
from app.schemas.prompts import PromptSchema
from app.schemas.targets import WrittenDefaultTargetSchema, WrittenTargetSchema
from app.wire import context, versions
from app.wire.contract import Answer, accepts, returns

blueprint = Blueprint("reverts", __name__, url_prefix="/v1/repo/<repo_name>")
blueprint.before_request(context.authorize)


@blueprint.post("/targets/<item:target_name>/revert")
@accepts(RevertSchema, example=examples.REVERT, conditions=versions.CONDITIONS)
@returns(WrittenTargetSchema, 200, errors=(404, 409, 412), headers=versions.HEADERS)
def revert_target(repo_name: str, target_name: str, body: dict[str, Any]) -> Answer:
    """Put a target back as it was at a commit, in a new commit. This also restores a deleted target."""
    done, headers = _revert(repo_name, things.target(target_name), body)
    answer = {"target_name": target_name, "config": done.content.fields, **payloads.warned(done.warnings)}
    return answer, 200, headers


@blueprint.post("/prompts/<item:prompt_name>/revert")
@accepts(RevertSchema, example=examples.REVERT, conditions=versions.CONDITIONS)
@returns(PromptSchema, 200, errors=(404, 409, 412), headers=versions.HEADERS)
def revert_prompt(repo_name: str, prompt_name: str, body: dict[str, Any]) -> Answer:
    """Put a prompt back as it was at a commit, in a new commit. This also restores a deleted prompt."""
    done, headers = _revert(repo_name, things.prompt(prompt_name), body)
    return {"prompt_name": prompt_name, **done.content.fields}, 200, headers


@blueprint.post("/defaults/target/revert")
@accepts(RevertSchema, example=examples.REVERT, conditions=versions.CONDITIONS)
@returns(WrittenDefaultTargetSchema, 200, errors=(404, 409, 412), headers=versions.HEADERS)
def revert_default_target(repo_name: str, body: dict[str, Any]) -> Answer:
    """Put the template called `default` back as it was at a commit, in a new commit.

    Targets that were made from it keep their configuration.
    """
    done, headers = _revert(repo_name, things.DEFAULT, body)
    return {"config": done.content.fields, **payloads.warned(done.warnings)}, 200, headers


def _revert(repo_name: str, thing: Thing, body: dict[str, Any]) -> tuple[Reverted, dict[str, str]]:
    done = reverts.revert(context.repository(repo_name), context.origin(), thing, body["to"], versions.precondition())
    return done, versions.headers(done.content.version, done.commit)
