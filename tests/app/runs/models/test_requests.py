"""The body of a request for a completion."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.extra_kwargs import NESTED, REFUSED, problems
from app.runs.models import requests

MESSAGES = [{"role": "user", "content": "Hello"}]
ALLOWED = st.dictionaries(
    st.text(min_size=1).filter(lambda name: name not in {*REFUSED, NESTED}), st.integers(), max_size=4
)


def test_a_body_has_what_the_target_says():
    config = {"max_tokens": 5, "temperature": 0.5, "extra_kwargs": {"top_p": 0.9}, "num_traj_per_stimulus": 3}
    tools = [{"type": "function", "function": {"name": "look_up"}}]
    assert requests.body(MESSAGES, tools, "m", config, 7) == {
        "model": "m",
        "messages": MESSAGES,
        "max_tokens": 5,
        "temperature": 0.5,
        "tools": tools,
        "seed": 7,
        "top_p": 0.9,
    }


def test_what_is_not_set_is_not_sent():
    config = {"max_tokens": None, "extra_kwargs": {}}
    assert requests.body(MESSAGES, None, "m", config, None) == {"model": "m", "messages": MESSAGES}


def test_extra_kwargs_win_and_extra_body_is_merged():
    config = {"temperature": 0.5, "extra_kwargs": {"seed": 1, "extra_body": {"temperature": 0, "top_k": 4}}}
    made = requests.body(MESSAGES, None, "m", config, 7)
    assert made == {"model": "m", "messages": MESSAGES, "temperature": 0, "seed": 1, "top_k": 4}
    assert config["extra_kwargs"]["extra_body"] == {"temperature": 0, "top_k": 4}


@given(ALLOWED, st.none() | ALLOWED)
def test_all_else_is_passed_on(extra: dict, merged: dict | None):
    kwargs = extra if merged is None else extra | {"extra_body": merged}
    assert not list(problems(kwargs))
    made = requests.body(MESSAGES, None, "m", {"extra_kwargs": kwargs}, None)
    assert made == {"model": "m", "messages": MESSAGES} | extra | (merged or {})
