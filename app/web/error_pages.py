"""Errors as pages: what is wrong, where, and what to do."""

from collections.abc import Sequence
from http import HTTPStatus

from flask import Response, make_response, redirect, request, url_for
from flask.globals import request_ctx
from werkzeug.exceptions import HTTPException

from app.web import rendering, session
from app.wire.context import READING

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
    response = rendering.page("error.html", status, title=title, messages=messages, status=status)
    return rendering.protect(response)


def ask_to_sign_in(message: str) -> Response:
    """Lead to the sign-in and back again; a form that was sent is told so instead, since it would be lost."""
    if request.method not in READING:
        return show(HTTPStatus.UNAUTHORIZED, [message, "Nothing was changed. Sign in in another tab, and send again."])
    there = request.full_path.rstrip("?")
    address = url_for("web.home.sign_in", next=None if there == "/" else there)
    return rendering.protect(make_response(redirect(address, HTTPStatus.SEE_OTHER)))
