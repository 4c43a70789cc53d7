"""A rollout that goes on, with another worker or after another POST: what is asked, and that listed rows stay."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from app.domain.manifests import path_of
from app.runs import manifests
from app.runs.ledger.leases import Lease
from app.runs.ledger.tables import RUNS
from app.runs.work.performing import perform
from storage.errors import StorageError
from tests import replies
from tests.app.api.runs import ROLLOUT, STIM, make_target, runs_of, serve_models, start
from tests.client import Client
from tests.faulty_proxy import FaultyProxy, Seen
from tests.replies import Reply

NUMBER = 30  # samples, of which three may fail
BAD = ("What is 0?", "What is 7?")


class Killed(BaseException):
    """The worker is gone."""


def question(seen: Seen) -> str:
    found: str = seen.body["messages"][-1]["content"]
    return found


def lose_some(seen: Seen) -> Reply | None:
    return replies.OVERFLOW if question(seen) in BAD else None


@pytest.fixture
def job(app: Flask, alice: Client, proxy: FaultyProxy) -> int:
    """A rollout that waits for a worker; the endpoint refuses two of its samples."""
    serve_models(app, proxy.url, max_concurrency=1)
    proxy.rule = lose_some
    questions = [f"What is {number}?" for number in range(NUMBER)]
    generators = [{"type": "hardcoded", "questions": questions}]
    make_target(alice, generators=generators, num_traj_per_stimulus=1, max_concurrency=1)
    start(alice, STIM)
    job: int = start(alice, ROLLOUT)["job_id"]
    return job


def expire(app: Flask) -> None:
    """Have the leases of all runs run out, as those of workers that were killed."""
    with runs_of(app).database.begin() as connection:
        connection.execute(update(RUNS).values(lease_until=0))


def asked(proxy: FaultyProxy) -> list[str]:
    return list(map(question, proxy.seen))


def counts(status: dict[str, Any]) -> tuple[Any, ...]:
    return status["status"], status["lines"], status["failed_rows"]


def test_a_takeover_asks_for_no_failed_row_again(app: Flask, alice: Client, proxy: FaultyProxy, job: int):
    perform(runs_of(app), job, "one", lambda: len(proxy.seen) > 12)
    before = alice.get(f"{ROLLOUT}/rows").data
    assert before.count(b"\n") > 8
    proxy.rule = None
    perform(runs_of(app), job, "another")
    assert counts(alice.get(ROLLOUT).json) == ("complete", NUMBER, 2)
    assert alice.get(f"{ROLLOUT}/rows").data.startswith(before)
    assert len([each for each in asked(proxy) if each in BAD]) == 2


def test_a_damaged_repo_has_nothing_asked_again(
    app: Flask, alice: Client, proxy: FaultyProxy, job: int, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object, **__: object) -> str:
        raise StorageError("an object is damaged")

    with monkeypatch.context() as patch:
        patch.setattr(manifests, "write", refuse)
        for _ in range(3):
            perform(runs_of(app), job, "worker")
            expire(app)
            assert counts(alice.get(ROLLOUT).json) == ("running", NUMBER, 2)
    perform(runs_of(app), job, "worker")
    assert counts(alice.get(ROLLOUT).json) == ("complete", NUMBER, 2)
    assert len(proxy.seen) == NUMBER


def test_a_worker_that_is_killed_after_the_manifest_leaves_the_only_one(
    app: Flask, alice: Client, proxy: FaultyProxy, job: int, monkeypatch: pytest.MonkeyPatch
):
    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Lease, "complete", die)
        with pytest.raises(Killed):
            perform(runs_of(app), job, "one")
    repository = runs_of(app).repos.open("alice/demo")
    key = alice.get(ROLLOUT).json["key"]
    proxy.rule = None
    first = repository.head().read(path_of("a", "rollout", key))
    expire(app)
    perform(runs_of(app), job, "another")
    second = repository.head().read(path_of("a", "rollout", key))
    assert first is not None
    assert second is not None
    assert first.data == second.data
    assert alice.get(ROLLOUT).json["rows_sha256"].encode() in second.data
    assert len(proxy.seen) == NUMBER


def test_a_post_after_a_failure_asks_for_what_failed_and_what_is_missing(
    app: Flask, alice: Client, proxy: FaultyProxy, job: int
):
    perform(runs_of(app), job, "one", lambda: len(proxy.seen) > 12)
    alice.request("POST", f"{ROLLOUT}/cancel")
    there = alice.get(ROLLOUT).json["lines"]
    proxy.rule = None
    first = len(proxy.seen)
    again = start(alice, ROLLOUT)
    assert (again["job_id"], again["lines"], again["failed_rows"]) == (job, there, 2)
    perform(runs_of(app), job, "another", lambda: len(proxy.seen) > first)  # stopped, and taken over
    perform(runs_of(app), job, "a third")
    assert counts(alice.get(ROLLOUT).json) == ("complete", NUMBER, 0)
    missing = [f"What is {number}?" for number in range(there, NUMBER)]
    assert set(asked(proxy)[first:]) == {*BAD, *missing}


def test_a_post_of_a_complete_run_asks_for_nothing(app: Flask, alice: Client, proxy: FaultyProxy, job: int):
    perform(runs_of(app), job, "worker")
    proxy.rule = None
    assert counts(start(alice, ROLLOUT)) == ("complete", NUMBER, 2)
    assert len(proxy.seen) == NUMBER
