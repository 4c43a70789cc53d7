"""The one table: which exception is answered with which status, code and message."""

import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, jsonify, make_response, request
from werkzeug.exceptions import HTTPException

from app.auth import Forbidden, NotShared, Unauthorized
from app.domain.errors import Conflict, NotFound, PreconditionFailed
from app.schemas.base import InvalidRequest
from app.wire import context
from app.wire.body import BrokenBody
from app.wire.context import InvalidHeader
from app.wire.rates import TooManyRequests
from storage.errors import (
    NameTaken,
    RepositoryDamaged,
    RepositoryNotFound,
    RevisionAmbiguous,
    RevisionNotFound,
    StorageUnavailable,
    TagExists,
    TipMoved,
)

CODES = {
    400: "INVALID_INPUT",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "RESOURCE_NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "RESOURCE_CONFLICT",
    412: "PRECONDITION_FAILED",
    413: "PAYLOAD_TOO_LARGE",
    429: "RATE_LIMITED",
    500: "INTERNAL_ERROR",
    503: "STORAGE_UNAVAILABLE",
}

STATUSES: dict[type[Exception], int] = {
    BrokenBody: 400,
    InvalidHeader: 400,
    Unauthorized: 401,
    Forbidden: 403,
    NotShared: 403,
    NotFound: 404,
    RepositoryNotFound: 404,
    RevisionNotFound: 404,
    Conflict: 409,
    NameTaken: 409,
    RevisionAmbiguous: 409,
    TagExists: 409,
    PreconditionFailed: 412,
    TooManyRequests: 429,
    TipMoved: 503,
    RepositoryDamaged: 503,
    StorageUnavailable: 503,
}

_RETRY_AFTER_SECONDS = "5"
_HTTP_MESSAGES = {
    404: "There is nothing at {path}. What there is stands at /docs.",
    405: "{method} is not allowed at {path}.",
    413: "The body is larger than {limit} bytes, which is the most that this server takes.",
}

_log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Answer every exception by the table, and give every answer its request id."""
    for kind in STATUSES:
        app.register_error_handler(kind, _answer_known)
    app.register_error_handler(InvalidRequest, _answer_mistakes)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_bug)
    app.after_request(_add_request_id)


def _answer_known(error: Exception) -> Response:
    status = STATUSES[type(error)]
    response = _answer(status, str(error))
    if isinstance(error, Unauthorized):
        response.headers["WWW-Authenticate"] = f'{error.scheme} realm="Bakehouse"'
    if status == HTTPStatus.CONFLICT:
        response.headers["X-Should-Retry"] = "false"  # the SDKs would, twice, and find it as it is
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.seconds)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = _RETRY_AFTER_SECONDS
        _log.error("%s", error)
    return response


def _answer_mistakes(error: InvalidRequest) -> Response:
    detail: list[dict[str, Any]] = [
        {"loc": list(location), "msg": mistake.message, "type": mistake.type}
        for location, mistake in error.mistakes
    ]
    return make_response(jsonify(detail=detail), HTTPStatus.UNPROCESSABLE_ENTITY)


def _answer_http(error: HTTPException) -> Response:
    request.routing_exception = None  # its traceback leads to the request: they would hold each other
    status = error.code if error.code in CODES else HTTPStatus.BAD_REQUEST
    message = error.description or "This request cannot be answered."
    if status in _HTTP_MESSAGES:
        message = _HTTP_MESSAGES[status].format(
            path=request.path, method=request.method, limit=request.max_content_length
        )
    response = _answer(status, message)
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def _answer_bug(error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.path, exc_info=error)
    return _answer(500, f"The server failed. Its log tells why, under request id {context.request_id()}.")


def _answer(status: int, message: str) -> Response:
    if request.path.startswith("/git/") and request.user_agent.string.startswith("git/"):
        # git shows its user what an error says, as `remote: …`, if it is plain text
        return Response(f"{message}\n", status, content_type="text/plain; charset=utf-8")
    return make_response(jsonify(message=message, code=CODES[status]), status)


def _add_request_id(response: Response) -> Response:
    response.headers["X-Request-Id"] = context.request_id()
    return response
