"""Which rows are there: the counts fit any order in which rows come, fail and come again."""

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
        there[position] = is_failed
        listed = next((at for at in range(TOTAL) if at not in there), TOTAL)
        assert (progress.done, progress.failed, progress.listed) == (len(there), sum(there.values()), listed)
        assert (done, failed) == (progress.done, progress.failed)
    assert list(progress.wanted()) == [at for at in range(TOTAL) if there.get(at, True)]


@given(MARKS)
def test_the_listed_rows_never_become_fewer(marks: list[tuple[int, bool]]):
    progress = Progress(TOTAL)
    listed = 0
    for position, is_failed in marks:
        progress.mark(position, is_failed=is_failed)
        assert progress.listed >= listed
        listed = progress.listed
