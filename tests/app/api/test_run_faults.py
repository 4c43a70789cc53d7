"""What each fault of an endpoint makes of a rollout, as its status and rows tell."""

from typing import Any

import pytest
from flask import Flask

from app.runs.work.performing import perform
from tests import replies
from tests.app.api.runs import ROLLOUT, STIM, make_target, runs_of, serve_models, start
from tests.client import Client
from tests.faulty_proxy import FaultyProxy, certificate, needs_openssl
from tests.replies import Reply

NUMBER = 21  # samples, of which one may fail


def rollout(app: Flask, alice: Client, proxy: FaultyProxy, **fields: Any) -> dict[str, Any]:
    """Carry out a rollout of 21 samples, one after the other, and return its status."""
    serve_models(app, proxy.url, max_concurrency=1, **fields)
    questions = [f"What is {number}?" for number in range(NUMBER)]
    generators = [{"type": "hardcoded", "questions": questions}]
    make_target(alice, generators=generators, num_traj_per_stimulus=1, max_concurrency=1)
    assert start(alice, STIM)["status"] == "complete"
    job = start(alice, ROLLOUT)["job_id"]
    assert perform(runs_of(app), job, "worker")
    status: dict[str, Any] = alice.get(ROLLOUT).json
    return status


def counts(status: dict[str, Any]) -> dict[str, Any]:
    """Return the counts of a status that are not nought."""
    names = ("lines", "failed_rows", "retries", "repeated_requests", "truncated", "empty")
    return {name: status[name] for name in names if status[name]}


def first_row(alice: Client) -> dict[str, Any]:
    row: dict[str, Any] = alice.get(f"{ROLLOUT}/output?limit=1").json["output"][0]
    return row


@pytest.mark.parametrize(
    "fault",
    [
        replies.throttled(),
        replies.throttled("1"),
        replies.BROKEN,
        replies.BUSY,
        replies.STALL,
        replies.CUT_BODY,
        replies.HANG_UP,
        replies.INVALID_JSON,
        replies.NO_CHOICES,
        replies.TOO_LARGE,
        replies.TOO_DEEP,
        replies.NO_STATUS,
    ],
)
def test_what_passes_is_a_retry(app: Flask, alice: Client, proxy: FaultyProxy, fault: Reply):
    proxy.replies(fault)
    status = rollout(app, alice, proxy, timeout=2)
    assert (status["status"], status["error"]) == ("complete", None)
    assert counts(status) == {"lines": NUMBER, "retries": 1, "repeated_requests": 1}
    assert len(proxy.seen) == NUMBER + 1
    assert len({seen.headers["idempotency-key"] for seen in proxy.seen}) == NUMBER
    assert first_row(alice)["response"]["content"] == "An answer to: What is 0?"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (replies.OVERFLOW, {"type": "bad_request", "status": 400}),
        (replies.NOT_FOUND, {"type": "not_found", "status": 404}),
        (replies.failure(413), {"type": "bad_request", "status": 413}),
        (replies.UNPROCESSABLE, {"type": "bad_request", "status": 422}),
    ],
)
def test_what_the_endpoint_cannot_do_is_a_failed_row(
    app: Flask, alice: Client, proxy: FaultyProxy, fault: Reply, error: dict[str, Any]
):
    proxy.replies(fault)
    status = rollout(app, alice, proxy)
    assert status["status"] == "complete"
    assert counts(status) == {"lines": NUMBER, "failed_rows": 1}
    row = first_row(alice)
    assert row["response"] is None
    message = row["error"].pop("message")
    assert row["error"] == error
    assert message.startswith(f"Endpoint 'fast' answered {error['status']}: ")
    assert len(proxy.seen) == NUMBER


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (replies.WRONG_KEY, "answered 401: Incorrect API key provided."),
        (replies.FORBIDDEN, "answered 403: You may not use this model."),
        (replies.redirect("http://127.0.0.1:1/"), "answered 307, and no redirect is followed: base_url"),
    ],
)
def test_what_would_fail_each_sample_ends_the_run_and_its_rows_stay(
    app: Flask, alice: Client, proxy: FaultyProxy, fault: Reply, said: str
):
    proxy.replies(None, None, fault)
    status = rollout(app, alice, proxy)
    assert status["status"] == "failed"
    assert status["error"].startswith(f"Endpoint 'fast' {said}")
    assert counts(status) == {"lines": 2, "repeated_requests": 1}
    assert len(proxy.seen) == 3


def test_an_answer_at_the_limits_of_what_is_taken_is_read_in_each_format(app: Flask, alice: Client, proxy: FaultyProxy):
    proxy.replies(replies.AT_THE_LIMITS)
    assert rollout(app, alice, proxy)["status"] == "complete"
    assert first_row(alice)["response"]["content"] == "\0 \ufffd"
    for media in ("application/x-ndjson", "text/csv", "application/vnd.apache.parquet"):
        rows = alice.get(f"{ROLLOUT}/rows", Accept=media)
        assert (rows.status_code, rows.content_type.partition(";")[0]) == (200, media)
        assert b"0" * 4000 in rows.data or media.endswith("parquet")  # which is packed
    assert "0" * 4000 in alice.get(f"{ROLLOUT}/rows?format=openai").text


@needs_openssl
def test_a_wrong_certificate_ends_the_run(app: Flask, alice: Client, tmp_path: Any):
    with FaultyProxy(tls=certificate(tmp_path)) as proxy:
        status = rollout(app, alice, proxy)
    assert (status["status"], status["lines"], proxy.seen) == ("failed", 0, [])
    assert status["error"] == "Endpoint 'fast' has a wrong certificate: self-signed certificate."


@pytest.mark.parametrize(
    ("reply", "counted"),
    [
        (replies.EMPTY, {"empty": 1}),
        (replies.REASONING, {"empty": 1}),
        (replies.REASONING_CONTENT, {"empty": 1}),
        (replies.TOOL_CALLS, {}),
        (replies.REFUSAL, {}),
        (replies.TRUNCATED, {"truncated": 1}),
    ],
)
def test_an_unusual_answer_is_a_row_and_is_counted(
    app: Flask, alice: Client, proxy: FaultyProxy, reply: Reply, counted: dict[str, int]
):
    proxy.replies(reply)
    status = rollout(app, alice, proxy)
    assert status["status"] == "complete"
    assert counts(status) == {"lines": NUMBER, **counted}
    assert (status["tokens_in"], status["tokens_out"]) == (7 * NUMBER, 3 * NUMBER)
    assert first_row(alice)["response"]["role"] == "assistant"


@pytest.mark.parametrize(("every", "lines"), [(1, 11), (2, 20)])
def test_where_too_many_samples_fail_the_run_fails_and_its_rows_stay(
    app: Flask, alice: Client, proxy: FaultyProxy, every: int, lines: int
):
    proxy.rule = lambda seen: None if int(seen.body["messages"][-1]["content"][8:-1]) % every else replies.OVERFLOW
    status = rollout(app, alice, proxy)
    assert (status["status"], status["lines"], len(proxy.seen)) == ("failed", lines, lines)
    assert (
        status["error"]
        == f"Too many samples failed. The last: Endpoint 'fast' answered 400: {replies.OVERFLOW_MESSAGE}"
    )
