"""The served application, with views beside it that do less, or do it as others would.

`python -m tests.benchmarks.yardsticks` serves them as `bakehouse serve` would.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from threading import Lock
from typing import IO, Any

import git
from flask import Blueprint, Flask, Response, current_app, request

from app import create_app
from app.api import examples
from app.api.repos import list_repos
from app.api.targets import list_targets
from app.cli import serving
from app.domain.resolution import Config, in_order, normalize, resolve
from app.registry import documents
from app.registry.configs.defaults import first_config
from app.registry.repos import DEFAULT_BASE_MODEL
from app.schemas.targets import TargetCreateSchema, TargetSchema
from app.settings import Settings
from app.wire import context, versions
from app.wire.contract import Answer, accepts, returns
from storage.machine import cores

DEFAULT_CONFIG = first_config(DEFAULT_BASE_MODEL)

_MADE_UP = "0" * 40  # stands for a version and a commit that do not exist

# As the targets of a repo are: the same path, admission and headers.
creating = Blueprint("creating", __name__, url_prefix="/yardstick/repo/<repo_name>")
creating.before_request(context.authorize)

_one_at_a_time = Lock()


@creating.post("/nothing-stored")
@accepts(TargetCreateSchema, example=examples.CREATE_TARGET)
@returns(TargetSchema, 201, headers=versions.HEADERS | versions.LOCATION)
def store_nothing(repo_name: str, body: dict[str, Any]) -> Answer:  # noqa: ARG001
    """Validate, resolve and answer; write nothing."""
    return _answer(body["target_name"], _resolve(body), _MADE_UP, _MADE_UP)


@creating.post("/gitpython")
@accepts(TargetCreateSchema, example=examples.CREATE_TARGET)
@returns(TargetSchema, 201, headers=versions.HEADERS | versions.LOCATION)
def commit_through_index(repo_name: str, body: dict[str, Any]) -> Answer:  # noqa: ARG001
    """Do the same work with GitPython's index, as its tutorial does; nothing is flushed."""
    name, config = body["target_name"], _resolve(body)
    author = git.Actor("alice", "alice@example.org")
    with _one_at_a_time:
        repository = _open_index_repository()
        path = Path(str(repository.working_tree_dir), f"{name}.yml")
        path.write_bytes(documents.dump({"config": config}))
        (entry,) = repository.index.add([str(path)])
        commit = repository.index.commit(f"Create target {name}", author=author, committer=author)
    return _answer(name, config, entry.hexsha, commit.hexsha)


def _resolve(body: dict[str, Any]) -> Config:
    return in_order(resolve(DEFAULT_CONFIG, normalize(body["overrides"])))


def _answer(name: str, config: Config, version: str, commit: str) -> Answer:
    payload = {"target_name": name, "config": config}
    return payload, 201, versions.headers(version, commit) | versions.location(name)


@cache
def _open_index_repository() -> git.Repo:
    return git.Repo.init(context.services().settings.data_dir / "index-repository")


blueprint = Blueprint("yardsticks", __name__, url_prefix="/yardstick")
blueprint.before_request(context.authenticate)


@blueprint.get("/nothing-read")
@accepts()
@returns(TargetSchema, 200)
def read_nothing() -> Answer:
    """Authenticate and answer a target from memory."""
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


backend = Blueprint("backend", __name__, url_prefix="/yardstick/backend")


@backend.route("/<path:path>", methods=["GET", "POST"])
def run_http_backend(path: str) -> Response:
    """Do what git's own server program does: `git http-backend`, by CGI."""
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(context.services().settings.data_dir),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "PATH_INFO": f"/{path}",
        "QUERY_STRING": request.query_string.decode(),
        "REQUEST_METHOD": request.method,
        "REMOTE_USER": "alice",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": request.content_type or "",
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    with tempfile.TemporaryFile() as body, cores.on_all_cores():
        shutil.copyfileobj(request.stream, body)
        body.seek(0)
        process = subprocess.Popen(["git", "http-backend"], env=environment, stdin=body, stdout=subprocess.PIPE)
    assert process.stdout is not None
    headers = dict(_cgi_headers(process.stdout))
    status = headers.pop("Status", "200").partition(" ")[0]
    return Response(_pieces(process), int(status), headers)


def _cgi_headers(output: IO[bytes]) -> Iterator[tuple[str, str]]:
    while line := output.readline().decode().strip():
        name, _, value = line.partition(": ")
        yield name, value


def _pieces(process: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    assert process.stdout is not None
    with process.stdout as output:
        while piece := output.read1(64 * 1024):  # type: ignore[attr-defined]
            yield piece
    process.wait()


def create(settings: Settings) -> Flask:
    """Return the application with the views beside it."""
    app = create_app(settings)
    app.register_blueprint(creating)
    app.register_blueprint(blueprint)
    app.register_blueprint(backend)
    return app


if __name__ == "__main__":
    serving.run(create)
