"""What `extra_kwargs` may not hold: it would change what a run counts, or where its requests go."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.extra_kwargs import REFUSED, merged, problems

VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers()) | st.just({})
TAKEN = st.dictionaries(st.text().filter(lambda name: name not in {*REFUSED, "extra_body"}), VALUES)


@given(TAKEN, st.dictionaries(st.sampled_from(sorted(REFUSED)), VALUES))
def test_each_refused_field_has_one_sentence_that_names_it_and_says_what_to_do(
    taken: dict[str, Any], refused: dict[str, Any]
):
    found = list(problems(taken | refused))
    assert [sentence.split(":")[0] for sentence in found] == [f"extra_kwargs.{name}" for name in refused]
    assert all(sentence.endswith(".") and (" Set " in sentence or " Leave " in sentence) for sentence in found)


@given(TAKEN, st.dictionaries(st.sampled_from(sorted(REFUSED)), VALUES, min_size=1))
def test_what_extra_body_holds_obeys_the_same_list(taken: dict[str, Any], refused: dict[str, Any]):
    assert list(problems({"extra_body": taken})) == []
    within = list(problems({"extra_body": taken | refused, "top_p": 1}))
    assert within == list(problems(refused, "extra_kwargs.extra_body"))
    [deeper] = problems({"extra_body": {"extra_body": refused}})
    assert deeper.startswith("extra_kwargs.extra_body.extra_body: one level")


@given(VALUES.filter(lambda value: not isinstance(value, dict)))
def test_an_extra_body_that_is_no_object_is_refused(value: Any):
    [sentence] = problems({"extra_body": value})
    assert sentence.startswith("extra_kwargs.extra_body: this must be an object")


@given(TAKEN, TAKEN)
def test_the_fields_of_extra_body_win(outer: dict[str, Any], inner: dict[str, Any]):
    assert merged(outer | {"extra_body": inner}) == outer | inner
    assert (merged(outer), merged(None)) == (outer, {})


@pytest.mark.parametrize(
    "name", ["models", "fallbacks", "route", "provider", "user_config", "custom_llm_provider", "organization"]
)
def test_no_field_reaches_a_model_or_an_account_that_the_operator_did_not_list(name: str):
    for place, extra_kwargs in (("", {name: ["m"]}), ("extra_body.", {"extra_body": {name: ["m"]}})):
        [sentence] = problems(extra_kwargs)
        assert sentence.startswith(f"extra_kwargs.{place}{name}: it would send requests to models or accounts")
