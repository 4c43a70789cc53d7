"""The key of a run: equal for equal inputs, and another one whatever changes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.canonical_json import digest
from app.runs.recipe import keys

GENERATORS = [{"type": "hardcoded", "questions": "d" * 64, "number": 2}]
STIM: dict[str, Any] = {"teacher": "a" * 40, "student": "b" * 40, "generators": GENERATORS}
CONFIG = {"model_name": "m", "num_traj_per_stimulus": 2, "temperature": 0.7, "max_tokens": 9, "extra_kwargs": {"x": 1}}


def stim_key(**changed: Any) -> str:
    return keys.of_inputs(keys.stim_inputs(**STIM | changed))


def rollout_key(stim: str = "s" * 64, endpoint: str = "e", **changed: Any) -> str:
    return keys.of_inputs(keys.rollout_inputs(stim, CONFIG | changed, endpoint))


def test_anybody_can_compute_a_key():
    assert stim_key() == digest(keys.stim_inputs(**STIM))
    assert len(stim_key()) == 64


@pytest.mark.parametrize(
    "changed",
    [{"teacher": "c" * 40}, {"student": "c" * 40}, {"student": None}, {"generators": []}]
    + [{"generators": [{**GENERATORS[0], name: value}]} for name, value in (("number", 1), ("seed", 0))],
)
def test_another_part_of_a_stim_is_another_key(changed: dict[str, Any]):
    assert stim_key(**changed) != stim_key()


@pytest.mark.parametrize(
    "changed",
    [
        {"stim": "t" * 64},
        {"endpoint": "f"},
        {"model_name": "n"},
        {"num_traj_per_stimulus": 3},
        {"temperature": 0.8},
        {"temperature": None},
        {"max_tokens": 10},
        {"extra_kwargs": {"x": 2}},
        {"extra_kwargs": {}},
    ],
)
def test_another_part_of_a_rollout_is_another_key(changed: dict[str, Any]):
    assert rollout_key(**changed) != rollout_key()


@given(st.integers(1, 1000))
def test_how_many_requests_are_out_at_once_is_no_part_of_a_key(most: int):
    assert rollout_key(max_concurrency=most) == rollout_key()


def test_a_field_without_a_value_is_one_that_is_left_out():
    without = {name: value for name, value in CONFIG.items() if name not in ("max_tokens", "extra_kwargs")}
    left_out = keys.of_inputs(keys.rollout_inputs("s" * 64, without, "e"))
    assert rollout_key(max_tokens=None, extra_kwargs={}) == left_out
