"""Errors as pages: what is wrong, where, and what to do."""

from collections.abc import Sequence
from http import HTTPStatus

from flask import Response, g, make_response, redirect, request, url_for
from flask.globals import request_ctx
from werkzeug.exceptions import HTTPException

from app.registry.configs import things
from app.web import rendering, session
from app.wire.context import READING
from storage.errors import StorageError

_API = ("/v1/", "/git/", "/openapi.json")


def is_page() -> bool:
    """Tell whether the answer to this request should be a page."""
    if request.endpoint is not None:
        return "web" in request.blueprints and not session.is_of_api()
    wants_page = request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
    return wants_page and not request.path.startswith(_API)


def find_page() -> Response | None:
    """Lead to the address without slashes that are too many, as people type them, where it is that of a page."""
    path = f"/{'/'.join(filter(None, request.path.split('/')))}"
    adapter = request_ctx.url_adapter
    if path == request.path or request.method not in READING or adapter is None:
        return None
    try:
        endpoint, names = adapter.match(path, method="GET")
    except HTTPException:
        return None
    if not endpoint.startswith("web."):
        return None
    query = request.query_string.decode("ascii", "replace")
    address = url_for(endpoint, **names)
    return make_response(redirect(f"{address}?{query}" if query else address, HTTPStatus.MOVED_PERMANENTLY))


def show(status: int, messages: Sequence[str]) -> Response:
    """Return an error as a page."""
    title = HTTPStatus(status).phrase
    history = _history_of_deleted() if status == HTTPStatus.NOT_FOUND else None
    values = {"title": title, "messages": messages, "status": status, "history": history}
    return rendering.protect(rendering.page("error.html", status, **values))


def _history_of_deleted() -> str | None:
    """Return the address of the history of the target or prompt that is asked for, where it was deleted."""
    place, names = g.get("place"), request.view_args or {}
    kind = next((kind for kind in ("target", "prompt") if f"{kind}_name" in names), None)
    if place is None or kind is None:
        return None
    name = names[f"{kind}_name"]
    path = (things.target if kind == "target" else things.prompt)(name).path
    try:
        now = place.repository.head()
        is_deleted = now.version(path) is None and bool(place.repository.versions(path, now.commit))
    except StorageError:  # the page says already what is wrong
        return None
    address = {"owner": place.owner, "repo_name": place.repo_name, f"{kind}_name": name}
    return url_for(f"web.history.of_{kind}", **address) if is_deleted else None


def ask_to_sign_in(message: str) -> Response:
    """Lead to the sign-in and back again; a form that was sent is told so instead, since it would be lost."""
    if request.method not in READING:
        return show(HTTPStatus.UNAUTHORIZED, [message, "Nothing was changed. Sign in in another tab, and send again."])
    there = request.full_path.rstrip("?")
    address = url_for("web.home.sign_in", next=None if there == "/" else there)
    return rendering.protect(make_response(redirect(address, HTTPStatus.SEE_OTHER)))
