"""Which rows are there: the counts fit any order in which rows come, fail and come again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runs.recipe.progress import Progress

TOTAL = 12
MARKS = st.lists(st.tuples(st.integers(0, TOTAL - 1), st.booleans()))


@given(MARKS)
def test_counts_fit_what_was_marked(marks: list[tuple[int, bool]]):
    progress = Progress(TOTAL)
    there: dict[int, bool] = {}
    done = failed = 0
    for position, is_failed in marks:
        more, more_failed = progress.mark(position, is_failed=is_failed)
        done, failed = done + more, failed + more_failed
        there.setdefault(position, is_failed)
        listed = next((at for at in range(TOTAL) if at not in there), TOTAL)
        assert (progress.done, progress.failed, progress.listed) == (len(there), sum(there.values()), listed)
        assert (done, failed) == (progress.done, progress.failed)
    assert list(progress.wanted()) == [at for at in range(TOTAL) if at not in there]


FOUND = st.dictionaries(st.integers(0, TOTAL - 1), st.sampled_from(["there", "failed", "again"]))


@given(FOUND, MARKS)
def test_rows_to_be_asked_for_again_are_listed_and_wanted_until_others_take_their_places(
    found: dict[int, str], marks: list[tuple[int, bool]]
):
    progress = Progress(TOTAL)
    for position, state in found.items():
        progress.mark(position, is_failed=state != "there", is_again=state == "again")
    again = {position for position, state in found.items() if state == "again"}
    failed = {position for position, state in found.items() if state != "there"}
    there = set(found)
    listed = progress.listed
    for position, is_failed in marks:
        before = progress.done, progress.failed
        more, more_failed = progress.mark(position, is_failed=is_failed)
        assert (progress.done, progress.failed) == (before[0] + more, before[1] + more_failed)
        if position not in there - again:
            failed = failed | {position} if is_failed else failed - {position}
        there, again = there | {position}, again - {position}
        assert (progress.done, progress.failed, progress.again) == (len(there), len(failed), len(again))
    assert list(progress.wanted()) == [at for at in range(TOTAL) if at not in there or at in again]
    assert progress.listed >= listed


@given(MARKS)
def test_the_listed_rows_never_become_fewer(marks: list[tuple[int, bool]]):
    progress = Progress(TOTAL)
    listed = 0
    for position, is_failed in marks:
        progress.mark(position, is_failed=is_failed)
        assert progress.listed >= listed
        listed = progress.listed


@pytest.mark.parametrize("first", [0, 1, 3, 5])
@pytest.mark.parametrize("more", [[], [3], [4, 3]])
def test_to_mark_the_first_rows_is_to_mark_each_of_them(first: int, more: list[int]):
    at_once, each = Progress(5), Progress(5)
    at_once.mark_first(first)
    for position in range(first):
        each.mark(position)
    for position in more:
        assert at_once.mark(position) == each.mark(position)
    assert (at_once.done, at_once.failed, at_once.listed) == (each.done, each.failed, each.listed)
    assert list(at_once.wanted()) == list(each.wanted())
