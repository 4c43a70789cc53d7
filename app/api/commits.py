"""Commits over HTTP: who made them, when, and what changed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from app.domain.differences import MISSING, Difference, operations
from storage.signatures import Signature

_LAST = 253_402_300_799  # the end of the calendar; a commit made by hand may claim to be from later


def time(seconds: int) -> str:
    """Return a moment, in seconds since 1970, as RFC 3339 writes it."""
    return datetime.fromtimestamp(min(seconds, _LAST), UTC).isoformat().replace("+00:00", "Z")


def person(signature: Signature) -> dict[str, str]:
    """Return who made a commit or tag."""
    return {"name": signature.name, "email": signature.email}


def changes(differences: Sequence[Difference]) -> list[dict[str, Any]]:
    """Return the fields that differ; a value that is missing is left out."""
    return [
        {
            "field": difference.field,
            **({} if difference.old is MISSING else {"old": difference.old}),
            **({} if difference.new is MISSING else {"new": difference.new}),
        }
        for difference in differences
    ]


def comparison(differences: Sequence[Difference]) -> dict[str, Any]:
    """Return the fields that differ, and the JSON Patch that says the same."""
    return {"operations": operations(differences), "changes": changes(differences)}
