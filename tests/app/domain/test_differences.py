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


@given(JSON, JSON)
def test_compare_lists_each_field_once_with_old_and_new_value(old, new):
    differences = compare(old, new)
    assert len({difference.field for difference in differences}) == len(differences)
    for difference in differences:
        for side, value in ((old, difference.old), (new, difference.new)):
            assert value is MISSING or text(find(side, difference.field)) == text(value)
        assert {difference.old is MISSING, difference.new is MISSING} != {True}


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
