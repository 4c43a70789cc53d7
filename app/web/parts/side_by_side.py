"""Two contents side by side: a row for each field, and for each entry of lists, which are aligned."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.alignment import Numbers, differing
from app.domain.differences import MISSING, Keys, is_same


@dataclass(frozen=True, slots=True)
class Row:
    """A place and its two values, MISSING where one side has none. `at` and `to` are the place on each side.

    A row that `is_same` may stand for `count` entries of a list that follow each other.
    """

    at: Keys
    to: Keys
    old: Any
    new: Any
    is_same: bool = False
    count: int = 1

    @property
    def label(self) -> str:
        """The place on the right side, or where it is on the left only, as people write it: `generators.1.numq`."""
        return _dotted(self.at if self.new is MISSING else self.to)

    @property
    def state(self) -> str:
        """What happened to it from left to right: `same`, `added`, `removed` or `changed`."""
        if self.is_same:
            return "same"
        return "added" if self.old is MISSING else "removed" if self.new is MISSING else "changed"

    @property
    def former(self) -> str | None:
        """The place on the left side, where it is another one."""
        is_on_both = self.old is not MISSING and self.new is not MISSING
        return _dotted(self.at) if is_on_both and self.at != self.to else None


def rows(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Row]:
    """Return the rows of two contents. Those that are not the same are what `differences.compare` finds."""
    return list(_rows((), (), old, new, Numbers()))


def _rows(at: Keys, to: Keys, old: Any, new: Any, numbers: Numbers) -> Iterator[Row]:
    if at and (old is MISSING or new is MISSING or is_same(old, new)):
        yield Row(at, to, old, new, is_same=old is not MISSING and new is not MISSING)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in {**old, **new}:
            yield from _rows((*at, name), (*to, name), old.get(name, MISSING), new.get(name, MISSING), numbers)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _entries(at, to, old, new, numbers)
    else:
        yield Row(at, to, old, new)


def _entries(at: Keys, to: Keys, old: list[Any], new: list[Any], numbers: Numbers) -> Iterator[Row]:
    """Yield the rows of two lists, in the order of both."""
    place, there = 0, 0
    for block in differing([*map(numbers.of, old)], [*map(numbers.of, new)]):
        yield from _same(at, to, old, place, block.old.start, there)
        common = min(len(block.old), len(block.new))
        for one, other in zip(block.old, block.new, strict=False):
            yield from _rows((*at, one), (*to, other), old[one], new[other], numbers)
        yield from (Row((*at, one), (*to, one), old[one], MISSING) for one in block.old[common:])
        yield from (Row((*at, other), (*to, other), MISSING, new[other]) for other in block.new[common:])
        place, there = block.old.stop, block.new.stop
    yield from _same(at, to, old, place, len(old), there)


def _same(at: Keys, to: Keys, old: list[Any], start: int, stop: int, there: int) -> Iterator[Row]:
    """Yield one row for the entries from `start` to `stop`, which the other list has from `there` on."""
    if start < stop:
        yield Row((*at, start), (*to, there), old[start], old[start], is_same=True, count=stop - start)


def _dotted(keys: Keys) -> str:
    return ".".join(map(str, keys))
