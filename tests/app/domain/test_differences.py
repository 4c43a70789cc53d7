"""Differences between values, and the JSON Patch made of them."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.differences import MISSING, Difference, compare, operations, pointer
from tests.app.domain.helpers import apply

NAMES = st.text("~/01a", max_size=3) | st.text(max_size=3)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 2)
    | st.floats(-2, 2).map(lambda number: number + 0.0)  # no -0.0, which is 0.0 to all but its text
    | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)


def text(value: Any) -> str:
    """Return a value so that 1, 1.0 and true differ, and the order of names does not count."""
    return json.dumps(value, sort_keys=True)


@given(JSON, JSON)
def test_operations_turn_the_old_value_into_the_new(old, new):
    before = text(old)
    assert text(apply(old, operations(compare(old, new)))) == text(new)
    assert text(old) == before


@given(JSON)
def test_compare_finds_nothing_between_equal_values(value):
    assert compare(value, copy.deepcopy(value)) == []


@given(JSON, JSON)
def test_compare_finds_nothing_only_between_equal_values(old, new):
    assert (compare(old, new) == []) == (text(old) == text(new))


# Lists of few different entries: so some are equal, some moved, and some are there twice.
ENTRIES = st.sampled_from([1, 1.0, True, "a", [1], [2], {"a": 1}, {"a": 1, "b": 2}, {"a": [1]}]).map(copy.deepcopy)
LISTS = st.lists(ENTRIES, max_size=40)


@given(LISTS, LISTS)
def test_operations_turn_an_old_list_into_the_new(old, new):
    assert text(apply({"a": old}, operations(compare({"a": old}, {"a": new})))) == text({"a": new})


@given(st.lists(st.integers(0, 10**6), max_size=200), st.data())
def test_operations_are_right_for_lists_that_share_most_entries(old, data):
    new = list(old)
    for _ in range(data.draw(st.integers(0, 5))):
        at = data.draw(st.integers(0, len(new)))
        new[at : at + data.draw(st.integers(0, 3))] = data.draw(st.lists(st.integers(0, 10**6), max_size=3))
    assert apply(old, operations(compare(old, new))) == new


@given(JSON | LISTS, JSON | LISTS)
def test_compare_lists_each_field_once_with_old_and_new_value(old, new):
    differences = compare(old, new)
    assert len({(each.field, each.new is MISSING) for each in differences}) == len(differences)
    for difference in differences:
        side = (old, difference.old) if difference.new is MISSING else (new, difference.new)
        assert text(find(side[0], difference.field)) == text(side[1])
        assert {difference.old is MISSING, difference.new is MISSING} != {True}


def questions(count: int) -> list[dict[str, Any]]:
    return [{"type": "hardcoded", "questions": [f"What is {number}?"]} for number in range(count)]


def test_an_entry_in_front_of_many_is_one_difference():
    old = {"generators": questions(14_000)}
    new = {"generators": [{"type": "persona"}, *questions(14_000)]}
    assert compare(old, new) == [Difference("/generators/0", MISSING, {"type": "persona"})]
    assert compare(new, old) == [Difference("/generators/0", {"type": "persona"}, MISSING)]


def test_an_entry_that_changed_behind_a_new_one_is_compared_field_by_field():
    old, new = questions(3), [{"type": "persona"}, *questions(3)]
    new[2] = {**new[2], "numq": 5}
    assert [(each.field, each.old, each.new) for each in compare(old, new)] == [
        ("/0", MISSING, {"type": "persona"}),
        ("/2/numq", MISSING, 5),
    ]
    assert apply(old, operations(compare(old, new))) == new


def test_an_entry_that_is_gone_is_named_by_its_old_place_and_removed_at_its_place_by_then():
    differences = compare(["a", "b", "c", "d"], ["c", "e", "d"])
    assert [(each.field, each.old, each.new) for each in differences] == [
        ("/1", "b", MISSING),
        ("/0", "a", MISSING),
        ("/1", MISSING, "e"),
    ]
    differences = compare(["a", "b", "c"], ["x", "a", "b"])
    assert differences == [Difference("/0", MISSING, "x"), Difference("/2", "c", MISSING, "/3")]


class Counted(dict[str, Any]):
    """An object that counts how often its fields were asked for."""

    looks = 0

    def items(self) -> Any:
        Counted.looks += 1
        return super().items()


@pytest.mark.parametrize("order", ["kept", "reversed", "shuffled", "alike", "deep"])
def test_the_entries_of_lists_are_looked_at_a_few_times_however_many_there_are(order, monkeypatch):
    monkeypatch.setattr(Counted, "looks", 0)
    count = 3000
    old: list[Any] = [Counted(a=number if order != "alike" else number % 2) for number in range(count)]
    new: list[Any] = [Counted(a=-1), *(Counted(each) for each in old), Counted(a=-2)]
    if order == "reversed":
        new.reverse()
    if order == "shuffled":
        new = [new[number * 7 % len(new)] for number in range(len(new))]
    if order == "deep":
        for _ in range(90):
            old, new = [0, old], [1, new]
    assert apply(old, operations(compare(old, new))) == new
    assert Counted.looks < 10 * count


def find(value: Any, field: str) -> Any:
    """Return what a JSON Pointer leads to."""
    for token in field.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        value = value[int(name) if isinstance(value, list) else name]
    return value


@given(st.lists(NAMES | st.integers(0, 20), max_size=4))
def test_pointer_leads_where_its_names_do(keys):
    value: Any = "here"
    for key in reversed(keys):
        value = [None] * key + [value] if isinstance(key, int) else {key: value}
    assert find(value, pointer(tuple(keys))) == "here"


def test_pointer_escapes_names_as_rfc_6901_says():
    for name, expected in (("", "/"), ("a/b", "/a~1b"), ("m~n", "/m~0n"), ("~1", "/~01"), ("é", "/é")):
        assert pointer((name,)) == expected
    assert (pointer(()), pointer(("foo", 0))) == ("", "/foo/0")


@pytest.mark.parametrize(
    ("old", "new", "differences"),
    [
        (1, 2, [("", 1, 2)]),
        (1, True, [("", 1, True)]),
        ({"a": 1}, {"a": 1.0}, [("/a", 1, 1.0)]),
        ({"a": None}, {}, [("/a", None, MISSING)]),
        ({}, {"a": None}, [("/a", MISSING, None)]),
        ({"a": {}}, {"a": []}, [("/a", {}, [])]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("/a/c", 2, 3)]),
        ({}, {"a": {"b": 1}}, [("/a", MISSING, {"b": 1})]),
        ([1, 2, 3], [1], [("/2", 3, MISSING), ("/1", 2, MISSING)]),
        ([1], [0, 2, 3], [("/0", 1, 0), ("/1", MISSING, 2), ("/2", MISSING, 3)]),
        ([{"a~/": 1}], [{"a~/": 2}], [("/0/a~0~1", 1, 2)]),
    ],
)
def test_compare_lists_the_fields_that_differ(old, new, differences):
    told = [repr(Difference(*each)) for each in differences]  # 1, 1.0 and true are equal, but not so written
    assert [repr(difference) for difference in compare(old, new)] == told


def test_operations_replace_remove_or_add_a_field():
    differences = [Difference("/a", 1, 2), Difference("/b", 1, MISSING), Difference("/c", MISSING, None)]
    assert operations(differences) == [
        {"op": "replace", "path": "/a", "value": 2},
        {"op": "remove", "path": "/b"},
        {"op": "add", "path": "/c", "value": None},
    ]
