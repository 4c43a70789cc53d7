"""Changes of two people to one document: what each changed, and both together."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.domain.differences import MISSING, is_same
from app.web.parts import conflicts

BASE = {"template": "default", "overrides": {"temperature": 0.7, "extra_kwargs": {"top_p": 1}}}

SCALARS = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "a"]) | st.lists(st.integers(0, 1))
DOCUMENTS = st.recursive(
    st.dictionaries(st.sampled_from("ab~/"), SCALARS, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("ab~/"), SCALARS | inner, max_size=3),
    max_leaves=6,
)
SIDES = st.sampled_from([conflicts.THEIRS, conflicts.YOURS])


def changed(**overrides: Any) -> dict[str, Any]:
    """Return the base with other overrides; MISSING takes one away."""
    document: dict[str, Any] = copy.deepcopy(BASE)
    document["overrides"] |= overrides
    document["overrides"] = {name: value for name, value in document["overrides"].items() if value is not MISSING}
    return document


def test_what_one_side_changed_is_merged_and_what_both_changed_needs_a_choice():
    theirs = changed(temperature=0.9, max_tokens=100, extra_kwargs={"top_p": 1, "seed": 1})
    yours = changed(temperature=0.2, max_tokens=100, extra_kwargs={"top_p": 0.5})
    changes = conflicts.compare(BASE, theirs, yours)
    assert {change.label: change.by for change in changes} == {
        "overrides.temperature": "both",
        "overrides.max_tokens": "alike",
        "overrides.extra_kwargs.seed": "theirs",
        "overrides.extra_kwargs.top_p": "yours",
    }
    assert [change.label for change in conflicts.undecided(changes, {})] == ["overrides.temperature"]
    choices = {"choice/overrides/temperature": "theirs"}
    assert conflicts.undecided(changes, choices) == []
    expected = changed(temperature=0.9, max_tokens=100, extra_kwargs={"top_p": 0.5, "seed": 1})
    assert conflicts.merged(theirs, changes, choices) == expected


def test_lists_are_compared_as_a_whole():
    theirs, yours = changed(generators=[{"type": "persona"}]), changed(generators=[{"type": "custom"}])
    (change,) = conflicts.compare(BASE, theirs, yours)
    assert (change.label, change.by) == ("overrides.generators", "both")


def test_a_value_that_one_side_took_away_is_told_apart_from_null():
    (change,) = conflicts.compare(BASE, changed(temperature=MISSING), changed(temperature=None))
    assert change.by == "both"
    assert [(side.is_there, side.is_changed) for side in change.sides] == [(True, False), (False, True), (True, True)]
    assert conflicts.merged(changed(temperature=MISSING), [change], {change.choice: "theirs"}) == changed(
        temperature=MISSING
    )


@given(DOCUMENTS, DOCUMENTS)
def test_whoever_changed_alone_wins_whole(base: dict[str, Any], new: dict[str, Any]):
    assert is_same(conflicts.merged(base, conflicts.compare(base, base, new), {}), new)
    assert is_same(conflicts.merged(new, conflicts.compare(base, new, base), {}), new)
    assert conflicts.undecided(conflicts.compare(base, new, copy.deepcopy(new)), {}) == []


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS, SIDES)
def test_it_makes_no_difference_who_of_both_looks_at_the_changes(
    base: dict[str, Any], one: dict[str, Any], other: dict[str, Any], chosen: str
):
    untouched = copy.deepcopy(one)
    here, there = conflicts.compare(base, one, other), conflicts.compare(base, other, one)
    opposite = {conflicts.THEIRS: conflicts.YOURS, conflicts.YOURS: conflicts.THEIRS}[chosen]
    merged = conflicts.merged(one, here, {change.choice: chosen for change in here})
    assert is_same(merged, conflicts.merged(other, there, {change.choice: opposite for change in there}))
    assert is_same(one, untouched), "the document of one side was changed in place"
