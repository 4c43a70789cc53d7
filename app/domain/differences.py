"""How two values differ, field by field: old and new value, or the operations of a JSON Patch (RFC 6902)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from app.domain.alignment import Numbers, differing

Keys = tuple[str | int, ...]


class _Missing(Enum):
    MISSING = "no value"


# Not None: a value may be null.
MISSING: Final = _Missing.MISSING


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that differs: its JSON Pointer (RFC 6901), and its old and new value, or MISSING.

    `field` leads to the new value; where there is none, it leads to the old value in the old whole.
    `path` leads to the field once the differences before this one have been applied; None: as `field` does.
    """

    field: str
    old: Any
    new: Any
    path: str | None = None


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

    Objects are compared by name. Lists are aligned by their equal entries, so an entry that was put in front of
    others is one difference. A value on one side only is one difference, however much it holds.
    """
    return list(_compare((), (), old, new, Numbers()))


def operations(differences: Sequence[Difference]) -> list[Mapping[str, Any]]:
    """Return the JSON Patch that makes the old value the new one."""
    patch: list[Mapping[str, Any]] = []
    for difference in differences:
        path = difference.field if difference.path is None else difference.path
        if difference.new is MISSING:
            patch.append({"op": "remove", "path": path})
        else:
            op = "add" if difference.old is MISSING else "replace"
            patch.append({"op": op, "path": path, "value": difference.new})
    return patch


def _compare(before: Keys, after: Keys, old: Any, new: Any, numbers: Numbers) -> Iterator[Difference]:
    """Yield the differences of two values, the old one at `before` in its whole, the new one at `after`."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in {**old, **new}:
            values = old.get(name, MISSING), new.get(name, MISSING)
            yield from _compare((*before, name), (*after, name), *values, numbers)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _compare_lists(before, after, old, new, numbers)
    elif new is MISSING:
        yield Difference(pointer(before), old, new, None if before == after else pointer(after))
    elif old is MISSING or not is_same(old, new):
        yield Difference(pointer(after), old, new)


def _compare_lists(before: Keys, after: Keys, old: list[Any], new: list[Any], numbers: Numbers) -> Iterator[Difference]:
    """Yield the differences of two lists from the start to the end, so what comes before is as in the new one."""
    for block in differing([*map(numbers.of, old)], [*map(numbers.of, new)]):
        common = min(len(block.old), len(block.new))
        for at, to in zip(block.old, block.new, strict=False):
            yield from _compare((*before, at), (*after, to), old[at], new[to], numbers)
        for at in reversed(block.old[common:]):  # from the end, so that positions before it stay valid
            to = block.new.start + at - block.old.start
            yield from _compare((*before, at), (*after, to), old[at], MISSING, numbers)
        for to in block.new[common:]:
            yield from _compare(before, (*after, to), MISSING, new[to], numbers)
