"""Whose run is next, and which one makes way: users come before the number of their runs."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from app.runs.recipe.turns import Waiting, ordered, to_give_up

OWNERS = st.sampled_from(["alice", "bob", "carol"])
RUNS = st.builds(Waiting, st.integers(0, 9), OWNERS, st.integers(1, 3))
WAITING = st.lists(RUNS, unique_by=lambda run: run.id)
BUSY = st.dictionaries(st.integers(10, 19), OWNERS)


@given(WAITING, BUSY)
def test_the_next_run_is_of_who_has_the_fewest_under_way(waiting: list[Waiting], busy: dict[int, str]):
    counts = Counter(busy.values())
    by_id = {run.id: run for run in waiting}
    found = [by_id[run_id] for run_id in ordered(waiting, busy)]
    assert sorted(found) == sorted(waiting)
    assert found == sorted(found, key=lambda run: (counts[run.owner], run.turns, run.id))


@given(WAITING, BUSY, st.data())
def test_a_run_makes_way_only_for_who_has_fewer(waiting: list[Waiting], busy: dict[int, str], data: st.DataObject):
    mine = data.draw(st.permutations(sorted(busy)))
    counts = Counter(busy.values())
    given_up = to_give_up(mine, waiting, busy)
    if given_up is None:
        assert all(counts[busy[run_id]] <= counts[run.owner] for run_id in mine for run in waiting)
    else:
        assert any(counts[busy[given_up]] > counts[run.owner] for run in waiting)
        assert counts[busy[given_up]] == max(counts.values())


def test_one_user_alone_keeps_all_runs():
    two = {1: "alice", 2: "alice"}
    assert to_give_up([1, 2], [Waiting(3, "alice", 0)], two) is None
    assert to_give_up([1, 2], [Waiting(3, "bob", 0)], two) == 1
    assert to_give_up([2], [Waiting(3, "bob", 0)], two) == 2
    assert to_give_up([], [Waiting(3, "bob", 0)], two) is None


def test_a_run_that_made_way_is_behind_the_one_that_it_made_way_for():
    assert ordered([Waiting(1, "alice", 1), Waiting(2, "bob", 0)], {}) == [2, 1]
