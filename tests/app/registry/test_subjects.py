"""Subjects of commits: what changed, at a glance, on one short line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.registry import subjects
from app.registry.field_changes import FieldChange, bounded, cut, find, lines

LONG = "x" * 1000


def subject(start: str, old: dict, new: dict) -> str:
    return subjects.of_fields(start, find(old, new))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"temperature": 0.7}, {"temperature": 1.4}, "a: temperature 0.7 → 1.4"),
        ({"temperature": 1}, {"temperature": 1.0}, "a: temperature 1 → 1.0"),
        ({"m": 1}, {}, "a: m 1 → (unset)"),
        ({}, {"m": None}, "a: m (unset) → null"),
        ({"m": 1, "n": 2, "o": 3}, {"o": 4}, "a: 3 fields"),
        ({"g": [{"numq": 5, "type": "t"}]}, {"g": [{"numq": 6, "type": "t"}]}, "a: g.0.numq 5 → 6"),
        ({"g": [1, 2]}, {"g": [0, 1, 2]}, "a: g.0 (unset) → 0"),
        ({"g": []}, {"g": [1]}, "a: g [] → [1]"),
        ({"k": {"a b": {"c.d": 1}}}, {"k": {"a b": {"c.d": 2}}}, 'a: k."a b"."c.d" 1 → 2'),
        ({"k": {"/~": 1, "b": [1, 2]}}, {"k": {"/~": 1, "b": [3, 4]}}, "a: 2 fields"),
        ({"p": "one"}, {"p": "two\n\x1b[31m"}, 'a: p "one" → "two\\n\\u001b[31m"'),
        ({"p": "\u202e"}, {"p": ""}, 'a: p "\\u202e" → ""'),
        ({"p": LONG}, {"p": 1}, f'a: p "{"x" * 61}… → 1'),
        ({"p": LONG}, {"p": f"{LONG}y"}, f'a: p …{"x" * 9}" → …{"x" * 9}y"'),
        ({"p" * 60: LONG}, {"p" * 60: 1}, f'a: {"p" * 12}…{"p" * 11} "{"x" * 38}… → 1'),
    ],
)
def test_one_change_is_told_with_its_values_and_more_are_counted(old: dict, new: dict, expected: str):
    assert (
        subject("a", old, new).startswith(expected) if expected.endswith("→ …") else subject("a", old, new) == expected
    )


_values = st.none() | st.booleans() | st.integers() | st.text(max_size=200) | st.lists(st.text(max_size=30), max_size=4)
_values |= st.dictionaries(st.text(max_size=20), _values)
_fields = st.dictionaries(st.text("ab/._", min_size=1, max_size=90), _values, max_size=2)
_names = st.text("ab", min_size=1, max_size=100)


@given(_names, _names, _fields, _fields)
def test_a_subject_is_short_and_printable_whatever_changed(name: str, template: str, old: dict, new: dict):
    for form in ("{}", "Create {} from {}", "{}, now from {}", "Restore {} as it was at 0123456789"):
        told = subjects.of_fields(subjects.head(form, name, template), find(old, new), "no field changed")
        assert told.isprintable()
        assert len(told) <= 72


@given(_fields, _fields)
def test_a_change_is_found_where_something_differs_and_only_there(old: dict, new: dict):
    assert find(old, old) == []
    assert bool(find(old, new)) == (repr(sorted(old.items(), key=str)) != repr(sorted(new.items(), key=str)))


@given(st.text(max_size=50), st.text(max_size=50), st.integers(3, 20))
def test_texts_are_cut_where_they_differ(before: str, after: str, most: int):
    shown = cut(before, after, most)
    assert all(len(text) <= most for text in shown)
    if before != after and "…" not in before + after:
        assert shown[0] != shown[1]


def test_long_lists_of_changes_are_counted():
    changes = [FieldChange(f"f{number}", number, 0) for number in range(10)]
    assert list(lines(changes, 10))[-1] == "f9: 9 → 0"
    assert list(lines(changes, 8))[7:] == ["f7: 7 → 0", "… and 2 more fields"]
    assert list(lines(changes, 9))[9:] == ["… and 1 more field"]


def test_many_blocks_are_bounded_in_lines_and_in_characters():
    assert bounded([["a", "b"]] * 3, 3, "target") == ["a", "b"] * 3
    assert bounded([["a", "b"]] * 700, 700, "target") == [*["a", "b"] * 150, "… and 550 more targets"]
    assert bounded([["x" * 60_000]] * 3, 3, "prompt") == ["x" * 60_000, "… and 2 more prompts"]


def test_names_of_many_are_listed_as_far_as_they_fit():
    assert subjects.of_many("Write", "target", ["a", "b"]) == "Write 2 targets: a, b"
    names = [f"sweep_{number:03}" for number in range(500)]
    assert subjects.of_many("Write", "target", names) == (
        "Write 500 targets: sweep_000, sweep_001, sweep_002 and 497 more"
    )
    assert (
        subjects.of_many("Write", "prompt", ["n" * 100, "b"]) == "Write 2 prompts: nnnnnnnnnnnn…nnnnnnnnnnn and 1 more"
    )
    assert max(len(subjects.of_many("Write", "target", names[:count])) for count in range(2, 500)) <= 72
