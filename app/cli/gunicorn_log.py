"""gunicorn's messages, and a line for each request, in the log of Bakehouse."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, quote

from gunicorn.glogging import Logger

from app import logs
from app.wire import logged_request

_PATH_CHARACTERS = "/:@!$&'()*+,;="

_access = logging.getLogger(logs.ACCESS)


class GunicornLog(Logger):  # type: ignore[misc]
    """gunicorn's log without handlers of its own."""

    def setup(self, cfg: Any) -> None:
        """Hand all messages on to the log that `logs.configure` made."""
        self.cfg = cfg
        self.error_log.propagate = True

    def access(self, resp: Any, req: Any, environ: Mapping[str, Any], request_time: timedelta) -> None:  # noqa: ARG002
        """Log a request that was answered, or cut off."""
        status = int(resp.status.split()[0]) if resp.status else 0  # 0: no answer was begun
        log_access(environ, status, resp.sent, request_time.total_seconds())


def log_access(environ: Mapping[str, Any], status: int, sent: int, seconds: float) -> None:
    """Log a line about a request. Of its query the line has the names only: values may be secrets."""
    if not _access.isEnabledFor(logging.INFO):
        return
    request = logged_request.current.get()
    fields = {
        "method": environ.get("REQUEST_METHOD", "-"),
        "path": _path(environ),
        "status": status,
        "bytes": sent,
        "seconds": round(seconds, 6),
        "token": (request.token if request else None) or "-",
        "address": (request.address if request else None) or environ.get("REMOTE_ADDR"),
    }
    _access.info(
        "%(method)s %(path)s %(status)d, %(bytes)d bytes in %(seconds).4f s, token %(token)s, from %(address)s",
        fields,
        extra={"fields": fields},
    )


def _path(environ: Mapping[str, Any]) -> str:
    """Return the path, and the names of the query's parameters, both quoted."""
    path = quote(environ.get("PATH_INFO", "-").encode("latin-1", "replace"), _PATH_CHARACTERS)
    query = environ.get("QUERY_STRING")
    return f"{path}?{'&'.join(quote(name) for name, _ in parse_qsl(query, True))}" if query else path
