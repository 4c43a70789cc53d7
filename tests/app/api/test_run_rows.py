"""`…/stim/rows` and `…/rollout/rows`: all rows of a run, in each format."""

import csv
import hashlib
import json
import sys
import tracemalloc
from io import BytesIO, StringIO
from typing import Any

import pytest
import yaml
from flask import Flask

from app.runs import exports, full_rows
from app.runs.ledger.leases import Batch
from app.runs.ledger.rows import Row
from app.runs.ledger.runs import RunGone
from tests.app.api.helpers import TARGETS, show
from tests.app.api.runs import (
    QUESTIONS,
    ROLLOUT,
    STIM,
    finish,
    make_target,
    runs_of,
    serve_models,
    start,
    working,
)
from tests.client import Client, assert_error, assert_mistakes
from tests.faulty_proxy import FaultyProxy
from tests.replies import CALLS, EMPTY, REASONING_CONTENT, UNPROCESSABLE, completion

CSV, PARQUET, LINES = "text/csv", "application/vnd.apache.parquet", "application/x-ndjson"
TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {}}}]


@pytest.fixture
def made(app: Flask, alice: Client, proxy: FaultyProxy) -> Client:
    """Return alice's requests; the stim of her target `a` is complete, and of its rollout two rows are special."""
    serve_models(app, proxy.url)
    make_target(alice, num_traj_per_stimulus=20, max_concurrency=1, extra_kwargs={"top_p": 0.5})
    start(alice, STIM)
    proxy.replies(UNPROCESSABLE, EMPTY, completion("=1+1", reasoning_content="I think."), REASONING_CONTENT)
    with working(app):
        assert finish(alice, ROLLOUT)["status"] == "complete"
    return alice


def rows(client: Client, address: str, query: str = "", **headers: str) -> list[dict[str, Any]]:
    answer = client.get(f"{address}/rows{query}", **headers)
    assert (answer.status_code, answer.mimetype) == (200, LINES), answer.text
    return [json.loads(line) for line in answer.data.splitlines()]


