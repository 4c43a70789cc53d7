"""Paths of fields in a config: `temperature`, `generators.0.numq`, or a JSON Pointer such as `/extra_kwargs/a.b`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from app.domain.differences import MISSING
from app.domain.resolution import CONFIG_KINDS, DEPRECATED_FIELDS, GENERATOR_KINDS

_POSITION = re.compile(r"0|[1-9][0-9]{0,8}")
# What is below each field: an object's fields, a list with the shape of its entries, `dict` for any JSON, or a type.
_SHAPE: Any = {**CONFIG_KINDS, "generators": [{**GENERATOR_KINDS, "questions": [str]}]}
KINDS: Mapping[Any, str] = {
    str: "a text",
    int: "a whole number",
    int | float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


class UnknownField(ValueError):
    """A path leads to nothing that a config may have. The message says what is there instead."""


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A place in a config: as it was written, and the names and positions that lead there.

    `kind` is the type of its values, one of `KINDS`; `object` where any JSON may be.
    """

    text: str
    keys: tuple[str, ...]
    kind: Any


def read(text: str) -> FieldPath:
    """Return the place that a text means; UnknownField if no config has such a place."""
    if text.startswith("/"):
        keys = [key.replace("~1", "/").replace("~0", "~") for key in text[1:].split("/")]
    else:
        keys = text.split(".")
        if "" in keys:
            raise UnknownField("A path is names with a dot between them, such as generators.0.numq")
    shape, above = _SHAPE, ""
    for key in keys:
        shape, above = _within(shape, key, above), f"{above}.{key}" if above else key
    kind = dict if isinstance(shape, dict) else list if isinstance(shape, list) else shape
    return FieldPath(text, tuple(keys), kind)


def lookup(value: Any, keys: tuple[str, ...]) -> Any:
    """Return what a value holds at a place, or MISSING."""
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key, MISSING)
        elif isinstance(value, list) and _POSITION.fullmatch(key) and int(key) < len(value):
            value = value[int(key)]
        else:
            return MISSING
    return value


def _within(shape: Any, key: str, above: str) -> Any:
    """Return the shape of a field within a shape, which is the shape of the path `above`."""
    if isinstance(shape, dict):
        if key not in shape:
            raise UnknownField(_unknown(key, shape, above))
        return shape[key]
    if isinstance(shape, list):
        if not _POSITION.fullmatch(key):
            raise UnknownField(f"'{above}' is a list: name an entry by its number, such as {above}.0")
        return shape[0]
    if shape not in (dict, object):
        raise UnknownField(f"'{above}' is {KINDS[shape]}, and there is nothing below it")
    return object


def _unknown(key: str, known: Mapping[str, Any], above: str) -> str:
    place = f" below '{above}'" if above else ""
    near = [DEPRECATED_FIELDS[key]] if key in DEPRECATED_FIELDS else get_close_matches(key[:100], known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"here are {', '.join(known)}"
    return f"There is no field '{key}'{place}; {hint}"
