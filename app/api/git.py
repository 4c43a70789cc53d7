"""`/git/{user}/{repo}.git`, also without `.git`: git's smart HTTP protocol, for reading only."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from typing import IO, Any

from flask import Blueprint, Response, g, request

from app.auth import Forbidden, NotShared, authenticate_git, authorize
from app.domain.errors import NotFound
from app.domain.tokens import Access
from app.registry import repos
from app.schemas.base import InvalidRequest
from app.wire import context
from app.wire.body import pieces
from app.wire.query import find_mistakes
from storage.errors import StorageUnavailable
from storage.repository import Repository

blueprint = Blueprint("git", __name__, url_prefix="/git/<owner>/<repo_name>")

_UPLOAD_PACK = "git-upload-pack"
_NO_PUSHES = "Bakehouse does not take pushes: change targets through its API, and fetch the commits."
_ONLY_FETCHES = "Only git-upload-pack (clone and fetch) is served here; use git 1.6.6 or newer."
_NO_CACHE = {"Cache-Control": "no-cache, max-age=0, must-revalidate", "Expires": "0", "Pragma": "no-cache"}


@blueprint.url_value_preprocessor
def allow_ending(_: str | None, values: dict[str, Any] | None) -> None:
    """Take the URL of a repo with and without `.git`: no repo has a name that ends so."""
    if values:
        values["repo_name"] = values["repo_name"].removesuffix(".git")


@blueprint.before_request
def authenticate() -> None:
    """Identify who clones. Git sends a password only after a 401."""
    g.admit = authenticate
    accounts, given = context.services().accounts, request.authorization
    owner = (request.view_args or {})["owner"]
    context.identify(lambda key: authenticate_git(accounts, key, given, owner), given.username if given else None)


@blueprint.get("/info/refs")
def info_refs(owner: str, repo_name: str) -> Response:
    """Answer the first request of a clone or fetch."""
    _refuse_other_parameters("service")
    service = request.args.get("service")
    if service != _UPLOAD_PACK:
        raise Forbidden(_NO_PUSHES if service == "git-receive-pack" else _ONLY_FETCHES)
    answer = _open(owner, repo_name).fetches.advertise_refs(_protocol())
    return Response(answer, content_type=f"application/x-{_UPLOAD_PACK}-advertisement", headers=_NO_CACHE)


@blueprint.post(f"/{_UPLOAD_PACK}")
def upload_pack(owner: str, repo_name: str) -> Response:
    """Stream the objects that a clone or fetch asks for."""
    _refuse_other_parameters()
    _open(owner, repo_name)  # answer 403 or 404 before the client has sent its request
    end = context.stream()
    try:
        with context.readmit_if_slow():
            wanted = spool(repo_name)
        answer = _open(owner, repo_name).fetches.upload_pack(_protocol(), wanted)
    except BaseException:
        end()
        raise
    response = Response(answer, content_type=f"application/x-{_UPLOAD_PACK}-result", headers=_NO_CACHE)
    response.call_on_close(end)
    return response


@blueprint.post("/git-receive-pack")
def receive_pack(owner: str, repo_name: str) -> Response:  # noqa: ARG001 — the route's variables
    """Refuse a push."""
    raise Forbidden(_NO_PUSHES)


def _refuse_other_parameters(*names: str) -> None:
    mistakes = find_mistakes(names)
    if mistakes:
        raise InvalidRequest(mistakes)


def _open(owner: str, repo_name: str) -> Repository:
    store = context.services().store
    try:
        authorize(store, context.principal(), Access.READ, repo_name)
    except NotShared as error:  # do not reveal whether another user's repo exists
        raise NotFound("Repo", repo_name) from error
    return repos.open_repository(store, owner, repo_name)


def _protocol() -> str:
    return request.headers.get("Git-Protocol", "")[:256]


def spool(
    repo_name: str, make: Callable[..., IO[bytes]] = tempfile.TemporaryFile, limit: int | None = None
) -> IO[bytes]:
    """Return the request's body, of `limit` bytes at most, as a file: no git process waits for a slow client."""
    with ExitStack() as on_error:
        try:
            file = on_error.enter_context(make(buffering=0))
            for piece in pieces(limit):
                while piece:
                    piece = piece[file.write(piece) :]
            file.seek(0)
        except OSError as error:
            reason = f"the folder for temporary files cannot take the request ({error.strerror})"
            raise StorageUnavailable(repo_name, reason) from error
        on_error.pop_all()
    return file