def watched_pages(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Return a list that is told of each page that is read from the ledger: of how many rows, and of what size."""
    table, pages = runs_of(app).rows, list[tuple[int, int]]()
    read = table.page

    def page(*arguments: Any, **options: Any) -> list[Row]:
        found: list[Row] = read(*arguments, **options)
        pages.append((len(found), sum(len(row.text) + len(row.body or b"") for row in found)))
        return found

    monkeypatch.setattr(table, "page", page)
    return pages


def table(client: Client, address: str, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"{address}/rows{query}", Accept=CSV)
    assert (answer.status_code, answer.mimetype) == (200, CSV)
    return list(csv.DictReader(StringIO(answer.text, newline="")))


def test_lines_are_the_rows_of_the_output_and_what_the_manifest_has_the_hash_of(app: Flask, made: Client):
    for kind, address in (("stim", STIM), ("rollout", ROLLOUT)):
        status = made.get(f"{address}/output?limit=1000").json
        answer = made.get(f"{address}/rows")
        assert rows(made, address) == status["output"]
        assert answer.headers["Run-Key"] == status["key"]
        assert answer.headers["Run-Status"] == "complete"
        manifest = yaml.safe_load(show(app, f"runs/a/{kind}-{status['key'][:12]}.yml"))
        assert manifest["rows_sha256"] == status["rows_sha256"] == hashlib.sha256(answer.data).hexdigest()


@pytest.mark.parametrize("accept", ["*/*", "application/json", LINES, "text/html", f"{CSV};q=0.5, {LINES}"])
def test_lines_come_unless_another_format_is_asked_for(made: Client, accept: str):
    assert made.get(f"{STIM}/rows", Accept=accept).mimetype == LINES


def test_a_table_has_a_line_for_each_row_and_no_formula(made: Client):
    found, expected = table(made, ROLLOUT), rows(made, ROLLOUT)
    assert len(found) == len(expected) == 40
    assert [row["question"] for row in table(made, STIM)] == QUESTIONS
    for cells, row in zip(found, expected, strict=True):
        assert int(cells["trajectory_id"]) == row["trajectory_id"]
        assert json.loads(cells["unconditioned_stimulus"]) == row["unconditioned_stimulus"]
    assert (found[0]["error.status"], found[0]["response.content"]) == ("422", "")
    assert found[2]["response.content"] == "'=1+1"


def test_a_parquet_file_has_the_same_columns(made: Client):
    pytest.importorskip("pyarrow", reason="pyarrow has no wheel for this machine")
    from pyarrow import parquet

    for address in (STIM, ROLLOUT):
        answer = made.get(f"{address}/rows", Accept=PARQUET)
        assert (answer.status_code, answer.mimetype) == (200, PARQUET)
        read = parquet.read_table(BytesIO(answer.data)).to_pylist()
        cells = table(made, address)
        assert [list(row) for row in read] == [list(row) for row in cells]
        assert [row["stimulus_id"] for row in read] == [int(row["stimulus_id"]) for row in cells]


def test_without_pyarrow_the_answer_says_what_to_install(made: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert_error(made.get(f"{STIM}/rows", Accept=PARQUET), 400, "INVALID_INPUT", "Accept", "'bakehouse[parquet]'")
    assert made.get(f"{STIM}/rows", Accept=f"{PARQUET}, {CSV};q=0.5").status_code == 400


def test_lines_for_fine_tuning_are_what_the_student_sees_and_the_answers(made: Client):
    lines, all_rows = rows(made, ROLLOUT, "?format=openai"), rows(made, ROLLOUT)
    answered = [row for row in all_rows if row["response"] and row["response"]["content"]]
    assert len(lines) == len(answered) == 37  # one failed, one is empty, and one only thinks
    assert lines[0]["messages"] == [
        {"role": "user", "content": QUESTIONS[0]},
        {"role": "assistant", "content": "=1+1"},
    ]
    assert {tuple(line) for line in lines} == {("messages",)}


def test_requests_of_a_rollout_are_what_the_endpoint_was_asked(made: Client, proxy: FaultyProxy):
    lines = rows(made, ROLLOUT, "?format=batch")
    assert [line["custom_id"] for line in lines] == [f"{s}-{t}" for s in (0, 1) for t in range(20)]
    assert {(line["method"], line["url"]) for line in lines} == {("POST", "/v1/chat/completions")}
    assert [line["body"] for line in lines] == proxy.bodies()


def test_requests_of_a_stim_are_those_of_the_rollout_that_the_target_describes(made: Client, proxy: FaultyProxy):
    def without_seed(body: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in body.items() if name != "seed"}

    lines = rows(made, STIM, "?format=batch")
    assert [line["body"] for line in lines] == list(map(without_seed, proxy.bodies()))
    make_target(made, model_name=None, extra_kwargs={"n": 2})
    assert_error(made.get(f"{STIM}/rows?format=batch"), 400, "INVALID_INPUT", "model_name: ", "extra_kwargs.n: ")


@pytest.mark.parametrize("width", [5_000_001, 10**12])
def test_requests_of_more_rows_than_a_rollout_may_have_are_refused(alice: Client, width: int):
    make_target(alice, num_traj_per_stimulus=width)
    start(alice, STIM)
    answer = alice.get(f"{STIM}/rows?format=batch")
    assert_error(answer, 400, "INVALID_INPUT", f"num_traj_per_stimulus: {width} trajectories of 2 stimuli")


def test_tools_and_their_calls_are_in_each_format(app: Flask, alice: Client, proxy: FaultyProxy):
    serve_models(app, proxy.url)
    make_target(alice, num_traj_per_stimulus=1)
    alice.put("/v1/repo/demo/prompts/t", {"messages": [{"role": "system", "content": "Look up."}], "tools": TOOLS})
    start(alice, STIM)
    proxy.rule = lambda _: completion(None, "tool_calls", tool_calls=CALLS)
    with working(app):
        finish(alice, ROLLOUT)
    tuning, asked = rows(alice, ROLLOUT, "?format=openai"), rows(alice, ROLLOUT, "?format=batch")
    assert [line["tools"] for line in tuning] == [line["body"]["tools"] for line in asked] == [TOOLS, TOOLS]
    assert tuning[0]["messages"][-1] == {"role": "assistant", "tool_calls": CALLS}
    assert json.loads(table(alice, ROLLOUT)[0]["response.tool_calls"]) == CALLS


def test_the_answer_of_the_endpoint_is_there_whole(made: Client):
    found = rows(made, ROLLOUT, "?body=true")
    assert found[0]["body"] is None or "temperature" in found[0]["body"]
    bodies = [json.loads(row["body"]) for row in found[1:]]
    assert bodies[1]["choices"][0] == {
        "index": 0,
        "message": {"role": "assistant", "content": "=1+1", "reasoning_content": "I think."},
        "finish_reason": "stop",
        "logprobs": None,
    }
    assert [json.loads(row["body"]) for row in table(made, ROLLOUT, "?body=true")[1:]] == bodies
    assert all("body" not in row for row in rows(made, ROLLOUT))


def test_what_does_not_go_together_is_refused(made: Client):
    assert_mistakes(made.get(f"{STIM}/rows?format=openai"), (["query", "format"], "value_error"))
    assert_mistakes(made.get(f"{ROLLOUT}/rows?format=xml"), (["query", "format"], "literal_error"))
    assert_mistakes(made.get(f"{ROLLOUT}/rows?format=openai", Accept=CSV), (["query", "format"], "value_error"))
    assert_mistakes(made.get(f"{ROLLOUT}/rows?format=batch&body=true"), (["query", "body"], "value_error"))


def test_rows_of_a_complete_run_have_a_version_each_format_its_own(made: Client):
    asked = [("", LINES), ("", CSV), ("?body=true", LINES), ("?format=openai", LINES), ("?format=batch", LINES)]
    tags = [made.get(f"{ROLLOUT}/rows{query}", Accept=accept).headers["ETag"] for query, accept in asked]
    assert len(set(tags)) == len(tags)
    for (query, accept), tag in zip(asked, tags, strict=True):
        answer = made.get(f"{ROLLOUT}/rows{query}", Accept=accept, If_None_Match=tag)
        assert (answer.status_code, answer.data) == (304, b"")
        assert answer.headers["Vary"] == "Accept"


def test_rows_of_a_run_that_goes_on_say_so(app: Flask, alice: Client, proxy: FaultyProxy):
    make_target(alice)
    for address in (STIM, ROLLOUT):
        kind = address.rpartition("/")[2]
        assert_error(alice.get(f"{address}/rows"), 404, "RESOURCE_NOT_FOUND", f"POST …/targets/a/{kind} starts one")
    serve_models(app, proxy.url)
    start(alice, STIM)
    start(alice, ROLLOUT)
    answer = alice.get(f"{ROLLOUT}/rows")
    assert (answer.data, answer.headers["Run-Status"]) == (b"", "running")
    assert "ETag" not in answer.headers
    header = alice.get(f"{ROLLOUT}/rows", Accept=CSV).text.splitlines()
    assert len(header) == 1
    assert header[0].startswith("stimulus_id,")


def test_few_rows_are_in_memory_at_a_time(
    app: Flask, alice: Client, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
):
    serve_models(app, proxy.url)
    pages = watched_pages(app, monkeypatch)
    peaks = []
    for width in (250, 1000):
        make_target(alice, num_traj_per_stimulus=width)
        start(alice, STIM)
        lease = runs_of(app).leases.take(start(alice, ROLLOUT)["job_id"], "test")
        response = json.dumps({"response": {"role": "assistant", "content": "Long. " * 100}, "seed": 1})
        answers = [Row(stimulus, trajectory, response) for stimulus in (0, 1) for trajectory in range(width)]
        lease.write(Batch(answers, listed=2 * width, done=2 * width))
        answer = app.test_client().get(f"{ROLLOUT}/rows", headers={"Authorization": f"Bearer {alice.token}"})
        tracemalloc.start()
        count = sum(piece.count(b"\n") for piece in answer.response)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        answer.close()
        assert count == 2 * width
    assert max(number for number, _ in pages) <= 200
    assert len(pages) == 1 + 2 * (3 + 10)  # the first is for the hash of the stim
    assert peaks[1] < 1.2 * peaks[0]


def test_few_bytes_are_in_memory_where_rows_or_answers_or_questions_are_long(
    app: Flask, alice: Client, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
):
    """Also a page that is too large is refused by what the ledger says of its rows."""
    serve_models(app, proxy.url)
    long = "Long. " * 170_000  # 1 MB
    make_target(
        alice, num_traj_per_stimulus=30, generators=[{"type": "hardcoded", "questions": [long[:400_000], "Why?"]}]
    )
    start(alice, STIM)
    lease = runs_of(app).leases.take(start(alice, ROLLOUT)["job_id"], "test")
    response = json.dumps({"response": {"role": "assistant", "content": long}, "seed": 1})
    answers = [Row(stimulus, trajectory, response, long.encode()) for stimulus in (0, 1) for trajectory in range(30)]
    lease.write(Batch(answers, listed=60, done=60))
    pages = watched_pages(app, monkeypatch)
    for query in ("", "?body=true"):
        del pages[:]
        assert alice.get(f"{ROLLOUT}/rows{query}").data.count(b"\n") == 60
        assert max(size for _, size in pages) <= 4 * 1024 * 1024
        assert sum(number for number, _ in pages[::2]) == 60
    del pages[:]
    assert_error(alice.get(f"{ROLLOUT}/output?limit=40"), 413, "PAYLOAD_TOO_LARGE", "ask with a limit below 40")
    assert pages == []
    assert len(alice.get(f"{ROLLOUT}/output?limit=2&offset=58").json["output"]) == 2


@pytest.mark.parametrize("at", [1, 3, 4, 6, 7, 8, 11])
def test_a_run_that_is_deleted_while_it_is_read_never_looks_whole(
    app: Flask, made: Client, monkeypatch: pytest.MonkeyPatch, at: int
):
    """The run vanishes before its rows are looked for, then, or where half of them were sent."""
    monkeypatch.setattr(full_rows, "_MOST_ROWS", 20)
    rollout, stim = made.get(f"{TARGETS}/a/runs").json["runs"]
    steps = iter(range(1, 100))

    def deleting(read: Any) -> Any:
        def reads(*arguments: Any, **options: Any) -> Any:
            if next(steps) == at:
                for run in (rollout, stim):
                    assert made.delete(f"{TARGETS}/a/runs/{run['key']}").status_code == 200
            return read(*arguments, **options)

        return reads

    runs = runs_of(app)
    monkeypatch.setattr(runs.table, "context", deleting(runs.table.context))
    monkeypatch.setattr(runs.rows, "lengths", deleting(runs.rows.lengths))
    monkeypatch.setattr(runs.rows, "page", deleting(runs.rows.page))
    answer = made.get(f"{ROLLOUT}/output")
    assert_error(answer, 404, "RESOURCE_NOT_FOUND", "was deleted while it was read")


def test_rows_that_vanish_while_they_are_sent_break_the_answer_off(
    app: Flask, made: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(full_rows, "_MOST_ROWS", 20)
    monkeypatch.setattr(exports, "_PIECE", 1)
    answer = app.test_client().get(f"{ROLLOUT}/rows", headers={"Authorization": f"Bearer {made.token}"})
    assert next(iter(answer.response))
    made.delete(f"{TARGETS}/a/runs/{answer.headers['Run-Key']}")
    with pytest.raises(RunGone):
        list(answer.response)
    answer.close()


def test_a_stream_takes_one_of_the_users_places(app: Flask, made: Client):
    turns = app.extensions["bakehouse"].turns
    taken = []
    begin = turns.stream

    def counted(user: str) -> Any:
        end = begin(user)
        taken.append("begun")
        return lambda: (taken.append("ended"), end())

    app.extensions["bakehouse"].turns.stream = counted
    assert made.get(f"{STIM}/rows").status_code == 200
    assert made.request("HEAD", f"{STIM}/rows").status_code == 200
    assert taken == ["begun", "ended"] * 2
