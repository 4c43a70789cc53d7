"""Rows of two contents: what differs is what a JSON Patch has, and lists are aligned."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.domain.differences import compare, pointer
from app.web.parts import side_by_side
from app.web.parts.side_by_side import Row

SCALARS = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "a", "b"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
CONTENTS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


def told(rows: list[Row]) -> list[tuple[str, str, str, str, int]]:
    return [(row.state, row.label, str(row.old), str(row.new), row.count) for row in rows]


def place(row: Row) -> str:
    return pointer(row.at if row.state == "removed" else row.to)


@given(CONTENTS, CONTENTS)
def test_the_rows_that_differ_are_the_differences(old: dict[str, Any], new: dict[str, Any]):
    rows = [row for row in side_by_side.rows(old, new) if not row.is_same]
    found = sorted((place(row), repr(row.old), repr(row.new)) for row in rows)
    assert found == sorted((each.field, repr(each.old), repr(each.new)) for each in compare(old, new))


@given(CONTENTS)
def test_nothing_differs_from_itself(content: dict[str, Any]):
    rows = side_by_side.rows(content, json.loads(json.dumps(content)))
    assert [row.label for row in rows] == [*content]
    assert all(row.is_same for row in rows)


def test_an_entry_that_was_put_in_front_moves_the_others():
    rows = side_by_side.rows({"q": ["a", "b", "c"]}, {"q": ["new", "a", "b", "d", "e"]})
    assert told(rows) == [
        ("added", "q.0", "_Missing.MISSING", "new", 1),
        ("same", "q.1", "a", "a", 2),
        ("changed", "q.3", "c", "d", 1),
        ("added", "q.4", "_Missing.MISSING", "e", 1),
    ]
    assert [row.former for row in rows] == [None, "q.0", "q.2", None]


def test_fields_of_entries_are_compared():
    old = {"generators": [{"type": "hardcoded", "numq": 1}, {"type": "persona", "seed": 1}]}
    new = {"generators": [{"type": "hardcoded", "numq": 2}, {"type": "persona"}]}
    rows = side_by_side.rows(old, new)
    assert [(row.state, row.label) for row in rows] == [
        ("same", "generators.0.type"),
        ("changed", "generators.0.numq"),
        ("same", "generators.1.type"),
        ("removed", "generators.1.seed"),
    ]
