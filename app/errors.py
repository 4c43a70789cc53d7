"""The one table of errors: the status, code and message that answer each exception."""

import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, jsonify, make_response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app.auth import Forbidden, Unauthorized
from app.domain.errors import (
    Conflict,
    ImportRefused,
    NameNotPortable,
    NotFound,
    NotPermitted,
    PreconditionFailed,
    TooMuchToRead,
)
from app.runs.failures import BudgetSpent, NotReady
from app.runs.ledger.database import LedgerUnavailable
from app.runs.ledger.deletions import InUse
from app.runs.ledger.runs import RunGone
from app.runs.models.endpoint_fields import EndpointsInvalid
from app.runs.reading import NoRun, PageTooLarge
from app.schemas.base import InvalidRequest, Mistake
from app.web import error_pages
from app.wire import context, moved
from app.wire.body import BrokenBody, SlowBody
from app.wire.context import InvalidHeader
from app.wire.credentials import hide_credentials
from app.wire.failed_logins import TooManyFailedLogins
from app.wire.moved import Moved
from app.wire.rates import TooManyRequests
from app.wire.turns import TooBusy
from storage.errors import (
    BranchExists,
    LayoutUnknown,
    NameTaken,
    RepositoryDamaged,
    RepositoryNotFound,
    RevisionAmbiguous,
    RevisionNotFound,
    StorageUnavailable,
    TagExists,
    TooLarge,
)

CODES = {
    301: "REPO_MOVED",
    308: "REPO_MOVED",
    400: "INVALID_INPUT",
    401: "UNAUTHORIZED",
    402: "PAYMENT_REQUIRED",
    403: "FORBIDDEN",
    404: "RESOURCE_NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TOO_SLOW",
    409: "RESOURCE_CONFLICT",
    412: "PRECONDITION_FAILED",
    413: "PAYLOAD_TOO_LARGE",
    414: "ADDRESS_TOO_LONG",
    417: "EXPECTATION_FAILED",
    429: "RATE_LIMITED",
    431: "HEADERS_TOO_LARGE",
    500: "INTERNAL_ERROR",
    501: "NOT_IMPLEMENTED",
    503: "STORAGE_UNAVAILABLE",
}

# A subclass has the status of its nearest base that is listed here.
STATUSES: dict[type, int] = {
    BrokenBody: 400,
    InvalidHeader: 400,
    NotReady: 400,
    Unauthorized: 401,
    BudgetSpent: 402,
    Forbidden: 403,
    NotPermitted: 403,
    NotFound: 404,
    NoRun: 404,
    RunGone: 404,
    RepositoryNotFound: 404,
    RevisionNotFound: 404,
    SlowBody: 408,
    Conflict: 409,
    InUse: 409,
    NameTaken: 409,
    RevisionAmbiguous: 409,
    BranchExists: 409,
    TagExists: 409,
    PreconditionFailed: 412,
    TooBusy: 429,
    TooMuchToRead: 413,
    PageTooLarge: 413,
    TooManyFailedLogins: 429,
    TooManyRequests: 429,
    EndpointsInvalid: 503,
    LayoutUnknown: 503,
    LedgerUnavailable: 503,
    RepositoryDamaged: 503,
    StorageUnavailable: 503,
}

_RETRY_AFTER_SECONDS = "5"
_HTTP_MESSAGES = {
    404: "There is nothing at {path}. All operations are listed at {prefix}/docs.",
    405: "{method} is not allowed at {path}.",
    413: "The body is larger than {limit} bytes, which is the most that this server takes.",
}

