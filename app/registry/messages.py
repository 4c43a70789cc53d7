"""The author of a change, and its commit message."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.registry import field_changes
from storage import reasons
from storage.signatures import Person


@dataclass(frozen=True, slots=True)
class Origin:
    """The user who changes something, the request, and the reason that it tells: one line, in NFC."""

    user_id: str
    alias: str | None = None
    email: str | None = None
    request_id: str | None = None
    on_behalf: bool = False  # the request used the master key and named the user
    token: str | None = None  # the name of the user's token
    reason: str | None = None

    @property
    def author(self) -> Person:
        """The user as the author of a commit, in NFC, and without the characters that git forbids in names."""
        name = _identity(self.alias or "") or self.user_id
        email = _identity(self.email or "") or f"{self.user_id}@bakehouse.invalid"
        return Person(name, email, self.user_id, _identity(self.token or "") or None)


def message(origin: Origin, subject: str, lines: Iterable[str] = (), trailers: Mapping[str, str] | None = None) -> str:
    """Return a commit message: the subject, the reason, the lines about fields, and the trailers."""
    all_trailers = dict(trailers or {})
    reason = ""
    if origin.reason:
        reason = reasons.paragraph(origin.reason)
        all_trailers[reasons.LENGTH] = str(len(origin.reason))
    if origin.request_id:
        all_trailers["Request-Id"] = origin.request_id
    if origin.on_behalf:
        all_trailers["On-Behalf-Of"] = origin.user_id
    trailer_block = "\n".join(f"{name}: {value}" for name, value in all_trailers.items())
    parts = [field_changes.printable(subject), reason, "\n".join(lines), trailer_block]
    return "\n\n".join(part for part in parts if part) + "\n"


def changed_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return a line for each field that differs, such as `temperature: 1.0 → 0.7`."""
    return [change.line() for change in field_changes.find(old, new)]


def _identity(text: str) -> str:
    """Return a text in NFC, so that a name looks and compares alike, on one line."""
    composed = unicodedata.normalize("NFC", text)
    return " ".join("".join(char for char in composed if char.isprintable() and char not in "<>").split())
