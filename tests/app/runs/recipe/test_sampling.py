"""Draws, seeds and idempotency keys."""

import uuid
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runs.recipe.sampling import draw, idempotency_key, seed_of

SIZES = st.integers(0, 60)
SEEDS = st.integers() | st.integers(-(10**5000), 10**5000)
PARTS = st.lists(st.integers() | st.text(max_size=3), max_size=3)


@given(SIZES, st.data(), SEEDS)
def test_a_draw_repeats_nothing(size, data, seed):
    number = data.draw(st.integers(0, size))
    drawn = draw(size, number, seed)
    assert len(drawn) == len({*drawn}) == number
    assert {*drawn} <= {*range(size)}
    assert drawn == draw(size, number, seed)
    assert drawn == draw(size, size, seed)[:number]


def test_a_draw_is_the_same_in_every_version_of_bakehouse():
    assert draw(10, 4, 42) == [0, 3, 6, 7]
    assert draw(10**12, 2, -1) == [224363555093, 317038061328]
    assert seed_of("k", 3, "x") == 202206907
    assert idempotency_key("k", 3, 0) == "214472d9dc9954546a06185b8fe640e5"


def test_each_order_is_drawn_about_as_often_as_any_other():
    counts = Counter(tuple(draw(4, 3, seed)) for seed in range(24_000))
    assert len(counts) == 24
    assert all(850 < count < 1150 for count in counts.values())  # 1,000 each, five standard deviations


@pytest.mark.parametrize(("size", "number"), [(0, 1), (3, 4), (3, -1)])
def test_more_than_there_is_cannot_be_drawn(size: int, number: int):
    with pytest.raises(ValueError, match=f"{number} of {size}"):
        draw(size, number, 0)


@given(st.text(max_size=3), PARTS, st.text(max_size=3), PARTS)
def test_other_samples_have_other_names(key, parts, other_key, other_parts):
    is_same = (key, parts) == (other_key, other_parts)
    assert (idempotency_key(key, *parts) == idempotency_key(other_key, *other_parts)) == is_same
    assert 0 <= seed_of(key, *parts) < 2**31
    assert uuid.UUID(idempotency_key(key, *parts))