_log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Answer every exception by the table, and add to every answer the headers that all have."""
    app.before_request(context.begin)
    app.teardown_request(context.end)
    for kind in STATUSES:
        app.register_error_handler(kind, _answer_known)
    app.register_error_handler(InvalidRequest, _answer_mistakes)
    app.register_error_handler(TooLarge, _answer_too_large)
    app.register_error_handler(NameNotPortable, _answer_unportable)
    app.register_error_handler(ImportRefused, _answer_import)
    app.register_error_handler(MemoryError, _answer_no_memory)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_bug)
    app.after_request(_add_headers)


def _answer_known(error: Exception) -> Response:
    if isinstance(error, Unauthorized) and error_pages.is_page():
        return error_pages.ask_to_sign_in(str(error))
    found = moved.find(error)
    if found is not None:
        return _answer_moved(found)
    status = next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    response = _answer(status, str(error))
    if isinstance(error, Unauthorized):
        response.headers["WWW-Authenticate"] = f'{error.scheme} realm="Bakehouse"'
    if status == HTTPStatus.CONFLICT:
        response.headers["X-Should-Retry"] = "false"  # otherwise the SDKs send the request two more times
    if isinstance(error, TooManyRequests | TooManyFailedLogins | TooBusy):
        response.headers["Retry-After"] = str(error.seconds)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = _RETRY_AFTER_SECONDS
        _log.error("%s", error)
    return response


def _answer_moved(found: Moved) -> Response:
    response = _answer(found.status, found.message)
    if found.location is None:
        response.headers["X-Should-Retry"] = "false"
    else:
        response.headers["Location"] = found.location
        response.headers["Cache-Control"] = "no-cache"  # the next repo of that name ends the redirect
    return response


def _answer_mistakes(error: InvalidRequest) -> Response:
    if error_pages.is_page():
        return error_pages.show(422, error.sentences)
    detail: list[dict[str, Any]] = [
        {
            "loc": [hide_credentials(part) if isinstance(part, str) else part for part in location],
            "msg": hide_credentials(mistake.message),
            "type": mistake.type,
        }
        for location, mistake in error.told
    ]
    return make_response(jsonify(detail=detail), HTTPStatus.UNPROCESSABLE_ENTITY)


def _answer_too_large(error: TooLarge) -> Response:
    return _answer_mistakes(InvalidRequest([(("body",), Mistake("too_large", f"{error}."))]))


def _answer_unportable(error: NameNotPortable) -> Response:
    place = "path" if error.field in (request.view_args or {}) else "body"
    mistake = Mistake("string_pattern_mismatch", str(error))
    return _answer_mistakes(InvalidRequest([((place, error.field), mistake)]))


def _answer_import(error: ImportRefused) -> Response:
    return _answer_mistakes(InvalidRequest([(("body",), Mistake("import_refused", found)) for found in error.findings]))


def _answer_no_memory(_: MemoryError) -> Response:
    response = _answer(503, "The server has too little memory for this request, for now.")
    response.headers["Retry-After"] = _RETRY_AFTER_SECONDS
    _log.error("%s %s: memory ran out", request.method, request.path)
    return response


def _answer_http(error: HTTPException) -> Response:
    request.routing_exception = None  # its traceback refers to the request: a cycle
    found = error_pages.find_page() if error.code == HTTPStatus.NOT_FOUND and request.endpoint is None else None
    if found is not None:
        return found
    status = error.code if error.code in CODES else HTTPStatus.BAD_REQUEST
    message = error.description or "This request cannot be answered."
    if status in _HTTP_MESSAGES:
        settings = context.services().settings
        message = _HTTP_MESSAGES[status].format(
            path=request.path,
            method=request.method,
            limit=settings.max_body,
            prefix=settings.prefix,
        )
    response = _answer(status, message)
    if isinstance(error, MethodNotAllowed):
        response.allow.update(error.valid_methods or ())
    return response


def _answer_bug(error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.path, exc_info=error)
    return _answer(500, bug_message(context.request_id()))


def bug_message(request_id: str) -> str:
    """Return what the answer to a request says that failed by a fault of the server."""
    return f"The server failed. Its log says why, under request id {request_id}."


def _answer(status: int, message: str) -> Response:
    message = hide_credentials(message)
    if error_pages.is_page():
        return error_pages.show(status, [message])
    if request.path.startswith("/git/") and request.user_agent.string.startswith("git/"):
        # git prints a plain text to its user, as `remote: …`, and no JSON
        return Response(f"{message}\n", status, content_type="text/plain; charset=utf-8")
    return make_response(jsonify(message=message, code=CODES[status]), status)


def _add_headers(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Request-Id"] = context.request_id()
    return response
