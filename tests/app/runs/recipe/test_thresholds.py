"""When a run fails: more than half of its first samples, or more than a tenth of all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runs.recipe.thresholds import Failures


def ended_at(total: int, outcomes: list[bool]) -> int | None:
    """Return the number of the sample with which the run ends; `outcomes` has True for one that failed."""
    failures = Failures(total)
    return next((at for at, is_failed in enumerate(outcomes, 1) if failures.count(is_failed=is_failed)), None)


@pytest.mark.parametrize(
    ("total", "outcomes", "ends"),
    [
        (1, [True], 1),
        (2, [True, False], None),
        (3, [True, True], 2),
        (20, [True] * 10 + [False] * 10, None),
        (20, [True] * 11, 11),
        (1000, [True] * 11, 11),
        (1000, [False] * 20 + [True] * 100, None),
        (1000, [False] * 20 + [True] * 101, 121),
        (100, [True] * 10 + [False] * 20 + [True], 31),
        (30, [False] * 20 + [True] * 4, 24),
        (21, [True] * 3 + [False] * 18, 21),
    ],
)
def test_a_run_ends_with_the_sample_that_is_one_too_many(total: int, outcomes: list[bool], ends: int | None):
    assert ended_at(total, outcomes) == ends


@given(st.integers(1, 200), st.lists(st.booleans(), max_size=200))
def test_a_run_ends_with_a_sample_that_failed_or_after_the_first_and_never_for_a_tenth(
    total: int, outcomes: list[bool]
):
    outcomes = outcomes[:total]
    end = ended_at(total, outcomes)
    if end is not None:
        assert outcomes[end - 1] or end == 21
    elif len(outcomes) == total > 20:
        assert sum(outcomes) * 10 <= total
    if sum(outcomes) * 10 <= total and sum(outcomes[:20]) * 2 <= min(20, total):
        assert end is None
