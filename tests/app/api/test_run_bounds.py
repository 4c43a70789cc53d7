"""What one user's runs take of a process: threads that wait, and tasks."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from app.runs import starting
from app.runs.waits import Waits
from tests.app.api.helpers import new_user
from tests.app.api.runs import ROLLOUT, STIM, make_target, perform_all, runs_of, serve_models, start
from tests.client import Client
from tests.faulty_proxy import FaultyProxy
from tests.seams import wait_until


def has_place(waits: Waits, user: str) -> bool:
    with waits.place(user) as is_free:
        return is_free


def test_each_user_has_two_places_to_wait():
    waits = Waits()
    with waits.place("alice") as first, waits.place("alice") as second:
        assert (first, second) == (True, True)
        assert [has_place(waits, user) for user in ("alice", "alice", "bob")] == [False, False, True]
    assert has_place(waits, "alice")


def test_a_third_request_of_a_user_answers_at_once(
    app: Flask, alice: Client, master: Client, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(starting, "_PATIENCE", 120.0)
    serve_models(app, proxy.url)
    make_target(alice)
    assert start(alice, STIM)["status"] == "complete"
    bob = new_user(master, "bob")
    bob.post("/v1/repo", {"repo_name": "demo"})
    make_target(bob)
    waits = runs_of(app).waits
    with ThreadPoolExecutor() as threads:
        waiting = [threads.submit(start, alice, ROLLOUT) for _ in range(2)]
        wait_until(lambda: not has_place(waits, "alice"))
        assert start(alice, ROLLOUT)["status"] == "running"
        assert not any(request.done() for request in waiting)
        assert start(alice, STIM)["status"] == start(bob, STIM)["status"] == "complete"
        assert has_place(waits, "bob")
        perform_all(app)
        assert [request.result()["status"] for request in waiting] == ["complete", "complete"]
    assert has_place(waits, "alice")


def test_a_stim_that_asks_no_model_is_complete_though_other_requests_wait(app: Flask, alice: Client):
    make_target(alice)
    waits = runs_of(app).waits
    with waits.place("alice"), waits.place("alice"):
        assert start(alice, STIM)["status"] == "complete"


def test_a_rollout_has_no_more_tasks_than_its_endpoint_takes_requests(
    app: Flask, alice: Client, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
):
    serve_models(app, proxy.url, max_concurrency=4)
    make_target(alice, num_traj_per_stimulus=50, max_concurrency=10**9)
    start(alice, STIM)
    alice.post(ROLLOUT, None)
    made: list[Any] = []
    create = asyncio.TaskGroup.create_task

    def counted(group: asyncio.TaskGroup, work: Any, **options: Any) -> Any:
        made.append(work)
        return create(group, work, **options)

    monkeypatch.setattr(asyncio.TaskGroup, "create_task", counted)
    perform_all(app)
    assert len(made) == 4
    assert (alice.get(ROLLOUT).json["status"], alice.get(ROLLOUT).json["lines"]) == ("complete", 100)
