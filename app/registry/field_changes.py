"""Which fields got other values, as commit messages tell it."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from app.domain.differences import MISSING, compare, is_same

_LONGEST_VALUE = 200  # characters
_MOST_LINES = 300  # a batch of 500 takes some per cent longer to list them
_MOST_SIZE = 100_000  # characters of lines
_UNSET = "(unset)"
_PLAIN = re.compile(r"[\w-]+")
_encode = json.JSONEncoder(ensure_ascii=False).encode


class FieldChange(NamedTuple):
    """A field such as `generators.0.numq`, with its old and new value, or MISSING."""

    field: str
    old: Any
    new: Any

    def texts(self) -> tuple[str, str]:
        """Return both values as JSON, each on one line."""
        return _text(self.old), _text(self.new)

    def line(self, separator: str = ": ") -> str:
        """Return a line such as `temperature: 1.0 → 0.7`; long values are cut, and their lengths told."""
        before, after = self.texts()
        if len(before) > _LONGEST_VALUE or len(after) > _LONGEST_VALUE:
            before, after = _measured(before, after)
        return f"{self.field}{separator}{before} → {after}"


def find(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[FieldChange]:
    """Return the fields that differ. Objects and lists that are on both sides are compared field by field."""
    found: list[FieldChange] = []
    for name in {**new, **old}:
        before, after = old.get(name, MISSING), new.get(name, MISSING)
        if before is not after:  # most values are the template's own objects
            _find(name, before, after, found)
    return found


def _find(field: str, old: Any, new: Any, found: list[FieldChange]) -> None:
    """Add the differences of two values. Lists are aligned, which takes long, where several entries differ."""
    if not old or not new or type(old) is not type(new) or not isinstance(old, dict | list):
        if not is_same(old, new):
            found.append(FieldChange(field, old, new))
    elif isinstance(old, dict):
        for name in {**new, **old}:
            _find(f"{field}.{_key(name)}", old.get(name, MISSING), new.get(name, MISSING), found)
    else:
        differing = [] if len(old) != len(new) else [at for at in range(len(old)) if not is_same(old[at], new[at])]
        if len(differing) == 1:
            _find(f"{field}.{differing[0]}", old[differing[0]], new[differing[0]], found)
        else:
            found += (FieldChange(f"{field}{_dotted(each.field)}", each.old, each.new) for each in compare(old, new))


def lines(changes: Sequence[FieldChange], most: int = 200) -> Iterator[str]:
    """Yield a line for each change, and instead of those beyond `most` one that counts them."""
    yield from (change.line() for change in changes[:most])
    if len(changes) > most:
        yield f"… and {plural(len(changes) - most, 'more field')}"


def bounded(blocks: Iterable[Sequence[str]], count: int, noun: str) -> list[str]:
    """Return the lines of as many of `count` blocks as a message has room for, and a line that counts the others."""
    found: list[str] = []
    size = 0
    for number, block in enumerate(blocks):
        size += sum(map(len, block))
        if found and (len(found) + len(block) > _MOST_LINES or size > _MOST_SIZE):
            return [*found, f"… and {plural(count - number, f'more {noun}')}"]
        found += block
    return found


def plural(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def cut(before: str, after: str, most: int) -> tuple[str, str]:
    """Return two texts of at most `most` characters each, which show the first place that differs."""
    if len(before) <= most and len(after) <= most:
        return before, after
    start = max(0, _common(before, after) - most // 3)
    return _window(before, start, most), _window(after, start, most)


def printable(text: str) -> str:
    """Return a text on one line, with an escape for each character that a terminal might obey."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def _text(value: Any) -> str:
    if type(value) in (int, float):
        return repr(value)  # the same text as JSON's, in a third of the time
    if value is MISSING:
        return _UNSET
    text = _encode(value)
    return text if text.isprintable() else json.dumps(value)


def _measured(before: str, after: str) -> Sequence[str]:
    """Return two texts, cut, with the lengths of those that are long."""
    return [
        shown if len(text) <= _LONGEST_VALUE else f"{shown} ({len(text)} characters)"
        for text, shown in zip((before, after), cut(before, after, _LONGEST_VALUE), strict=True)
    ]


def _dotted(pointer: str) -> str:
    """Return a JSON Pointer as people write it, such as `.0.numq`."""
    return "".join(f".{_key(key.replace('~1', '/').replace('~0', '~'))}" for key in pointer.split("/")[1:])


def _key(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else _text(name)


def _common(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their starts."""
    known, beyond = 0, min(len(one), len(other)) + 1
    while beyond - known > 1:
        middle = (known + beyond) // 2
        if one[known:middle] == other[known:middle]:
            known = middle
        else:
            beyond = middle
    return known


def _window(text: str, start: int, most: int) -> str:
    """Return at most `most` characters of a text from a place on, with marks where it goes on."""
    piece = text[start : start + most]
    if start and piece:
        piece = f"…{piece[1:]}"
    return piece if start + most >= len(text) else f"{piece[:-1]}…"
