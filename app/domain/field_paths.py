"""Paths of fields in a config: `temperature`, `generators.0.numq`, or a JSON Pointer such as `/extra_kwargs/a.b`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from app.domain.differences import MISSING, Difference, is_same, pointer
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
    keys = keys_of(text)
    if "" in keys and not text.startswith("/"):
        raise UnknownField("A path is names with a dot between them, such as generators.0.numq")
    shape, above = _SHAPE, ""
    for key in keys:
        shape, above = _within(shape, key, above), f"{above}.{key}" if above else key
    kind = dict if isinstance(shape, dict) else list if isinstance(shape, list) else shape
    return FieldPath(text, keys, kind)


def keys_of(text: str) -> tuple[str, ...]:
    """Return the names and positions in a JSON Pointer, or in a text that has dots between them."""
    if text.startswith("/"):
        return tuple(key.replace("~1", "/").replace("~0", "~") for key in text[1:].split("/"))
    return tuple(text.split("."))


def within(difference: Difference, keys: tuple[str, ...]) -> Difference | None:
    """Return the part of a difference that is at a place or within it; None where nothing there differs.

    A value that is there on one side only, or was replaced as a whole, differs also at the places within it.
    """
    place = keys_of(difference.field)
    if place[: len(keys)] == keys:
        return difference
    if keys[: len(place)] != place:
        return None
    old, new = (lookup(value, keys[len(place) :]) for value in (difference.old, difference.new))
    if old is new or (MISSING not in (old, new) and is_same(old, new)):
        return None
    return Difference(pointer(keys), old, new)


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
