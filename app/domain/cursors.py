"""Cursors of lists: where the next page begins, and of which commit and which query it is a page."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from typing import NamedTuple

_COMMIT = re.compile("[0-9a-f]{40}")


class Cursor(NamedTuple):
    """The page behind the entry `after`, at a commit, of the query with the digest `query`."""

    commit: str
    query: str
    after: str


def digest(parts: Iterable[str]) -> str:
    """Return what tells one query from another."""
    return hashlib.sha256(json.dumps(list(parts)).encode()).hexdigest()[:16]


def write(cursor: Cursor) -> str:
    """Return a cursor as a text of letters, digits, `-` and `_`."""
    return base64.urlsafe_b64encode(json.dumps(cursor, separators=(",", ":")).encode()).decode().rstrip("=")


def read(text: str) -> Cursor | None:
    """Return the cursor that a text is, or None.

    Anybody can write such a text. So the caller looks whether the history has the commit, and only compares `after`.
    """
    try:
        parts = json.loads(base64.urlsafe_b64decode(f"{text}{'=' * (-len(text) % 4)}"))
    except (ValueError, RecursionError):
        return None
    is_cursor = isinstance(parts, list) and len(parts) == len(Cursor._fields)
    if not is_cursor or not all(isinstance(part, str) for part in parts):
        return None
    cursor = Cursor(*parts)
    return cursor if _COMMIT.fullmatch(cursor.commit) else None
