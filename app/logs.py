"""The log: its lines, as text or as JSON, on the standard error."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from app.domain.tokens import SECRET
from app.settings import Settings
from app.wire import logged_request

ACCESS = "app.access"

_HIDDEN = "(secret)"
_LOGS_REQUESTS = ("httpx2", "httpcore2")  # a line or more for each request to a model, with the headers of the answer
_LEAST_SECRET = 8  # characters; hiding a shorter master key would spoil other words, and tell the key


def configure(settings: Settings, master_key: str) -> None:
    """Log to the standard error, in the format of the settings."""
    handler = logging.StreamHandler()
    handler.setFormatter(Formatter(settings.log_format == "json", master_key))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger(ACCESS).setLevel(logging.INFO if settings.access_log else logging.WARNING)
    for name in _LOGS_REQUESTS:
        logging.getLogger(name).setLevel(logging.WARNING)


class Formatter(logging.Formatter):
    """Write a record with its time, level, logger and process, and with its request where there is one.

    A record as text may have several lines, such as a stack trace; each begins in this way. No line holds
    control characters of a client, a token, or the master key.
    """

    def __init__(self, as_json: bool, master_key: str) -> None:
        super().__init__()
        self._as_json = as_json
        keys = (
            {master_key, quote(master_key), json.dumps(master_key)[1:-1]} if len(master_key) >= _LEAST_SECRET else set()
        )
        self._secret = re.compile("|".join([SECRET.pattern, *map(re.escape, sorted(keys))]))

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
        }
        request = logged_request.current.get()
        about = (
            {} if request is None else {"request_id": request.request_id, "user": request.user, "repo": request.repo}
        )
        if self._as_json:
            more: dict[str, Any] = getattr(record, "fields", {})
            return self._hide(json.dumps({**fields, **about, **more, "message": text}))
        head = "{time} [{process}] [{level}] {logger}".format(**fields)
        head += "".join(f" {name}={value}" for name, value in about.items() if value is not None)
        return self._hide("\n".join(f"{head}: {_escape(line)}" for line in text.split("\n")))

    def _hide(self, text: str) -> str:
        return self._secret.sub(_HIDDEN, text)


def _escape(text: str) -> str:
    """Return a text whose control characters are escaped: a terminal would obey them."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
