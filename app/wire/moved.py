"""Answers about a repo under a name that it has no longer: where it is now, for those who may know."""

from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, quote, urlencode

from flask import g, request

from app.auth import Forbidden, Principal, authorize
from app.domain.errors import NotFound
from app.domain.tokens import Access
from app.registry.life import former_names, unfinished
from app.registry.life.places import exists, place_of
from app.wire.context import READING, places, principal, services
from storage.errors import RepositoryNotFound, StorageError
from storage.repository import Repository

HEADERS = {"Location": "The address of the same resource, under the repo's present name."}


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a repo is now: the answer's status and message, and the address for reading."""

    status: int
    message: str
    location: str | None


def find(error: Exception) -> Moved | None:
    """Return where the repo is that a request asked for in vain; None where the error says all.

    Nobody learns more than under the present name: the caller must have the access there that the request needs.
    """
    names = request.view_args or {}
    if "repo_name" not in names or "principal" not in g or request.endpoint == "git.receive_pack":
        return None
    is_other = not isinstance(error, RepositoryNotFound | Forbidden | NotFound)
    if is_other or (isinstance(error, NotFound) and error.kind != "Repo"):
        return None
    caller: Principal = principal()
    try:
        place = _present(place_of(caller.owner, names["repo_name"]))
        return None if place is None else _answer(caller, *place.split("/"))
    except (Forbidden, NotFound, StorageError):
        return None


def _present(place: str) -> str | None:
    """Return the present `<user>/<repo>` of a repo that had this name, or None."""
    if exists(services().store, place):
        return None
    head = services().accounts.use(Repository.head)
    if any(unfinished.begun(head)):  # a crash cut a rename short
        places()
        head = services().accounts.use(Repository.head)
    found = former_names.find(head, place)
    return found if found is not None and exists(services().store, found) else None


def _answer(caller: Principal, owner: str, name: str) -> Moved | None:
    needed = g.get("needed", Access.READ)
    authorize(services().store, replace(caller, owner=owner), needed, name)
    is_given = owner != caller.owner
    now = f"'{name}' of user '{owner}'" if is_given else f"'{name}'"
    message = f"Repo '{(request.view_args or {})['repo_name']}' is now {now}."
    if needed is Access.WRITE:
        return Moved(409, f"{message} Nothing was changed: send the request there.", None)
    if is_given and "X-User-Id" in request.headers:  # it would be sent again, and count more than the address
        return Moved(409, f"{message} Send its name with 'X-User-Id: {owner}'.", None)
    return Moved(301 if request.method in READING else 308, message, _location(caller, owner, name))


def _location(caller: Principal, owner: str, name: str) -> str:
    parts = request.path.split(
        "/"
    )  # "", "v1", "repo", its name, …; "", "git", its owner, its name, …; or "", its owner, its name, …
    query = request.query_string.decode("ascii", "replace")
    if parts[1] == "git":
        parts[2:4] = [owner, f"{name}.git" if parts[3].endswith(".git") else name]
    elif "owner" in (request.view_args or {}):  # a page
        parts[1:3] = [owner, name]
    else:
        parts[3] = name
        if owner != caller.owner:
            given = [(field, value) for field, value in parse_qsl(query, keep_blank_values=True) if field != "user_id"]
            query = urlencode([*given, ("user_id", owner)])
    prefix = services().settings.prefix or request.script_root
    return f"{prefix}{quote('/'.join(parts), safe='/@+')}{f'?{query}' if query else ''}"
