"""Two people changed one document: what each of them changed since a common version, and both changes together."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from app.domain.differences import MISSING, Keys, is_same, pointer

THEIRS, YOURS = "theirs", "yours"


@dataclass(frozen=True, slots=True)
class Side:
    """A value on one side, whether there is one, and whether that side changed it."""

    value: Any
    is_there: bool
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A place that at least one of both changed: its value before, and on each side. MISSING: there is no value.

    `by` is `theirs` or `yours` where one of them changed it, `both` where their values differ, and `alike` where both
    changed it to one value.
    """

    keys: Keys
    by: str
    base: Any
    theirs: Any
    yours: Any

    @property
    def label(self) -> str:
        """The place as people write it, such as `overrides.temperature`."""
        return ".".join(map(str, self.keys))

    @property
    def sides(self) -> list["Side"]:
        """The value before, theirs and yours, as a page shows them side by side."""
        values = (self.base, self.theirs, self.yours)
        changed = (False, self.by != YOURS, self.by != THEIRS)
        return [
            Side(None if value is MISSING else value, value is not MISSING, is_changed)
            for value, is_changed in zip(values, changed, strict=True)
        ]

    @property
    def choice(self) -> str:
        """The name of the form's field that says which side wins: `theirs` or `yours`."""
        return f"choice{pointer(self.keys)}"


def compare(base: Any, theirs: Any, yours: Any) -> list[Change]:
    """Return what both sides changed. Objects are compared field by field; lists and all else only as a whole."""
    return list(_compare((), base, theirs, yours))


def undecided(changes: Sequence[Change], choices: Mapping[str, str]) -> list[Change]:
    """Return the places that both changed, and of which a form does not say which side wins."""
    return [change for change in changes if change.by == "both" and choices.get(change.choice) not in (THEIRS, YOURS)]


def merged(theirs: Any, changes: Sequence[Change], choices: Mapping[str, str]) -> Any:
    """Return their document with your changes; where both changed a place, what a form chose, and else yours."""
    whole = {"": deepcopy(theirs)}
    for change in changes:
        if change.by == YOURS or (change.by == "both" and choices.get(change.choice) != THEIRS):
            _put(whole, ("", *change.keys), change.yours)
    return whole[""]


def _compare(keys: Keys, base: Any, theirs: Any, yours: Any) -> Iterator[Change]:
    if isinstance(theirs, dict) and isinstance(yours, dict):
        before = base if isinstance(base, dict) else {}
        for name in {**before, **theirs, **yours}:
            values = (side.get(name, MISSING) for side in (before, theirs, yours))
            yield from _compare((*keys, name), *values)
    elif is_same(theirs, yours):
        if not is_same(base, yours):
            yield Change(keys, "alike", base, theirs, yours)
    elif is_same(base, theirs):
        yield Change(keys, YOURS, base, theirs, yours)
    else:
        yield Change(keys, THEIRS if is_same(base, yours) else "both", base, theirs, yours)


def _put(whole: Any, keys: Keys, value: Any) -> None:
    """Set the value at a place, whose parents are objects; MISSING removes it."""
    for key in keys[:-1]:
        whole = whole[key]
    if value is MISSING:
        whole.pop(keys[-1], None)
    else:
        whole[keys[-1]] = deepcopy(value)
