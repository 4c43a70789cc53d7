"""What a name's box says: few words in the picture, all of them where somebody points at it."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.domain.differences import MISSING
from app.registry.field_changes import FieldChange, plural
from app.web.tree.members import Member

_MOST_FIELDS = 6  # whose values are told where somebody points
_VALUE = 40  # columns of a value there
_LINE = 31  # columns of the lines below the name
_WIDE = "WF"  # of characters that take two columns


@dataclass(frozen=True, slots=True)
class Mark:
    """A word on a card, and the tone that it is shown in: `good`, `bad`, `warn` or `dim`."""

    text: str
    tone: str


def columns(text: str) -> int:
    """Return how many columns a text takes: two for each wide character."""
    return sum(2 if unicodedata.east_asian_width(each) in _WIDE else 1 for each in text)


def cut(text: str, most: int) -> str:
    """Return a text that takes so many columns at the most, with a mark where it goes on."""
    if columns(text) <= most:
        return text
    text = text[:most]
    while columns(text) >= most:
        text = text[:-1]
    return f"{text}…"


def value_text(value: Any) -> str:
    """Return the value of an override on one line; null removes what the template has."""
    return "removed" if value is None else FieldChange("", MISSING, value).texts()[1]


def fields(member: Member) -> str:
    """Return the names of the fields that a target overrides, or what the name is instead."""
    if member.kind == "default":
        return "every repo starts with it"
    if member.kind == "gone":
        return "a template that is gone"
    if member.overrides is None:
        return "overrides not read"
    return ", ".join(member.overrides) or "overrides nothing"


def marks(member: Member) -> Iterator[Mark]:
    """Yield whether a target drifted, and which labels and tags show it."""
    if member.kind == "gone":
        yield Mark("gone", "bad")
    if member.state == "drifted":
        yield Mark("drifted", "warn")
    if member.state == "template_gone":
        yield Mark("template gone", "bad")
    if member.in_ring:
        yield Mark("in a ring", "warn")
    for holder in member.holders:
        yield Mark(holder.name, "good") if holder.same else Mark(f"{holder.name} (other version)", "dim")


def fitting_marks(member: Member) -> Iterator[Mark]:
    """Yield the marks that a box has room for, and how many more there are."""
    left, found = _LINE, list(marks(member))
    for at, mark in enumerate(found):
        more = f"+{len(found) - at}"
        room = left if mark is found[-1] else left - columns(more) - 1
        if at and columns(mark.text) > room:
            yield Mark(more, "dim")
            return
        text = cut(mark.text, room)
        yield Mark(text, mark.tone)
        left -= columns(text) + 1


def fitting_fields(member: Member) -> str:
    """Return the names of the fields that a box has room for."""
    return cut(fields(member), _LINE)


def told(member: Member) -> str:
    """Return all that is known of a name, a line each."""
    return "\n".join(_told(member))


def _told(member: Member) -> Iterator[str]:
    yield member.name
    if member.template is not None:
        yield f"made from {member.template}{', which was made from it' if member.in_ring else ''}"
    if member.overrides:
        yield f"overrides {_some([f'{name}: {_short(value)}' for name, value in member.overrides.items()])}"
    else:
        yield fields(member)
    if member.state == "drifted":
        yield f"drifted{_rebase(member)}"
    if member.state == "template_gone":
        yield "the template is gone"
    for holder in member.holders:
        yield f"{holder.kind} {holder.name} has {'this' if holder.same else 'another'} version"


def _rebase(member: Member) -> str:
    if member.drift is None:
        return ""
    changes = [f"{each.field}: {' → '.join(cut(text, _VALUE) for text in each.texts())}" for each in member.drift]
    return f": a rebase changes {_some(changes)}" if changes else ": a rebase changes no value"


def _short(value: Any) -> str:
    return cut(value_text(value), _VALUE)


def _some(texts: list[str]) -> str:
    more = len(texts) - _MOST_FIELDS
    return ", ".join(texts[:_MOST_FIELDS]) + (f" and {plural(more, 'more field')}" if more > 0 else "")
