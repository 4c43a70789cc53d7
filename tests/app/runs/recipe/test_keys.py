"""The key of a run: equal for equal inputs, and another one whatever changes."""

import json
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


def rollout_key(stim: str = "s" * 64, endpoint: str = "e", *, takes_seed: bool = True, **changed: Any) -> str:
    of_endpoint = keys.of_endpoint(endpoint, takes_seed=takes_seed)
    return keys.of_inputs(keys.rollout_inputs(stim, CONFIG | changed, of_endpoint))


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
        {"takes_seed": False},
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
    left_out = keys.of_inputs(keys.rollout_inputs("s" * 64, without, {"endpoint": "e"}))
    assert rollout_key(max_tokens=None, extra_kwargs={}) == left_out
    assert rollout_key(max_tokens=None, extra_kwargs=None) == left_out
    assert rollout_key(max_tokens=None, extra_kwargs={"extra_body": {}}) == left_out
    assert rollout_key(extra_kwargs={"x": 1, "extra_body": {}}) == rollout_key()


@pytest.mark.parametrize("number", [0, 1, -3, 2**53])
def test_a_whole_number_is_one_number_however_it_is_written(number: int):
    for field in ({"temperature": number}, {"extra_kwargs": {"x": [{"y": number}]}}):
        assert rollout_key(**json.loads(json.dumps(field).replace(str(number), f"{number}.0"))) == rollout_key(**field)
    whole, written = ([{**GENERATORS[0], "temperature": found}] for found in (number, float(number)))
    assert stim_key(generators=written) == stim_key(generators=whole)


def test_minus_zero_is_zero():
    assert rollout_key(temperature=-0.0) == rollout_key(temperature=0)
    assert rollout_key(extra_kwargs={"x": -0.0}) == rollout_key(extra_kwargs={"x": 0})


@pytest.mark.parametrize("pair", [(1, True), (0, False), (0.5, 0), (1e16, 10**16), ("1", 1), (None, 0)])
def test_what_is_sent_as_something_else_is_another_key(pair: tuple[Any, Any]):
    one, other = (rollout_key(extra_kwargs={"x": [value]}) for value in pair)
    assert one != other


def test_git_has_no_part_in_what_the_operator_or_an_update_changes():
    asked = {"type": "oneshot_qs", "model": "m", "numq": 2, "number": 2}
    one, other = (
        keys.stim_inputs(
            "a" * 40,
            None,
            [
                asked | {"template": digest(at), **keys.of_endpoint(f"e{at}", takes_seed=bool(at))},
                {"type": "from_dataset", "dataset": "d", "digest": digest(at), "number": at},
                {"type": "persona", "numq": 2, "number": 2, **({"bank": digest(at)} if at else {"digest": digest(at)})},
            ],
        )
        for at in range(2)
    )
    assert keys.of_git(one) == keys.of_git(other)
    rollouts = [
        keys.rollout_inputs(keys.of_inputs(stim), CONFIG, keys.of_endpoint(name, takes_seed=takes_seed))
        for stim, name, takes_seed in ((one, "e", True), (other, "f", False))
    ]
    assert keys.of_git(rollouts[0], one) == keys.of_git(rollouts[1], other)


def test_git_has_a_part_in_prompts_templates_and_fields():
    asked = {"type": "custom", "model": "m", "numq": 2, "number": 2, "template": "a" * 40, "endpoint": "e"}
    stim = keys.stim_inputs("a" * 40, "b" * 40, [asked])
    others = [
        keys.stim_inputs("c" * 40, "b" * 40, [asked]),
        keys.stim_inputs("a" * 40, None, [asked]),
        keys.stim_inputs("a" * 40, "b" * 40, [asked | {"template": "b" * 40}]),
        keys.stim_inputs("a" * 40, "b" * 40, [asked | {"seed": 1}]),
    ]
    rollout = keys.rollout_inputs("s" * 64, CONFIG, {"endpoint": "e"})
    for other in others:
        assert keys.of_git(stim) != keys.of_git(other)
        assert keys.of_git(rollout, stim) != keys.of_git(rollout, other)
