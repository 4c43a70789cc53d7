"""What a worker recorded is kept, whatever ends the run."""

import threading
import time

import pytest
from flask import Flask

from app.runs.work.performing import perform
from tests.app.api.runs import ROLLOUT, STIM, make_target, perform_all, runs_of, serve_models, start
from tests.client import Client
from tests.faulty_proxy import FaultyProxy
from tests.replies import STALL, WRONG_KEY


@pytest.fixture
def run_id(app: Flask, alice: Client, proxy: FaultyProxy) -> int:
    """The number of a rollout that waits, one request at a time."""
    serve_models(app, proxy.url)
    make_target(alice, max_concurrency=1)
    start(alice, STIM)
    return start(alice, ROLLOUT)["job_id"]


def test_answers_that_came_before_a_run_failed_are_kept(app: Flask, run_id: int, proxy: FaultyProxy):
    proxy.replies(None, None, WRONG_KEY)
    perform_all(app)
    run = runs_of(app).table.get(run_id)
    assert (run.state, run.done, run.requests, run.tokens_in) == ("failed", 2, 3, 14)


def test_answers_that_came_before_a_worker_stopped_are_kept(app: Flask, run_id: int, proxy: FaultyProxy):
    proxy.replies(None, None, STALL)
    stopping = threading.Event()

    def stop_at_the_third() -> None:
        while len(proxy.seen) < 3:
            time.sleep(0.001)
        stopping.set()

    threading.Thread(target=stop_at_the_third).start()
    assert perform(runs_of(app), run_id, "test", stopping.is_set)
    run = runs_of(app).table.get(run_id)
    assert (run.state, run.done, run.requests, run.tokens_in) == ("running", 2, 3, 14)
    perform_all(app)
    run = runs_of(app).table.get(run_id)
    assert (run.state, run.done, run.requests) == ("complete", 6, 7)
