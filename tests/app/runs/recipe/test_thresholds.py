"""When a run fails: more than half of its first samples, or more than a tenth of all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runs.recipe.thresholds import Failures


def ended_at(total: int, outcomes: list[bool]) -> int | None:
    """Return the number of the sample with which the run ends; `outcomes` has True for one that failed."""
    failures = Failures(total)
    for at, is_failed in enumerate(outcomes, 1):
        failures.count(is_failed=is_failed)
        if failures.are_too_many:
            return at
    return None


@pytest.mark.parametrize(
    ("total", "outcomes", "ends"),
    [
        (1, [True], 1),
        (2, [True, False], 2),
        (9, [True] + [False] * 8, 9),
        (10, [True] + [False] * 9, None),
        (19, [True] * 2 + [False] * 17, 19),
        (20, [True] * 2 + [False] * 18, None),
        (20, [True] * 3 + [False] * 17, 20),
        (3, [True, True], 2),
        (20, [True] * 10 + [False] * 10, 20),
        (100, [True] * 10 + [False] * 90, None),
        (1000, [True] * 10 + [False] * 90, None),
        (20, [True] * 11, 11),
        (1000, [True] * 11, 11),
        (1000, [False] * 20 + [True] * 100, None),
        (1000, [False] * 20 + [True] * 101, 121),
        (100, [True] * 10 + [False] * 20 + [True], 31),
        (30, [False] * 20 + [True] * 4, 24),
        (21, [True] * 3 + [False] * 18, 20),
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
        assert outcomes[end - 1] or end == min(20, total)
    elif len(outcomes) == total:
        assert sum(outcomes) * 10 <= total
    if sum(outcomes) * 10 <= total and sum(outcomes[:20]) * 2 <= min(20, total):
        assert end is None


@given(st.integers(1, 60), st.lists(st.booleans(), max_size=60), st.integers(0, 60))
def test_another_worker_ends_a_run_where_the_first_would_have(total: int, outcomes: list[bool], taken_over: int):
    outcomes = outcomes[:total]
    before, after = outcomes[:taken_over], outcomes[taken_over:]
    failures = Failures(total, len(before), sum(before))
    whole = ended_at(total, outcomes)
    if whole is not None and whole > len(before):
        for is_failed in after[: whole - len(before) - 1]:
            assert not failures.are_too_many
            failures.count(is_failed=is_failed)
        failures.count(is_failed=outcomes[whole - 1])
        assert failures.are_too_many
