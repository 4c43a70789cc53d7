"""What a row has of an endpoint's answer."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from app.domain import canonical_json
from app.runs.ledger.database import Database
from app.runs.ledger.rows import Row, RowTable, put_rows
from app.runs.ledger.runs import RunTable
from app.runs.ledger.tables import ROWS
from app.runs.models import answers
from app.runs.models.answers import Answer, InvalidAnswer
from tests import replies
from tests.app.runs.ledger.runs import new

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


def saying(content: bytes) -> bytes:
    """Return the body of a completion with a content, as it is written."""
    return b'{"choices": [{"message": {"content": ' + content + b"}}]}"


def nested(levels: int) -> bytes:
    """Return lists within each other."""
    return b"[" * levels + b"]" * levels


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = request.getfixturevalue("postgresql").make_database() if request.param == "postgresql" else None
    ledger = Database(url, tmp_path)
    yield ledger
    ledger.close()


def keep(answer: Answer, ledger: Database) -> None:
    """Keep an answer as a run does, and see that it comes back and that UTF-8 can hold it."""
    row = Row(0, 0, canonical_json.dump(answer.response).decode(), answer.body)
    run = RunTable(ledger).start(new())
    with ledger.begin() as connection:
        connection.execute(delete(ROWS))
        put_rows(connection, run.id, [row])
    assert RowTable(ledger).page(run.id, 2, 0, 1, bodies=True) == [row]
    assert json.loads(row.text) == answer.response
    json.dumps(answer.response, ensure_ascii=False).encode()


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
    ("body", "why"),
    [
        (replies.INVALID_JSON.body, "is not JSON"),
        (replies.NO_CHOICES.body, "has no choices"),
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"<html>", "is not JSON"),
        (b'{"choices": [{"message": "Yes."}]}', "has no choices"),
        (b'{"choices": {"message": {}}}', "has no choices"),
        (b"[" * 100_000, "lists and objects"),
        (saying(b"NaN"), "has NaN"),
        (saying(b"-Infinity"), "has -Infinity"),
        (saying(b"9" * 5000), "too large"),
        (saying(b"1e999"), "too large"),
        (saying(b"-1.5E400"), "too large"),
        (saying(b'"\xed\xa0\xbd"'), "is not JSON"),  # half a character, which UTF-8 does not have
        (saying(nested(97)), "lists and objects"),
        (saying(nested(990)), "lists and objects"),
        (saying(b'{"a":' * 5000 + b"1" + b"}" * 5000), "lists and objects"),
        *(
            (replies.completion("Yes.").body.decode().encode(code), "is not JSON in UTF-8")
            for code in ("utf-16", "utf-16-be", "utf-32")
        ),
    ],
)
def test_what_is_no_completion(body: bytes, why: str):
    with pytest.raises(InvalidAnswer, match=why):
        read(body)


@pytest.mark.parametrize("content", [nested(96), b"1e308", b'"\\u0000"', b'"\\ud83d"', b"9" * 4000, b"-0.0", b"1e-999"])
def test_what_is_unusual_and_can_be_kept(content: bytes, ledger: Database):
    keep(read(saying(content)), ledger)


# What an endpoint may write where a value is due: JSON, what is nearly JSON, and numbers that few programs can hold.
VALUES = st.one_of(
    NEARLY.map(lambda value: json.dumps(value).encode()),
    NEARLY.map(lambda value: json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass")),
    st.sampled_from(
        [b"1e999", b"-1e999", b"1E308", b"NaN", b"Infinity", b'"\\ud800"', b'"\\udfff\\ud800"', b'"\\u0000"']
    ),
    st.integers(1, 6000).map(lambda digits: b"9" * digits),
    st.integers(1, 3000).map(nested),
    st.binary(max_size=20),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["content", "tool_calls", "role", "finish_reason", "usage", "prompt_tokens"]), VALUES, VALUES)
def test_whatever_an_endpoint_sends_is_an_answer_that_ledgers_keep_or_is_refused(
    ledger: Database, field: str, value: bytes, other: bytes
):
    choice = b'{"message": {"%s": %s, "refusal": %s}, "%s": %s}' % (field.encode(), value, other, field.encode(), other)
    usage = b'"usage": %s' % value if field == "usage" else b'"usage": {"%s": %s}' % (field.encode(), value)
    for body in (b'{"choices": [%s], %s}' % (choice, usage), value):
        try:
            answer = read(body)
        except InvalidAnswer:
            continue
        keep(answer, ledger)


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
