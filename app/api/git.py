"""`/git/{user}/{repo}.git`: git's smart HTTP protocol, for reading only."""

import tempfile
import zlib
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from app.api import context
from app.api.body import pieces
from app.api.context import InvalidHeader
from app.auth import Forbidden, NotShared, authenticate_git, authorize
from app.registry import repos
from app.registry.errors import NotFound
from app.registry.tokens import Access
from storage.repository import Repository

if TYPE_CHECKING:
    from zlib import _Decompress as Unpacker

blueprint = Blueprint("git", __name__, url_prefix="/git/<owner>/<repo_name>.git")

_PIECE = 64 * 1024
_UPLOAD_PACK = "git-upload-pack"
_NO_CACHE = {"Cache-Control": "no-cache, max-age=0, must-revalidate", "Expires": "0", "Pragma": "no-cache"}


@blueprint.before_request
def authenticate() -> None:
    """Find out who clones. Git asks its user for a password only after a 401."""
    g.admit = authenticate
    services = context.services()
    owner = (request.view_args or {})["owner"]
    g.principal = authenticate_git(services.accounts, services.master_key, request.authorization, owner)


@blueprint.get("/info/refs")
def info_refs(owner: str, repo_name: str) -> Response:
    """Answer the first request of a clone or fetch."""
    service = request.args.get("service")
    if service != _UPLOAD_PACK:
        raise Forbidden(_refusal(service))
    answer = _open(owner, repo_name).advertise_refs(_protocol())
    return Response(answer, content_type=f"application/x-{_UPLOAD_PACK}-advertisement", headers=_NO_CACHE)


@blueprint.post(f"/{_UPLOAD_PACK}")
def upload_pack(owner: str, repo_name: str) -> Response:
    """Stream the objects that a clone or fetch asks for."""
    _open(owner, repo_name)  # before it sends anything, a client is told that there is no such repo
    with context.while_waiting():
        wanted = _spool()
    answer = _open(owner, repo_name).upload_pack(_protocol(), wanted)
    return Response(answer, content_type=f"application/x-{_UPLOAD_PACK}-result", headers=_NO_CACHE)


@blueprint.post("/git-receive-pack")
def receive_pack(owner: str, repo_name: str) -> Response:  # noqa: ARG001 — the route's variables
    """Refuse a push."""
    raise Forbidden(_refusal("git-receive-pack"))


def _open(owner: str, repo_name: str) -> Repository:
    store = context.services().store
    try:
        authorize(store, context.principal(), Access.READ, repo_name)
    except NotShared as error:  # to a stranger, git says what it says of a repo that never was
        raise NotFound("Repo", repo_name) from error
    return repos.open_repository(store, owner, repo_name)


def _protocol() -> str:
    return request.headers.get("Git-Protocol", "")[:256]


def _refusal(service: str | None) -> str:
    if service == "git-receive-pack":
        return "Bakehouse does not take pushes: change targets through its API, and fetch what that commits."
    return "Only git-upload-pack (clone and fetch) is served here; use git 1.6.6 or newer."


def _spool() -> IO[bytes]:
    """Return the request's body, unpacked, as a file: git reads it, however slow the client was."""
    limit = request.max_content_length or 0
    unpack = zlib.decompressobj(wbits=31) if request.content_encoding == "gzip" else None
    spool = tempfile.TemporaryFile()  # noqa: SIM115 — the process that reads it closes it
    size = 0
    try:
        for piece in pieces():
            for part in _unpacked(unpack, piece):
                size += len(part)
                if size > limit:
                    raise RequestEntityTooLarge
                spool.write(part)
    except zlib.error as error:
        raise InvalidHeader("The body is not gzip, as the header Content-Encoding says.") from error
    spool.seek(0)
    return spool


def _unpacked(unpack: "Unpacker | None", piece: bytes) -> Iterator[bytes]:
    """Yield a piece unpacked, in pieces: a few bytes may unpack to gigabytes."""
    if unpack is None:
        yield piece
        return
    while piece:
        yield unpack.decompress(piece, _PIECE)
        piece = unpack.unconsumed_tail
