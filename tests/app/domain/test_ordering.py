"""The order of targets by a column."""

import pytest

from app.domain import ordering
from app.domain.differences import MISSING
from app.domain.field_paths import UnknownField


@pytest.mark.parametrize("text", ["target_name", "-template", "changed", "-temperature", "generators.0.numq"])
def test_an_order_is_written_as_it_was_read(text: str):
    found = ordering.read(text)
    assert found.text == text
    assert found.is_descending == text.startswith("-")


@pytest.mark.parametrize("text", ["", "-", "version", "--temperature", "temperature.x"])
def test_what_is_no_column_is_refused(text: str):
    with pytest.raises(UnknownField):
        ordering.read(text)


def test_numbers_come_before_texts_and_texts_before_all_else():
    values = [[1], {"a": 1}, "b", "B", "a", "10", 10, 9.5, -1, True, False]
    expected = [-1, 9.5, 10, "10", "a", "B", "b", False, True, [1], {"a": 1}]
    assert sorted(values, key=ordering.key) == expected


def test_no_value_and_null_have_no_place():
    assert ordering.key(MISSING) is None
    assert ordering.key(None) is None
