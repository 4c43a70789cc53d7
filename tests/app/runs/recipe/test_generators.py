"""Which questions of a list a generator takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runs.recipe.generators import indexes

SIZES = st.integers(1, 40)


@given(SIZES, st.none() | st.integers())
def test_without_numq_a_generator_takes_all_in_their_order(size, seed):
    assert [*indexes({"seed": seed}, size, "key", 0)] == [*range(size)]


@given(SIZES, st.data(), st.integers())
def test_a_seed_decides_the_draw_whatever_the_run(size, data, seed):
    generator = {"numq": data.draw(st.integers(1, size)), "seed": seed}
    drawn = indexes(generator, size, "one", 0)
    assert drawn == indexes(generator, size, "two", 5)
    assert len({*drawn}) == generator["numq"]


def test_without_a_seed_the_run_and_the_generators_place_decide():
    draws = [tuple(indexes({"numq": 10}, 1000, key, index)) for key in "ab" for index in (0, 1)]
    assert len({*draws}) == 4
    assert draws[0] == tuple(indexes({"numq": 10}, 1000, "a", 0))


def test_the_seed_0_is_one():
    assert indexes({"numq": 5, "seed": 0}, 100, "a", 0) == indexes({"numq": 5, "seed": 0}, 100, "b", 0)


def test_more_than_there_is_cannot_be_taken():
    with pytest.raises(ValueError, match="4 of 3"):
        indexes({"numq": 4}, 3, "key", 0)
