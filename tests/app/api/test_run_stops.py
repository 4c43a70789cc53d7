"""A worker that is told to stop: what is out is answered and recorded, and nothing more is sent."""

from typing import Any

import pytest
from flask import Flask

from app.runs.work import performing
from app.runs.work.performing import perform
from tests import replies
from tests.app.api.runs import ROLLOUT, STIM, make_target, runs_of, serve_models, start
from tests.client import Client
from tests.faulty_proxy import FaultyProxy

NUMBER, AT_ONCE = 30, 6
ASKING = [{"type": "oneshot_qs", "model": "m", "numq": 40}]


def rollout(app: Flask, alice: Client, proxy: FaultyProxy, **fields: Any) -> int:
    """Start a rollout that waits for a worker, and return its id."""
    serve_models(app, proxy.url, **fields)
    questions = [f"What is {number}?" for number in range(NUMBER)]
    generators = [{"type": "hardcoded", "questions": questions}]
    make_target(alice, generators=generators, num_traj_per_stimulus=1, max_concurrency=AT_ONCE)
    start(alice, STIM)
    job: int = start(alice, ROLLOUT)["job_id"]
    return job


@pytest.mark.parametrize("slots", [AT_ONCE, 2])
def test_answers_that_are_out_at_a_stop_are_recorded(app: Flask, alice: Client, proxy: FaultyProxy, slots: int):
    """Also where other samples wait for the endpoint: these are not sent."""
    job = rollout(app, alice, proxy, max_concurrency=slots)
    proxy.delay = 0.3
    perform(runs_of(app), job, "one", lambda: len(proxy.seen) >= slots)
    status = alice.get(ROLLOUT).json
    assert (status["status"], status["lines"], status["requests"]) == ("running", slots, slots)
    assert len(proxy.seen) == slots
    proxy.delay = 0
    perform(runs_of(app), job, "another")
    status = alice.get(ROLLOUT).json
    assert (status["status"], status["lines"], status["repeated_requests"]) == ("complete", NUMBER, 0)
    assert len(proxy.seen) == NUMBER


def test_an_answer_that_does_not_come_keeps_no_worker(
    app: Flask, alice: Client, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(performing, "_LAST_ANSWERS", 2)
    proxy.replies(replies.STALL)
    job = rollout(app, alice, proxy)
    perform(runs_of(app), job, "one", lambda: len(proxy.seen) >= AT_ONCE)
    found = runs_of(app).table.get(job)
    assert found is not None
    assert found.done == len(proxy.seen) - 1 >= AT_ONCE - 1
    perform(runs_of(app), job, "another")
    status = alice.get(ROLLOUT).json
    assert (status["status"], status["lines"], status["repeated_requests"]) == ("complete", NUMBER, 1)


def test_questions_that_are_out_at_a_stop_are_recorded(app: Flask, alice: Client, proxy: FaultyProxy):
    serve_models(app, proxy.url)
    make_target(alice, generators=ASKING)
    proxy.rule = lambda _: replies.completion(f"1. What is {len(proxy.seen)}?\n2. Why is {len(proxy.seen)}?")
    proxy.delay = 0.2
    job = start(alice, STIM)["job_id"]
    perform(runs_of(app), job, "one", lambda: len(proxy.seen) >= 2)
    status = alice.get(STIM).json
    assert (status["status"], status["lines"], status["requests"]) == ("running", 4, 2)
    assert len(proxy.seen) == 2
