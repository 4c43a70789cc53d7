"""What a row has of an endpoint's answer."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runs.models import answers
from app.runs.models.answers import Answer, InvalidAnswer
from tests import replies

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
FIELDS = ("choices", "message", "content", "usage", "role", "finish_reason", "prompt_tokens", "tool_calls")
NEARLY = st.recursive(
    JSON, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(FIELDS), inner), max_leaves=20
)


def read(body: bytes) -> Answer:
    return answers.read(answers.load(body), body)


def test_an_answer_has_the_fields_of_a_row_and_the_whole_body():
    body = replies.completion("Yes.", annotations=[1]).body
    answer = read(body)
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    assert answer.response == {"role": "assistant", "content": "Yes.", "finish_reason": "stop", "usage": usage}
    assert (answer.tokens_in, answer.tokens_out) == (7, 3)
    assert answer.body is body
    assert not answer.is_empty
    assert not answer.is_truncated


@pytest.mark.parametrize(
    ("reply", "field", "value", "is_empty"),
    [
        (replies.TOOL_CALLS, "tool_calls", replies.CALLS, False),
        (replies.REFUSAL, "refusal", "I must not.", False),
        (replies.REASONING_CONTENT, "reasoning_content", "I think.", True),
        (replies.REASONING, "reasoning_content", "I think.", True),
        (replies.EMPTY, "content", "", True),
        (replies.completion(" \n"), "content", " \n", True),
        (replies.completion(None), "content", None, True),
    ],
)
def test_answers_without_a_text(reply: replies.Reply, field: str, value: object, is_empty: bool):
    answer = read(reply.body)
    assert answer.response[field] == value
    assert answer.is_empty is is_empty
    assert {"role", "content", "finish_reason", "usage", field} == answer.response.keys()


def test_an_answer_that_max_tokens_cut_is_truncated():
    assert read(replies.TRUNCATED.body).is_truncated


def test_half_a_character_becomes_one_that_can_be_written():
    body = replies.completion("A \ud83d B \ud83c\udf5e C").body
    answer = read(body)
    assert answer.response["content"] == "A \ufffd B 🍞 C"
    assert answer.body == body


@pytest.mark.parametrize(
    "body",
    [
        replies.INVALID_JSON.body,
        replies.NO_CHOICES.body,
        b"",
        b"\xff\xfe",
        b"<html>",
        b'{"choices": [{"message": {"content": NaN}}]}',
        b'{"choices": [{"message": "Yes."}]}',
        b'{"choices": {"message": {}}}',
        replies.completion("Yes.").body.replace(b"Yes", b"\xed\xa0\xbd"),
        *(replies.completion("Yes.").body.decode().encode(code) for code in ("utf-16", "utf-16-be", "utf-32")),
        b"[" * 100_000,
        b'{"choices": [{"message": {"content": ' + b"9" * 5000 + b"}}]}",
    ],
)
def test_what_is_no_completion(body: bytes):
    with pytest.raises(InvalidAnswer):
        read(body)


def test_a_mark_of_utf_8_is_no_part_of_an_answer():
    assert read(b"\xef\xbb\xbf" + replies.completion("Yes.").body).response["content"] == "Yes."


@pytest.mark.parametrize("count", [2**31 - 1, 2**31, 2**63, 10**4000])
def test_no_answer_counts_so_many_tokens_that_a_sum_overflows(count: int):
    answer = answers.read({"choices": [{"message": {}}], "usage": {"completion_tokens": count}}, b"")
    assert answer.tokens_out == 2**31 - 1


@given(NEARLY)
def test_any_json_is_an_answer_that_a_row_can_hold_or_is_refused(payload: object):
    try:
        answer = answers.read(payload, b"")
    except InvalidAnswer:
        return
    assert {"role", "content", "finish_reason", "usage"} <= answer.response.keys()
    assert answer.tokens_in >= 0
    assert answer.tokens_out >= 0
    assert isinstance(answer.is_empty, bool)
    assert isinstance(answer.is_truncated, bool)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"error": {"message": "Too\nlong."}}, "Too long."),
        ({"error": "No."}, "No."),
        ({"detail": [{"loc": "x"}]}, '[{"loc": "x"}]'),
        ({"message": "No."}, "No."),
        ({}, "{}"),
        ({"error": {"message": "x" * 900}}, "x" * 500 + "…"),
    ],
)
def test_what_an_endpoint_says_of_an_error(payload: object, said: str):
    assert answers.message_of(payload, json.dumps(payload).encode()) == said
