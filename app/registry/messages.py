"""The author of a change, and its commit message."""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storage import reasons
from storage.signatures import Person

_LONGEST_VALUE = 200
_UNSET = "(unset)"
_NOTHING = object()
_encode = json.JSONEncoder(ensure_ascii=False).encode


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
    parts = [subject, reason, "\n".join(lines), trailer_block]
    return "\n\n".join(part for part in parts if part) + "\n"


def batch_message(origin: Origin, kind: str, lines: Sequence[str]) -> str:
    """Return the message of a commit that changes several things of a kind, with a line for each."""
    return message(origin, f"Write {len(lines)} {kind}{'' if len(lines) == 1 else 's'}", lines)


def changed_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return a line for each field that differs, such as `temperature: 1.0 → 0.7`."""
    # Most values are the template's own objects, so this test spares most of the comparisons below.
    differing = [name for name in {**new, **old} if old.get(name, _NOTHING) is not new.get(name, _NOTHING)]
    lines = []
    for name in differing:
        before = _text(old[name]) if name in old else _UNSET
        after = _text(new[name]) if name in new else _UNSET
        if before != after:
            lines.append(f"{name}: {_cut(before)} → {_cut(after)}")
    return lines


def _text(value: Any) -> str:
    """Return a value as JSON on one line, without control characters, which a terminal would obey."""
    if type(value) in (int, float):
        return repr(value)  # the same text as JSON's, in a third of the time
    text = _encode(value)
    return text if text.isprintable() else json.dumps(value)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}… ({len(text)} characters)"


def _identity(text: str) -> str:
    """Return a text in NFC, so that a name looks and compares alike, on one line."""
    composed = unicodedata.normalize("NFC", text)
    return " ".join("".join(char for char in composed if char.isprintable() and char not in "<>").split())
