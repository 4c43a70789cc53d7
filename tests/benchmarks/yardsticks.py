"""The served application, with views beside it that do less, or do it as others would.

`gunicorn tests.benchmarks.yardsticks:app`, with the settings of Bakehouse in the environment.
"""

from pathlib import Path
from threading import Lock
from typing import Any

import git
from flask import Blueprint, Response, current_app

from app import create_app
from app.api import context
from app.api.contract import accepts, returns
from app.api.repos import list_repos
from app.api.targets import list_targets
from app.registry import documents
from app.registry.defaults import first_config
from app.registry.repos import DEFAULT_BASE_MODEL
from app.registry.resolution import in_order, normalize, resolve
from app.schemas.targets import TargetCreateSchema, TargetSchema
from app.settings import Settings

DEFAULT_CONFIG = first_config(DEFAULT_BASE_MODEL)

Answer = tuple[dict[str, Any], int, dict[str, str]]

blueprint = Blueprint("yardsticks", __name__, url_prefix="/yardstick")
blueprint.before_request(context.authenticate)

_one_at_a_time = Lock()
_index_repository: git.Repo | None = None


@blueprint.post("/nothing-stored")
@accepts(TargetCreateSchema)
@returns(TargetSchema, 201)
def store_nothing(body: dict[str, Any]) -> Answer:
    """Validate, resolve and answer; write nothing."""
    config = in_order(resolve(DEFAULT_CONFIG, normalize(body["overrides"])))
    return {"target_name": body["target_name"], "config": config}, 201, {}


@blueprint.post("/gitpython")
@accepts(TargetCreateSchema)
@returns(TargetSchema, 201)
def commit_through_index(body: dict[str, Any]) -> Answer:
    """Do the same work with GitPython's index, as its tutorial does; nothing is flushed."""
    config = in_order(resolve(DEFAULT_CONFIG, normalize(body["overrides"])))
    author = git.Actor("alice", "alice@example.org")
    with _one_at_a_time:
        repository = _open_index_repository()
        path = Path(str(repository.working_tree_dir), f"{body['target_name']}.yml")
        path.write_bytes(documents.dump({"config": config}))
        repository.index.add([str(path)])
        repository.index.commit(f"Create target {body['target_name']}", author=author, committer=author)
    return {"target_name": body["target_name"], "config": config}, 201, {}


@blueprint.get("/nothing-read")
@accepts()
@returns(TargetSchema, 200)
def read_nothing() -> Answer:
    """Authenticate and answer a target that lies in memory."""
    return {"target_name": "nothing", "config": {}}, 200, {}


@blueprint.get("/<repo_name>/many-bytes/<int:names>")
def list_few_targets_with_many_bytes(repo_name: str, names: int) -> Response:
    """Do what a list of a small repo does, and send as many bytes as many names have."""
    answer = current_app.make_response(list_targets(repo_name=repo_name))
    return Response(b'"target-12345",' * names, headers=answer.headers, content_type="application/json")


@blueprint.get("/repos/<int:names>")
def list_few_repos_with_many_bytes(names: int) -> Response:
    """Do what a list of few repos does, and send as many bytes as many names have."""
    answer = current_app.make_response(list_repos())
    return Response(b'"r1234",' * names, headers=answer.headers, content_type="application/json")


def _open_index_repository() -> git.Repo:
    global _index_repository
    if _index_repository is None:
        _index_repository = git.Repo.init(context.services().settings.data_dir / "index-repository")
    return _index_repository


app = create_app(Settings.from_env())
app.register_blueprint(blueprint)
