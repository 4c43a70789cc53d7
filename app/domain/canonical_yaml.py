"""Canonical YAML: the same data gives the same bytes, and reading gives back exactly the data.

Block style, UTF-8, LF, keys in the order given. `yaml_scalars` has the law of texts and keys.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from app.domain import yaml_events, yaml_scalars

# What PyYAML raises for data that is not YAML, and for tags that do not fit: `!!timestamp x`, `!!bool x`, `!!int ''`.
UNREADABLE = (yaml.YAMLError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)

_STEP = "  "


def dump(document: Mapping[str, Any]) -> bytes:
    """Return a document's bytes."""
    return f"{_object(document, '')}\n".encode() if document else b"{}\n"


def _object(value: Mapping[str, Any], indent: str) -> str:
    """Return the lines of an object that is not empty."""
    lines = []
    for name, item in value.items():
        key = yaml_scalars.key(name)
        if name == "<<" and isinstance(item, dict | list):
            key = f"!!str {key}"  # Ruby merges these values into the object, even where the key is quoted
        if "\n" in key:
            key = key.replace("\n", f"\n{indent}")
            lines.append(f"{indent}{key} {_inside(item, indent)}")
        elif item and isinstance(item, dict):
            lines.append(f"{indent}{key}\n{_object(item, indent + _STEP)}")
        elif item and isinstance(item, list):
            lines.append(f"{indent}{key}\n{_list(item, indent)}")
        else:
            lines.append(f"{indent}{key} {_inline(item, indent)}")
    return "\n".join(lines)


def _list(value: list[Any], indent: str) -> str:
    """Return the lines of a list that is not empty."""
    return "\n".join([f"{indent}- {_inside(item, indent)}" for item in value])


def _inside(value: Any, indent: str) -> str:
    """Return the lines of a value behind `- ` or `: ` at an indentation. The first line is not indented."""
    deeper = indent + _STEP
    if value and isinstance(value, dict):
        return _object(value, deeper).removeprefix(deeper)
    if value and isinstance(value, list):
        return _list(value, deeper).removeprefix(deeper)
    return _inline(value, indent)


def _inline(value: Any, indent: str) -> str:
    """Return a value behind its key: a text, another scalar, or an empty object or list."""
    if isinstance(value, str):
        is_literal = yaml_scalars.is_literal(value)
        return yaml_scalars.literal(value, indent + _STEP) if is_literal else yaml_scalars.on_one_line(value)
    if isinstance(value, dict):
        return "{}"
    return "[]" if isinstance(value, list) else yaml_scalars.other(value)


def load(data: bytes) -> Mapping[str, Any]:
    """Parse a document; ValueError if the bytes hold none."""
    try:
        document, is_plain = yaml_events.read(data), True
    except yaml_events.NotSimple:  # somebody wrote it by hand
        document = _load(data)
        is_plain = isinstance(document, dict) and _is_plain(document, len(data))
    except yaml.YAMLError as error:
        raise _not_yaml(error) from error
    if not isinstance(document, dict) or not is_plain:
        raise ValueError("not a YAML mapping of plain data")
    return document


def load_part(data: bytes) -> Mapping[str, Any]:
    """Parse a part of a document; ValueError where it is none, or where it may mean something else beside the others.

    An anchor is one of these: two of one name are allowed in parts that are read alone, and not in one document.
    """
    try:
        part = yaml_events.read(data)
    except yaml_events.NotSimple as error:
        raise ValueError("only the whole document can be read") from error
    except yaml.YAMLError as error:
        raise _not_yaml(error) from error
    if not isinstance(part, dict):
        raise ValueError("not a mapping")
    return part


def _load(data: bytes) -> Any:
    try:
        return yaml.load(data, Loader=yaml.CSafeLoader)
    except UNREADABLE as error:
        raise _not_yaml(error) from error


def _not_yaml(error: Exception) -> ValueError:
    return ValueError(f"not YAML: {error}")


def _is_plain(document: Mapping[str, Any], most: int) -> bool:
    """Tell whether a document is JSON data of at most `most` values.

    `most` is the length of the file, since each value takes a byte. Aliases break that rule: a few of
    them can stand for billions of values, or for a cycle.
    """
    level: list[Any] = [document]
    for _ in range(yaml_events.DEEPEST):
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
        if not all(isinstance(child, dict | list) or yaml_events.is_scalar(child) for child in children):
            return False
        if not level:
            return True
    return False
