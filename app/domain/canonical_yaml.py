"""Canonical YAML: the same data gives the same bytes, and reading gives back exactly the data.

Strings that a YAML reader might take for another type (`no`, `1e3`, `2024-01-01`) are quoted.
Text of several lines is a literal block, unless a literal block would change it.
"""

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import yaml

from app.domain import yaml_events

# A line that a literal block preserves: empty, or printable with no space at its ends.
_VISIBLE = r"!-~\u00a1-\u2027\u202a-\ud7ff"
_LITERAL_LINE = re.compile(rf"(?:[{_VISIBLE}](?:[ {_VISIBLE}]*[{_VISIBLE}])?)?")
# Texts that some YAML readers take for a number or a boolean, though PyYAML does not.
_AMBIGUOUS = re.compile(r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|[yYnN])\Z")


class _Plain(yaml.resolver.Resolver):
    """The types that YAML readers give to scalars without quotes."""


_Plain.add_implicit_resolver("tag:yaml.org,2002:float", _AMBIGUOUS, list("-+.0123456789yYnN"))
_PLAIN = _Plain()


_DOCUMENT_START = (yaml.StreamStartEvent(), yaml.DocumentStartEvent(explicit=False))
_DOCUMENT_END = (yaml.DocumentEndEvent(explicit=False), yaml.StreamEndEvent())
_MAPPING_START = yaml.MappingStartEvent(None, None, True, flow_style=False)
_EMPTY_MAPPING_START = yaml.MappingStartEvent(None, None, True, flow_style=True)
_MAPPING_END = yaml.MappingEndEvent()
_LIST_START = yaml.SequenceStartEvent(None, None, True, flow_style=False)
_EMPTY_LIST_START = yaml.SequenceStartEvent(None, None, True, flow_style=True)
_LIST_END = yaml.SequenceEndEvent()


def dump(document: Mapping[str, Any]) -> bytes:
    """Return a document's bytes: block style, UTF-8, LF, keys in the order given.

    libyaml writes each short text once, and Python joins the lines: several times as fast as having
    libyaml write every document. A document with a long text is written by libyaml alone.
    """
    try:
        text = _object(document, "")
    except _NotShort:
        return emit(document)
    return f"{text}\n".encode() if document else b"{}\n"


class _NotShort(Exception):
    """A text is long or takes several lines, so libyaml must write the document."""


def _object(value: Mapping[str, Any], indent: str) -> str:
    """Return the lines of an object."""
    lines = []
    for name, item in value.items():
        if not item or isinstance(item, int):
            lines.append(f"{indent}{_inline_key(name)}: {_inline(item)}")
        elif isinstance(item, dict):
            lines.append(f"{indent}{_inline_key(name)}:\n{_object(item, indent + '  ')}")
        elif isinstance(item, list):
            lines.append(f"{indent}{_inline_key(name)}:\n{_list(item, indent)}")
        else:
            lines.append(f"{indent}{_inline_entry(name, item)}")
    return "\n".join(lines)


def _list(value: list[Any], indent: str) -> str:
    """Return the lines of a list that is not empty."""
    deeper, lines = f"{indent}  ", []
    for item in value:
        if not item:
            lines.append(f"{indent}- {_inline(item)}")
        elif isinstance(item, dict):
            lines.append(f"{indent}- {_object(item, deeper)[len(deeper) :]}")
        elif isinstance(item, list):
            lines.append(f"{indent}- {_list(item, deeper)[len(deeper) :]}")
        else:
            lines.append(f"{indent}- {_inline(item)}")
    return "\n".join(lines)


def _inline(value: Any) -> str:
    """Return a value that fits on one line: a short text, another scalar, or an empty object or list."""
    if isinstance(value, str):
        return _inline_text(value)
    if isinstance(value, dict):
        return "{}"
    return "[]" if isinstance(value, list) else _plain(value)


_SHORT = 200  # characters; keys, names and questions, which are often written again


