"""Rows in the formats of other programs."""

import csv
import json
import tracemalloc
from collections.abc import Iterator
from io import BytesIO, StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runs.recipe import formats, parquet
from app.runs.recipe.formats import COLUMNS

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
CONTENT = TEXT | st.none() | st.just([{"type": "text", "text": "Hi"}])
MESSAGES = st.lists(st.fixed_dictionaries({"role": st.sampled_from(["system", "user"]), "content": CONTENT}))
SIDE = st.builds(lambda messages: {"messages": messages}, MESSAGES)
TOOLS = st.just([{"type": "function", "function": {"name": "f", "parameters": {}}}])
CALLS = st.just([{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}])
STIMULUS = {
    "stimulus_id": st.integers(0, 10**6),
    "question": TEXT,
    "generator": st.integers(0, 9),
    "unconditioned_stimulus": SIDE,
    "conditioned_stimulus": SIDE,
}
OPTIONAL = {"trajectory_override_stimulus": SIDE, "tools": TOOLS}
ANSWER = st.fixed_dictionaries(
    {
        "role": st.just("assistant"),
        "content": TEXT | st.none(),
        "finish_reason": st.sampled_from(["stop", "length", "tool_calls"]),
        "usage": st.just({"prompt_tokens": 3, "completion_tokens": 5}),
    },
    optional={"tool_calls": CALLS, "reasoning_content": TEXT, "refusal": TEXT | st.none()},
)
ERROR = st.fixed_dictionaries({"type": TEXT, "message": TEXT}, optional={"status": st.integers(400, 599)})
OUTCOME = st.builds(lambda answer: {"response": answer}, ANSWER) | st.builds(
    lambda error: {"response": None, "error": error}, ERROR
)
STIM_ROWS = st.fixed_dictionaries(STIMULUS, optional=OPTIONAL)
ROLLOUT_ROWS = st.builds(
    lambda stim, told, outcome: {**stim, **told, **outcome},
    STIM_ROWS,
    st.fixed_dictionaries(
        {
            "trajectory_id": st.integers(0, 99),
            "model": TEXT,
            "seed": st.integers() | st.none(),
            "commit": st.just("a" * 40),
        }
    ),
    OUTCOME,
)


def table(kind: str, rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    text = formats.csv_head(COLUMNS[kind]) + b"".join(formats.csv_line(row, COLUMNS[kind]) for row in rows)
    return list(csv.DictReader(StringIO(text.decode(), newline="")))


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a row that are there, with those of its answer and its error beside the others."""
    nested = {
        f"{name}.{field}": value for name in ("response", "error") for field, value in (row.get(name) or {}).items()
    }
    found = {name: value for name, value in row.items() if name not in ("response", "error")} | nested
    return {name: value for name, value in found.items() if value is not None}


@given(st.lists(STIM_ROWS, max_size=5), st.lists(ROLLOUT_ROWS, max_size=5))
def test_a_table_has_every_field_of_every_row(stims: list[dict[str, Any]], rollouts: list[dict[str, Any]]):
    for kind, rows in (("stim", stims), ("rollout", rollouts)):
        for row, read in zip(rows, table(kind, rows), strict=True):
            expected = flat(row)
            assert {name for name, text in read.items() if text} <= expected.keys()
            for name, value in expected.items():
                if isinstance(value, str):
                    assert read[name] in (value, f"'{value}")
                else:
                    assert json.loads(read[name]) == value


@given(st.sampled_from("=+-@\t\r\n"), TEXT)
def test_no_cell_is_a_formula(sign: str, text: str):
    row = {"question": f"{sign}{text}", "response": {"content": f"{sign}{text}"}, "seed": -5}
    [read] = table("rollout", [row])
    assert read["question"] == read["response.content"] == f"'{sign}{text}"
    assert read["seed"] == "-5"


def is_blank(answer: dict[str, Any]) -> bool:
    content = answer["content"]
    return isinstance(content, str) and not content.strip() and not answer.get("tool_calls")


@given(ROLLOUT_ROWS)
def test_a_line_for_fine_tuning_is_what_the_student_sees_and_the_answer(row: dict[str, Any]):
    made, answer = formats.fine_tuning(row), row["response"]
    if answer is None or not (answer["content"] or answer.get("tool_calls")) or is_blank(answer):
        assert made is None
        return
    *before, last = made["messages"]
    assert before == row["conditioned_stimulus"]["messages"]
    assert last.items() <= answer.items()
    assert last.get("content") == answer["content"]
    assert last.get("tool_calls") == answer.get("tool_calls")
    assert last["role"] == "assistant"
    assert "reasoning_content" not in last
    assert None not in last.values()
    assert made.get("tools") == row.get("tools")
    assert made.keys() <= {"messages", "tools"}


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), unique=True))
def test_each_request_of_a_batch_file_has_an_id_of_its_own(places: list[tuple[int, int]]):
    made = [formats.batch_request(*place, {"model": "m"}) for place in places]
    assert len({request["custom_id"] for request in made}) == len(places)
    for request in made:
        assert (request["method"], request["url"]) == ("POST", "/v1/chat/completions")
        assert json.loads(formats.json_line(request)) == request
        assert formats.json_line(request).count(b"\n") == 1


@given(st.lists(STIM_ROWS, max_size=5), st.lists(ROLLOUT_ROWS, max_size=5))
def test_a_parquet_file_has_the_same_columns_and_values(stims: list[dict[str, Any]], rollouts: list[dict[str, Any]]):
    for kind, rows in (("stim", stims), ("rollout", rollouts)):
        columns = COLUMNS[kind]
        read = read_parquet(b"".join(parquet.pieces(rows, columns)))
        assert read == [dict(zip(columns, formats.values(row, columns), strict=True)) for row in rows]


def test_a_parquet_file_is_made_without_having_it_all_in_memory():
    import pyarrow  # noqa: F401 — loaded before memory is counted

    row = {"stimulus_id": 0, "generator": 0, "question": "Why?", "conditioned_stimulus": {"messages": []}}

    def rows(number: int) -> Iterator[dict[str, Any]]:
        for index in range(number):
            yield {**row, "stimulus_id": index, "question": f"{index} " * 100}

    peaks = []
    for number in (5_000, 20_000):
        tracemalloc.start()
        sizes = [len(piece) for piece in parquet.pieces(rows(number), COLUMNS["stim"])]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(sizes) == number // 1000 + 1
    assert peaks[1] < 1.2 * peaks[0]


def read_parquet(data: bytes) -> list[dict[str, Any]]:
    from pyarrow import parquet as reader

    return reader.read_table(BytesIO(data)).to_pylist()


@pytest.mark.parametrize("content", [None, "", " ", "\n\t\u00a0"])
def test_an_answer_of_white_space_is_no_line_for_fine_tuning(content: str | None):
    response = {"role": "assistant", "content": content}
    row: dict[str, Any] = {"conditioned_stimulus": {"messages": []}, "response": response}
    assert formats.fine_tuning(row) is None
    row["response"] = {**response, "tool_calls": [{"id": "call-1"}]}
    assert formats.fine_tuning(row) is not None
