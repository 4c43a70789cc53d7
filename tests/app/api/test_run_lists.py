"""Runs as lists show them, cancelled, and deleted."""

import base64
import json
import logging
import time
from typing import Any

import pytest
from flask import Flask

from tests.app.api.helpers import TARGETS, demo, new_user, show
from tests.app.api.runs import ROLLOUT, STIM, finish, make_target, perform_all, runs_of, serve_models, start, working
from tests.client import Client, assert_error, assert_mistakes
from tests.faulty_proxy import FaultyProxy
from tests.replies import STALL

RUNS = "/v1/repo/demo/runs"
OF_A = f"{TARGETS}/a/runs"


@pytest.fixture
def made(app: Flask, alice: Client, proxy: FaultyProxy) -> Client:
    """Return alice's requests; her target `a` can be carried out, and its stim is complete."""
    serve_models(app, proxy.url)
    make_target(alice)
    start(alice, STIM)
    return alice


def pages(client: Client, address: str, query: str = "limit=2") -> list[list[int]]:
    """Return the numbers of the runs on each page."""
    found: list[list[int]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = client.get(f"{address}?{query}{f'&cursor={cursor}' if cursor else ''}")
        assert answer.status_code == 200, answer.text
        found.append([run["job_id"] for run in answer.json["runs"]])
        cursor = answer.json["next"]
    return found


def test_a_list_tells_of_each_run_what_its_status_tells(app: Flask, made: Client):
    with working(app):
        finish(made, ROLLOUT)
    assert made.get(RUNS).json["next"] is None
    rollout, stim = made.get(RUNS).json["runs"]
    for run, address in ((rollout, ROLLOUT), (stim, STIM)):
        status = made.get(address).json
        common = run.keys() & status.keys()
        assert {name: run[name] for name in common} == {name: status[name] for name in common}
        assert run.keys() - common <= {"target_name", "kind", "total_expected"}
        assert (run["target_name"], run["kind"]) == ("a", address.rpartition("/")[2])
        assert run["started_by"]["user"] == "alice"


def test_lists_are_paged_newest_first(made: Client):
    for number in range(4):
        make_target(made, "a" if number % 2 else "b", generators=[{"type": "hardcoded", "questions": [f"{number}?"]}])
        start(made, f"{TARGETS}/{'a' if number % 2 else 'b'}/stim")
    assert pages(made, RUNS) == [[5, 4], [3, 2], [1]]
    assert pages(made, OF_A) == [[5, 3], [1]]
    assert pages(made, f"{TARGETS}/b/runs") == [[4, 2]]
    assert pages(made, RUNS, "limit=2&ref=main") == [[5, 4], [3, 2], [1]]
    assert pages(made, f"{TARGETS}/none/runs") == [[]]
    cursor = made.get(f"{RUNS}?limit=2").json["next"]
    start_of_new = made.get(f"{RUNS}?limit=2&cursor={cursor}").json
    make_target(made, generators=[{"type": "hardcoded", "questions": ["New?"]}])
    start(made, STIM)
    assert made.get(f"{RUNS}?limit=2&cursor={cursor}").json == start_of_new
    assert_mistakes(made.get(f"{RUNS}?ref=main&cursor={cursor}"), (["query", "cursor"], "value_error"))
    assert_mistakes(made.get(f"{RUNS}?cursor=AAAA"), (["query", "cursor"], "value_error"))
    of_query, offset = json.loads(base64.urlsafe_b64decode(f"{cursor}=="))
    assert offset == 4
    for forged in (2**53 + 1, 2**63, 10**30):
        text = base64.urlsafe_b64encode(json.dumps([of_query, forged]).encode()).decode().rstrip("=")
        assert_mistakes(made.get(f"{RUNS}?limit=2&cursor={text}"), (["query", "cursor"], "value_error"))
    assert_mistakes(made.get(f"{RUNS}?limit=101"), (["query", "limit"], "less_than_equal"))


def test_runs_stay_with_a_repo_that_is_renamed_and_not_with_a_new_one_of_its_name(master: Client, made: Client):
    before = made.get(RUNS).json
    made.post("/v1/repo/demo/rename", {"name": "other"})
    assert made.get("/v1/repo/other/runs").json == before
    assert made.get("/v1/repo/other/targets/a/stim").json["status"] == "complete"
    made.post("/v1/repo", {"repo_name": "demo"})
    make_target(made)
    assert made.get(RUNS).json["runs"] == []
    assert made.get(STIM).json["status"] == "not_started"
    bob = new_user(master, "bob")
    moved = master.post("/v1/repo/other/transfer?user_id=alice", {"user_id": "bob"})
    assert moved.status_code == 200, moved.text
    assert bob.get("/v1/repo/other/runs").json == before
    assert start(bob, "/v1/repo/other/targets/a/stim")["key"] == before["runs"][0]["key"]


def test_a_cancelled_run_says_by_whom_and_goes_on_with_the_rest(app: Flask, made: Client, proxy: FaultyProxy):
    make_target(made, max_concurrency=1)
    proxy.replies(None, None, STALL)
    with working(app):
        assert start(made, ROLLOUT)["status"] == "running"
        while made.get(ROLLOUT).json["lines"] < 2:
            time.sleep(0.02)
        cancelled = made.request("POST", f"{ROLLOUT}/cancel", X_Change_Reason="Too dear").json
        assert (cancelled["status"], cancelled["error_type"]) == ("failed", "cancelled")
        assert cancelled["error"] == "Cancelled by alice: Too dear"
        assert (cancelled["lines"], cancelled["finished"] is not None) == (2, True)
    assert made.get(ROLLOUT).json == made.request("POST", f"{ROLLOUT}/cancel").json == cancelled
    with working(app):
        again = finish(made, ROLLOUT)
    assert (again["status"], again["job_id"], again["lines"]) == ("complete", cancelled["job_id"], 6)
    assert (again["requests"], again["repeated_requests"]) == (7, 1)
    assert made.request("POST", f"{ROLLOUT}/cancel").json == again


def test_a_run_of_an_earlier_target_is_cancelled_too(made: Client):
    old = start(made, ROLLOUT)
    make_target(made, temperature=0.5)
    new = start(made, ROLLOUT)
    assert made.request("POST", f"{ROLLOUT}/cancel").json["job_id"] == new["job_id"] != old["job_id"]
    assert {(run["kind"], run["status"], run["error"]) for run in made.get(RUNS).json["runs"]} == {
        ("rollout", "failed", "Cancelled by alice."),
        ("stim", "complete", None),
    }
    made.delete(f"{TARGETS}/a")
    gone = made.request("POST", f"{ROLLOUT}/cancel").json
    assert (gone["status"], gone["stale"]) == ("failed", True)


def test_what_was_never_started_cannot_be_cancelled(made: Client):
    assert_error(
        made.post(f"{ROLLOUT}/cancel", None), 404, "RESOURCE_NOT_FOUND", "'a' has no rollout", "none was started"
    )


def deletion(run: dict[str, Any]) -> str:
    return f"{OF_A}/{run['key']}"


def test_a_deleted_run_is_gone_but_for_its_manifest(app: Flask, made: Client):
    stim = made.get(STIM).json
    with working(app):
        rollout = finish(made, ROLLOUT)
    assert_error(made.delete(deletion(stim)), 409, "RESOURCE_CONFLICT", "A rollout stands on run", "delete the rollout")
    before = demo(app, "rev-parse", "main")
    for run, kind, count in ((rollout, "rollout", 6), (stim, "stim", 2)):
        answer = made.delete(deletion(run))
        assert answer.json == {"message": f"Run {run['key']} deleted: the {kind} of 'a' with {count} rows"}
        assert_error(made.delete(deletion(run)), 404, "RESOURCE_NOT_FOUND", run["key"], "GET …/targets/a/runs")
        assert run["key"] in show(app, f"runs/a/{kind}-{run['key'][:12]}.yml")
    assert made.get(RUNS).json["runs"] == []
    assert made.get(STIM).json["status"] == "not_started"
    assert demo(app, "rev-parse", "main") == before
    again = start(made, STIM)
    assert again["job_id"] > rollout["job_id"]
    assert (again["key"], again["rows_sha256"]) == (stim["key"], stim["rows_sha256"])


def test_the_log_tells_who_cancelled_and_deleted_a_run_and_why(made: Client, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    run = start(made, ROLLOUT)
    made.request("POST", f"{ROLLOUT}/cancel", X_Change_Reason="Too dear")
    made.delete(deletion(run), X_Change_Reason="No room")
    told = [record.getMessage() for record in caplog.records if record.name == "app.runs.reading"]
    assert told == [
        "Run 2: cancelled by alice: Too dear",
        "Run 2: the rollout of alice/demo a was deleted by alice: No room",
    ]


def test_a_run_that_goes_on_is_not_deleted(app: Flask, made: Client):
    run = start(made, ROLLOUT)
    assert_error(made.delete(deletion(run)), 409, "RESOURCE_CONFLICT", "is not over", "cancel it first")
    perform_all(app)
    assert made.get(ROLLOUT).json["status"] == "complete"
    made.post(f"{ROLLOUT}/cancel", None)
    assert made.delete(deletion(run)).status_code == 200


def test_a_key_has_64_digits_and_is_one_of_the_target(made: Client):
    run = made.get(STIM).json
    assert_mistakes(made.delete(f"{OF_A}/{run['key'][:12]}"), (["path", "run_key"], "string_pattern_mismatch"))
    assert_error(made.delete(f"{TARGETS}/b/runs/{run['key']}"), 404, "RESOURCE_NOT_FOUND", "'b' has no run")
    assert runs_of(app_of(made)).table.get(run["job_id"]) is not None


def app_of(client: Client) -> Flask:
    return client.app
