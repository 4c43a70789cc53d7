"""Answers to what gunicorn refuses before the application sees it, in the form of the API."""

import json
import logging
import socket
import uuid
from http import HTTPStatus
from typing import Any

from gunicorn import util
from gunicorn.http.errors import (
    ExpectationFailed,
    InvalidChunkExtension,
    InvalidChunkSize,
    InvalidHeader,
    InvalidHeaderName,
    InvalidHTTPVersion,
    InvalidRequestLine,
    InvalidRequestMethod,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    InvalidSchemeHeaders,
    LimitRequestHeaders,
    LimitRequestLine,
    ObsoleteFolding,
    ParseException,
    UnsupportedTransferCoding,
)

from app.cli.gunicorn_log import log_access
from app.errors import CODES, bug_message
from app.wire import logged_request
from app.wire.logged_request import LoggedRequest

# No message repeats what was sent: it may be a secret.
_REASONS: dict[type[Exception], tuple[int, str]] = {
    InvalidRequestLine: (400, "The first line of the request is not of the form '<method> <address> HTTP/1.1'."),
    InvalidRequestMethod: (400, "The method of the request is not one of HTTP."),
    InvalidHTTPVersion: (400, "The request is not HTTP/1.0 or HTTP/1.1."),
    InvalidHeaderName: (400, "The name of a header has characters that it must not have."),
    InvalidHeader: (400, "A header is not of the form '<name>: <value>', or is there twice, or has a wrong value."),
    ObsoleteFolding: (400, "A header must be on one line."),
    InvalidSchemeHeaders: (400, "The headers of the proxy contradict each other about https."),
    InvalidChunkSize: (400, "The body cannot be read: it is not in chunks as its header says."),
    InvalidChunkExtension: (400, "The body cannot be read: it is not in chunks as its header says."),
    LimitRequestLine: (414, "The address of the request is too long."),
    ExpectationFailed: (417, "The header Expect may only be '100-continue'."),
    LimitRequestHeaders: (431, "The request has too many headers, or one that is too long."),
    UnsupportedTransferCoding: (501, "The header Transfer-Encoding may only be 'chunked'."),
}
_OF_THE_APPLICATION = (InvalidResponseHeader, InvalidResponseHeaderName)  # bases: a header that a client sent

_log = logging.getLogger(__name__)


def answer(environ: dict[str, Any], client: socket.socket, error: Exception) -> None:
    """Log why a request failed, and answer it. `environ` has what is known about the request."""
    known = logged_request.current.get()
    request = known or LoggedRequest(uuid.uuid4().hex)
    logged_request.current.set(request)
    if isinstance(error, ParseException) and not isinstance(error, _OF_THE_APPLICATION):
        status, message = next(
            (_REASONS[kind] for kind in type(error).__mro__ if kind in _REASONS),
            (400, "The request is not one of HTTP."),
        )
        _log.warning("Refused a request from %s: %s", environ["REMOTE_ADDR"], message)
    else:
        status, message = 500, bug_message(request.request_id)
        _log.error("A request failed", exc_info=error)
    body = json.dumps({"message": message, "code": CODES[status]}, separators=(",", ":")) + "\n"
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"Connection: close\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"X-Content-Type-Options: nosniff\r\nX-Request-Id: {request.request_id}\r\n\r\n"
    )
    log_access(environ, status, len(body), 0.0)
    util.write_nonblock(client, (head + body).encode())
