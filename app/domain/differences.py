"""How two values differ, field by field: old and new value, or the operations of a JSON Patch (RFC 6902)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

Keys = tuple[str | int, ...]


class _Missing(Enum):
    MISSING = "no value"


# Not None: a value may be null.
MISSING: Final = _Missing.MISSING


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that differs: its JSON Pointer (RFC 6901), and its old and new value, or MISSING."""

    field: str
    old: Any
    new: Any


def is_same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same JSON. Unlike `==`, this tells 1, 1.0 and true apart."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(is_same(item, other[name]) for name, item in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return bool(one == other)


def pointer(keys: Keys) -> str:
    """Return the JSON Pointer of a place, given the names and positions that lead there."""
    return "".join(f"/{str(key).replace('~', '~0').replace('/', '~1')}" for key in keys)


def compare(old: Any, new: Any) -> list[Difference]:
    """Return where two values differ, in an order in which the differences can be applied.

    Objects are compared by name and lists by position. A value on one side only is one difference,
    however much it holds.
    """
    return list(_compare((), old, new))


def operations(differences: Sequence[Difference]) -> list[Mapping[str, Any]]:
    """Return the JSON Patch that makes the old value the new one."""
    patch: list[Mapping[str, Any]] = []
    for difference in differences:
        if difference.new is MISSING:
            patch.append({"op": "remove", "path": difference.field})
        else:
            op = "add" if difference.old is MISSING else "replace"
            patch.append({"op": op, "path": difference.field, "value": difference.new})
    return patch


def _compare(keys: Keys, old: Any, new: Any) -> Iterator[Difference]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in {**old, **new}:
            yield from _compare((*keys, name), old.get(name, MISSING), new.get(name, MISSING))
    elif isinstance(old, list) and isinstance(new, list):
        common = min(len(old), len(new))
        for index in range(common):
            yield from _compare((*keys, index), old[index], new[index])
        for index in reversed(range(common, len(old))):  # from the end, so that positions before it stay valid
            yield Difference(pointer((*keys, index)), old[index], MISSING)
        for index in range(common, len(new)):
            yield Difference(pointer((*keys, index)), MISSING, new[index])
    elif not is_same(old, new):
        yield Difference(pointer(keys), old, new)
