"""Each fault of an endpoint: what is asked again, what ends the sample, and what ends the run."""

import time
from dataclasses import replace
from email.utils import formatdate
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from app.runs.ledger.limits import Limits
from app.runs.models.answers import Answer
from app.runs.models.asking import Patience
from app.runs.models.endpoints import Endpoint
from app.runs.models.verdicts import Refused, Verdict
from tests import replies
from tests.app.runs.models.asked import BODY, QUICK, Asked, ask_all
from tests.faulty_proxy import FaultyProxy, Seen, certificate, needs_openssl
from tests.models import MODEL
from tests.replies import Reply

KEY = 'sk-a/"secret"-of-tests'


def endpoint(proxy: FaultyProxy, **more: Any) -> Endpoint:
    return Endpoint("fast", proxy.url, ("*",), **more)


def refused(asked: Asked) -> Refused:
    (outcome,) = asked.outcomes
    assert isinstance(outcome, Refused), outcome
    return outcome


def answer(asked: Asked) -> Answer:
    (outcome,) = asked.outcomes
    assert isinstance(outcome, Answer), outcome
    return outcome


@pytest.mark.parametrize(
    ("fault", "kind", "status"),
    [
        (replies.BROKEN, "server_error", 500),
        (replies.BUSY, "server_error", 503),
        (replies.failure(408), "server_error", 408),
        (replies.failure(409), "server_error", 409),
        (replies.failure(425), "server_error", 425),
        (replies.failure(599), "server_error", 599),
        (replies.STALL, "timeout", None),
        (replace(replies.completion(), drip=0.2), "timeout", None),
        (replies.CUT_BODY, "connection", None),
        (replies.HANG_UP, "connection", None),
        (replies.INVALID_JSON, "invalid_answer", 200),
        (replies.NO_CHOICES, "invalid_answer", 200),
        (Reply.of({"error": {"message": "Upstream is busy.", "code": 502}}), "server_error", 502),
    ],
)
def test_what_may_pass_is_asked_again_and_ends_the_sample_after_some_tries(
    proxy: FaultyProxy, limits: Limits, fault: Reply, kind: str, status: int | None
):
    fast = endpoint(proxy, timeout=1 if kind == "timeout" else 60)
    proxy.replies(fault, fault)
    asked = ask_all(limits, fast)
    assert answer(asked).response["content"] == "An answer to: Is bread good?"
    assert asked.counted == [False, True, True]
    assert [seen.headers["idempotency-key"] for seen in proxy.seen] == ["sample-0"] * 3
    proxy.replies(fault, fault, fault)
    error = refused(ask_all(limits, fast))
    assert (error.verdict, error.type, error.status) == (Verdict.SAMPLE, kind, status)
    assert error.message.startswith("Endpoint 'fast' ")
    assert error.message.endswith(" It was asked 3 times.")
    assert len(proxy.seen) == 6


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (replies.OVERFLOW, "bad_request", f"answered 400: {replies.OVERFLOW_MESSAGE}"),
        (replies.NOT_FOUND, "not_found", "answered 404: The model does not exist."),
        (replies.failure(413), "bad_request", "answered 413: No."),
        (replies.UNPROCESSABLE, "bad_request", "answered 422: temperature must be at most 2."),
        (Reply(418, b"<h1>\nTea\x00pot</h1>"), "bad_request", "answered 418: <h1> Tea pot</h1>."),
        (Reply(200, b" " * 17 * 1024 * 1024), "too_large", "sent more than 16777216 bytes."),
    ],
)
def test_what_the_endpoint_cannot_do_ends_the_sample_at_once(
    proxy: FaultyProxy, limits: Limits, fault: Reply, kind: str, said: str
):
    proxy.replies(fault)
    asked = ask_all(limits, endpoint(proxy))
    error = refused(asked)
    assert (error.verdict, error.type) == (Verdict.SAMPLE, kind)
    assert error.message == f"Endpoint 'fast' {said}"
    assert (asked.counted, len(proxy.seen)) == ([False], 1)


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (replies.WRONG_KEY, "not_allowed", "answered 401: Incorrect API key provided."),
        (replies.FORBIDDEN, "not_allowed", "answered 403: You may not use this model."),
        (replies.failure(402, "No credits."), "bad_request", "answered 402: No credits."),
        (replies.failure(429, "No money.", "insufficient_quota"), "quota", "answered 429: No money."),
    ],
)
def test_what_would_fail_each_sample_ends_the_run_at_once(
    proxy: FaultyProxy, limits: Limits, fault: Reply, kind: str, said: str
):
    proxy.replies(fault)
    asked = ask_all(limits, endpoint(proxy))
    error = refused(asked)
    assert (error.verdict, error.type, error.message) == (Verdict.RUN, kind, f"Endpoint 'fast' {said}")
    assert (asked.counted, len(proxy.seen)) == ([False], 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(proxy: FaultyProxy, limits: Limits, status: int):
    with FaultyProxy() as elsewhere:
        proxy.replies(replies.redirect(f"{elsewhere.url}/chat/completions", status))
        error = refused(ask_all(limits, endpoint(proxy)))
        assert elsewhere.seen == []
    assert (error.verdict, error.type, error.status) == (Verdict.RUN, "redirect", status)
    assert "base_url must be the address it leads to" in error.message


@needs_openssl
def test_a_wrong_certificate_ends_the_run(limits: Limits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with FaultyProxy(tls=certificate(tmp_path)) as proxy:
        error = refused(ask_all(limits, endpoint(proxy)))
        assert (error.verdict, error.type) == (Verdict.RUN, "certificate")
        assert error.message == "Endpoint 'fast' has a wrong certificate: self-signed certificate."
        assert proxy.seen == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        assert answer(ask_all(limits, endpoint(proxy))).response["content"]
    with FaultyProxy(tls=certificate(tmp_path, "models.example.org")) as proxy:
        error = refused(ask_all(limits, endpoint(proxy)))
        assert (error.verdict, error.type) == (Verdict.RUN, "certificate")
        assert "not valid for '127.0.0.1'" in error.message
        assert proxy.seen == []


def test_an_endpoint_that_is_not_there_ends_the_sample(limits: Limits):
    with FaultyProxy() as proxy:
        pass
    error = refused(ask_all(limits, endpoint(proxy)))
    assert (error.verdict, error.type) == (Verdict.SAMPLE, "connection")
    assert "cannot be reached" in error.message


@pytest.mark.parametrize(
    ("reply", "fields"),
    [
        (replies.EMPTY, {"content": ""}),
        (replies.REASONING_CONTENT, {"content": None, "reasoning_content": "I think."}),
        (replies.REASONING, {"content": None, "reasoning_content": "I think."}),
        (replies.TOOL_CALLS, {"content": None, "tool_calls": replies.CALLS, "finish_reason": "tool_calls"}),
        (replies.REFUSAL, {"content": None, "refusal": "I must not."}),
        (replies.TRUNCATED, {"content": "Yes, and", "finish_reason": "length"}),
    ],
)
def test_unusual_answers_are_answers_and_are_kept_whole(
    proxy: FaultyProxy, limits: Limits, reply: Reply, fields: dict[str, Any]
):
    proxy.replies(reply)
    found = answer(ask_all(limits, endpoint(proxy)))
    usual = {"role": "assistant", "finish_reason": "stop"}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    assert found.response == {**usual, "usage": usage, **fields}
    assert found.body == reply.body
    assert (found.tokens_in, found.tokens_out) == (7, 3)
    assert len(proxy.seen) == 1


def test_a_429_costs_no_try(proxy: FaultyProxy, limits: Limits):
    proxy.replies(*[replies.throttled("0")] * 9, replies.BROKEN, replies.throttled("0"), replies.BROKEN)
    asked = ask_all(limits, endpoint(proxy))
    assert answer(asked).response["content"]
    assert asked.counted == [False] + [True] * 12


def test_an_endpoint_that_only_says_429_ends_the_sample_in_the_end(proxy: FaultyProxy, limits: Limits):
    proxy.rule = lambda _: replies.throttled("0")
    error = refused(ask_all(limits, endpoint(proxy), patience=replace(QUICK, longest_throttled=0.5)))
    assert (error.verdict, error.type, error.status) == (Verdict.SAMPLE, "throttled", 429)
    assert len(proxy.seen) > 3


def test_a_429_after_a_long_wait_for_a_permit_does_not_end_the_sample(proxy: FaultyProxy, limits: Limits):
    proxy.replies(replace(replies.completion(), delay=0.6), replies.throttled("0"))
    patience = replace(QUICK, longest_throttled=0.5)
    asked = ask_all(limits, endpoint(proxy, max_concurrency=1), 2, at_most=2, patience=patience)
    assert [type(outcome) for outcome in asked.outcomes] == [Answer, Answer]
    assert [seen.headers["idempotency-key"] for seen in proxy.seen] == ["sample-0", "sample-1", "sample-1"]


@pytest.mark.parametrize(("number", "is_lost"), [(2, False), (3, True)])
def test_a_sample_is_lost_to_no_fewer_429s_than_it_has_tries(
    proxy: FaultyProxy, limits: Limits, number: int, is_lost: bool
):
    proxy.replies(*[replies.throttled("0")] * number)
    asked = ask_all(limits, endpoint(proxy), patience=replace(QUICK, longest_throttled=0))  # each pause is a long one
    assert isinstance(asked.outcomes[0], Refused) is is_lost
    assert len(proxy.seen) == 3


@pytest.mark.parametrize("fault", [replies.throttled, lambda wait: replies.failure(503, "", "", ("Retry-After", wait))])
@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_heeded_in_seconds_and_as_a_date(proxy: FaultyProxy, limits: Limits, fault: Any, as_date: bool):
    until = time.time() + 3  # a date has whole seconds
    proxy.replies(fault(formatdate(until, usegmt=True) if as_date else "2"))
    assert answer(ask_all(limits, endpoint(proxy))).response["content"]
    first, second = proxy.seen
    assert second.at - first.at >= (1 if as_date else 2)


@pytest.mark.parametrize(("longest", "said"), [(3600, "2"), (2, "86400")])
def test_a_503_is_waited_out_longer_than_other_failures_and_not_for_ever(
    proxy: FaultyProxy, limits: Limits, longest: float, said: str
):
    assert Patience().longest_heeded == 3600
    proxy.replies(replies.failure(503, "", "", ("Retry-After", said)))
    patience = replace(QUICK, longest_wait=0.1, longest_heeded=longest)
    assert answer(ask_all(limits, endpoint(proxy), patience=patience)).response["content"]
    first, second = proxy.seen
    assert second.at - first.at >= 2


def test_a_429_without_retry_after_is_waited_out_too(proxy: FaultyProxy, limits: Limits):
    proxy.replies(replies.throttled())
    assert answer(ask_all(limits, endpoint(proxy))).response["content"]
    first, second = proxy.seen
    assert second.at - first.at >= 1


def test_waits_grow_and_are_not_all_alike(proxy: FaultyProxy, limits: Limits):
    proxy.rule = lambda _: replies.BROKEN
    refused(ask_all(limits, endpoint(proxy), patience=Patience(tries=4, first_wait=0.3)))
    times = [seen.at for seen in proxy.seen]
    waits = [after - before for before, after in pairwise(times)]
    assert len(waits) == 3
    assert all(wait >= 0.3 * 2**tries / 2 for tries, wait in enumerate(waits))


def echo(seen: Seen) -> Reply:
    """Answer with what the endpoint got, in each place."""
    key = seen.headers["authorization"]
    if b"fail" in seen.data:
        return replies.failure(401, f"No such key: {key}", key, ("X-Key", key.removeprefix("Bearer ")))
    return replies.completion(f"You are {key}", reasoning_content=key)


def test_the_key_is_sent_and_is_in_nothing_that_comes_back(proxy: FaultyProxy, limits: Limits):
    proxy.rule = echo
    fast = endpoint(proxy, api_key_env="FAST_KEY")
    found = answer(ask_all(limits, fast, env={"FAST_KEY": KEY}))
    assert proxy.seen[0].headers["authorization"] == f"Bearer {KEY}"
    assert found.response["content"] == "You are Bearer [key]"
    assert found.response["reasoning_content"] == "Bearer [key]"
    assert b"secret" not in found.body
    error = refused(ask_all(limits, fast, body=BODY | {"user": "fail"}, env={"FAST_KEY": KEY}))
    assert error.message == "Endpoint 'fast' answered 401: No such key: Bearer [key]."
    assert "secret" not in repr(vars(error))


def test_an_endpoint_without_a_key_gets_none(proxy: FaultyProxy, limits: Limits):
    ask_all(limits, endpoint(proxy))
    assert "authorization" not in proxy.seen[0].headers
    assert proxy.bodies() == [BODY]
    assert proxy.seen[0].path == "/v1/chat/completions"


@pytest.mark.slow
def test_a_real_model_answers_is_cut_short_and_refuses_what_is_too_long(model_proxy: FaultyProxy, limits: Limits):
    real = endpoint(model_proxy)
    body = BODY | {"model": MODEL, "seed": 1, "temperature": 0}
    found = answer(ask_all(limits, real, body=body))
    assert found.is_truncated
    assert not found.is_empty
    assert found.tokens_out == 5
    assert found.tokens_in > 5
    error = refused(ask_all(limits, real, body=body | {"messages": [{"role": "user", "content": "bread " * 2000}]}))
    assert (error.verdict, error.status) == (Verdict.SAMPLE, 400)
    assert "context" in error.message
    tools = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}]
    assert answer(ask_all(limits, real, body=body | {"tools": tools})).response["content"]
