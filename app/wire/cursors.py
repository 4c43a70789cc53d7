"""Cursors: where the next page of an answer begins, in a text that clients give back as it is.

A cursor carries the commits that the first page was read at, so the pages fit together however tags, labels and the
tip move. It also carries a hash of the query, so that a page of another query is never taken for the next one.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from app.schemas.base import InvalidRequest, Mistake

_OTHER = "This cursor belongs to another query: repeat the query whose `next` it was, or leave the cursor out"
_BROKEN = "This is no cursor: give the `next` of the page before, as it is"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_OF_THE_PAGE = ("cursor", "limit")
_MOST = 2**53  # entries; no list has as many, and databases refuse numbers beyond 2**63


def make(query: Mapping[str, Any], commits: list[str], offset: int) -> str:
    """Return the cursor of the page of a query that begins behind `offset` entries."""
    content = json.dumps([_hash(query), offset, *commits], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def read(query: Mapping[str, Any], count: int) -> tuple[list[str], int]:
    """Return the commits, as many as `count`, and the offset in a query's cursor.

    Raises InvalidRequest where the cursor is broken, or belongs to another query.
    """
    text = query["cursor"]
    try:
        of_query, offset, *commits = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        is_whole = type(offset) is int and 0 <= offset <= _MOST and len(commits) == count
        is_whole = is_whole and all(isinstance(commit, str) and _COMMIT.fullmatch(commit) for commit in commits)
    except (ValueError, TypeError, RecursionError):
        is_whole = False
    if not is_whole:
        raise InvalidRequest([(("query", "cursor"), Mistake("value_error", _BROKEN))])
    if of_query != _hash(query):
        raise InvalidRequest([(("query", "cursor"), Mistake("value_error", _OTHER))])
    return commits, offset


def _hash(query: Mapping[str, Any]) -> str:
    rest = sorted((name, str(value)) for name, value in query.items() if name not in _OF_THE_PAGE)
    return hashlib.sha1(repr(rest).encode(), usedforsecurity=False).hexdigest()[:12]