@lru_cache(maxsize=4096)
def _inline_text(text: str) -> str:
    line = emit({"k": text}).decode().removeprefix("k: ").removesuffix("\n") if len(text) <= _SHORT else "\n"
    if "\n" in line:
        raise _NotShort
    return line


# Only texts, and floats that are not zero: a cache takes 1 and 1.0 for the same key, and 0.0 and -0.0.
@lru_cache(maxsize=4096)
def _inline_entry(name: str, item: str | float) -> str:
    return f"{_inline_key(name)}: {_inline(item)}"


@lru_cache(maxsize=1024)
def _inline_key(name: str) -> str:
    line = emit({name: True}).decode() if len(name) <= _SHORT else "? "
    if line.startswith("? "):
        raise _NotShort
    return line.removesuffix(": true\n")


def emit(document: Mapping[str, Any]) -> bytes:
    """Return the same bytes as `dump`, all of them written by libyaml.

    libyaml is given events. PyYAML's representer would first make a node of each value and resolve its
    type, which takes several times as long.
    """
    events: list[yaml.Event] = [*_DOCUMENT_START]
    _add_events(dict(document), events)
    events += _DOCUMENT_END
    text: str = yaml.emit(events, Dumper=yaml.CSafeDumper, allow_unicode=True, width=2**20)
    return text.encode()


def _add_events(value: Any, events: list[yaml.Event]) -> None:
    if isinstance(value, str):
        events.append(_text(value))
    elif isinstance(value, dict):
        events.append(_MAPPING_START if value else _EMPTY_MAPPING_START)
        for name, item in value.items():
            _add_events(name, events)
            _add_events(item, events)
        events.append(_MAPPING_END)
    elif isinstance(value, list):
        events.append(_LIST_START if value else _EMPTY_LIST_START)
        for item in value:
            _add_events(item, events)
        events.append(_LIST_END)
    else:
        events.append(yaml.ScalarEvent(None, None, (True, False), _plain(value)))


def _text(text: str) -> yaml.ScalarEvent:
    """Return the event of a text, in quotes where a reader might take it for a number or a date."""
    tag: str = _PLAIN.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    is_text = tag == "tag:yaml.org,2002:str"
    return yaml.ScalarEvent(None, None, (is_text, True), text, style="|" if _is_literal(text) else None)


def _plain(value: object) -> str:
    """Return a number, boolean or null as YAML writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    if isinstance(value, float) and "." not in text:
        return text.replace("e", ".0e")  # YAML 1.1 reads 1e+22 as text, and 1.0e+22 as a number
    return text


def _is_literal(text: str) -> bool:
    if "\n" not in text or text.startswith("\n") or text.endswith("\n\n"):
        return False
    return all(_LITERAL_LINE.fullmatch(line) for line in text.split("\n"))


def load(data: bytes) -> Mapping[str, Any]:
    """Parse a document; ValueError if the bytes hold none."""
    try:
        try:
            document = yaml_events.read(data)
        except yaml_events.NotSimple:  # somebody wrote it by hand
            document = yaml.load(data, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"not YAML: {error}") from error
    if not isinstance(document, dict) or not _is_plain(document, len(data)):
        raise ValueError("not a YAML mapping of plain data")
    return document


_DEEPEST = 128  # levels; a request may have 100
_TOO_LONG = 10**4300  # Python refuses to write larger integers in decimal


def _is_plain(document: Mapping[str, Any], most: int) -> bool:
    """Tell whether a document is JSON data of at most `most` values.

    `most` is the length of the file, since each value takes a byte. Aliases break that rule: a few of
    them can stand for billions of values, or for a cycle.
    """
    level: list[Any] = [document]
    for _ in range(_DEEPEST):
        most -= sum(map(len, level))
        if most < 0:
            return False
        children: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                if not all(isinstance(name, str) for name in value):
                    return False
                children += value.values()
            else:
                children += value
        level = [child for child in children if isinstance(child, dict | list)]
        if not all(isinstance(child, dict | list) or _is_scalar(child) for child in children):
            return False
        if not level:
            return True
    return False


def _is_scalar(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) < _TOO_LONG
    return value is None or isinstance(value, str)
