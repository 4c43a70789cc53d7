"""A worker that lost its run: it writes nothing more to git, asks for nothing more, and says that it stopped."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from app.domain.manifests import path_of
from app.runs import manifests
from app.runs.ledger.leases import Leases
from app.runs.ledger.tables import RUNS
from app.runs.services import Runs
from app.runs.work.performing import perform
from tests.app.api.helpers import TARGETS
from tests.app.api.runs import ROLLOUT, STIM, finish, make_target, runs_of, serve_models, start, working
from tests.client import Client
from tests.faulty_proxy import FaultyProxy
from tests.replies import Reply
from tests.seams import wait_until
from tests.storage.repositories import commit_files


def questions(number: int) -> list[dict[str, Any]]:
    return [{"type": "hardcoded", "questions": [f"What is {index}?" for index in range(number)]}]


@pytest.fixture
def runs(app: Flask, alice: Client, proxy: FaultyProxy) -> Runs:
    """Return the parts of runs; alice's target `a` has a stim that is complete."""
    serve_models(app, proxy.url)
    make_target(alice, generators=questions(5), num_traj_per_stimulus=1)
    start(alice, STIM)
    return runs_of(app)


def after_the_digest(patch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen, once, between the digest of a run's rows and the commit of its manifest."""
    digest_of = manifests.digest_of

    def digest_and_more(lines: Iterable[bytes]) -> str:
        digest = digest_of(lines)
        patch.setattr(manifests, "digest_of", digest_of)
        happens()
        return digest

    patch.setattr(manifests, "digest_of", digest_and_more)


def manifest_of(runs: Runs, job: int) -> bytes | None:
    """Return the manifest of a run in git, None where there is none."""
    run = runs.table.get(job)
    assert run is not None
    found = runs.repos.open("alice/demo").head().read(path_of(run.target, run.kind, run.key))
    return None if found is None else found.data


def test_a_worker_that_was_stopped_writes_no_second_manifest(
    runs: Runs, alice: Client, monkeypatch: pytest.MonkeyPatch
):
    job = start(alice, ROLLOUT)["job_id"]

    def another_completes() -> None:
        with runs.database.begin() as connection:  # the worker is stopped past its lease
            connection.execute(update(RUNS).values(lease_until=0))
        assert perform(runs, job, "another")
        run = runs.table.get(job)
        assert run is not None
        assert (run.state, manifest_of(runs, job) is not None) == ("complete", True)
        other = {path_of(run.target, run.kind, run.key): b"written since\n"}
        runs.repos.open("alice/demo").transact(commit_files(other))

    after_the_digest(monkeypatch, another_completes)
    assert perform(runs, job, "stopped")
    assert manifest_of(runs, job) == b"written since\n"


def test_a_run_that_is_cancelled_after_its_last_row_leaves_no_manifest(
    runs: Runs, alice: Client, monkeypatch: pytest.MonkeyPatch
):
    job = start(alice, ROLLOUT)["job_id"]
    after_the_digest(monkeypatch, lambda: alice.request("POST", f"{ROLLOUT}/cancel"))
    assert perform(runs, job, "worker")
    status = alice.get(ROLLOUT).json
    assert (status["status"], status["error_type"], status["lines"]) == ("failed", "cancelled", 5)
    assert manifest_of(runs, job) is None
    assert start(alice, ROLLOUT)["status"] == "running"
    assert perform(runs, job, "worker")
    assert (alice.get(ROLLOUT).json["status"], manifest_of(runs, job) is None) == ("complete", False)


def test_a_run_that_is_deleted_after_its_last_row_ends_quietly(
    runs: Runs, alice: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    status = start(alice, ROLLOUT)
    head = runs.repos.open("alice/demo").head().commit

    def delete() -> None:
        alice.request("POST", f"{ROLLOUT}/cancel")
        assert alice.delete(f"{TARGETS}/a/runs/{status['key']}").status_code == 200

    after_the_digest(monkeypatch, delete)
    assert perform(runs, status["job_id"], "worker")
    assert runs.repos.open("alice/demo").head().commit == head
    assert alice.get(ROLLOUT).json["status"] == "not_started"
    assert {record.levelname for record in caplog.records} <= {"INFO", "WARNING"}


def test_a_run_that_is_cancelled_and_started_again_never_asks_more_at_once_than_it_may(
    app: Flask, runs: Runs, alice: Client, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
):
    """It goes on once its former worker has stopped, long before the lease is over."""
    monkeypatch.setitem(vars(runs), "leases", Leases(runs.database, 600))
    make_target(alice, generators=questions(40), num_traj_per_stimulus=1, max_concurrency=4)
    start(alice, STIM)
    proxy.rule = lambda _: Reply(delay=600)
    with working(app), working(app):
        job = start(alice, ROLLOUT)["job_id"]
        wait_until(lambda: len(proxy.seen) == 4)
        alice.request("POST", f"{ROLLOUT}/cancel")
        proxy.rule, proxy.delay = None, 0.05
        assert finish(alice, ROLLOUT)["job_id"] == job
    status = alice.get(ROLLOUT).json
    assert (status["status"], status["lines"], proxy.most_at_once) == ("complete", 40, 4)


def test_a_run_that_goes_on_asks_as_many_at_once_as_the_target_says_now(runs: Runs, alice: Client, proxy: FaultyProxy):
    job = start(alice, ROLLOUT)["job_id"]
    alice.request("POST", f"{ROLLOUT}/cancel")
    make_target(alice, generators=questions(5), num_traj_per_stimulus=1, max_concurrency=2)
    proxy.delay = 0.05
    assert start(alice, ROLLOUT)["job_id"] == job
    perform(runs, job, "worker")
    status = alice.get(ROLLOUT).json
    assert (status["status"], status["config"]["max_concurrency"], proxy.most_at_once) == ("complete", 2, 2)


def test_a_run_of_a_repo_that_was_deleted_asks_for_nothing_more(
    app: Flask, runs: Runs, alice: Client, proxy: FaultyProxy
):
    proxy.rule = lambda _: Reply(delay=600)
    with working(app):
        job = start(alice, ROLLOUT)["job_id"]
        wait_until(lambda: len(proxy.seen) == 5)
        assert alice.delete("/v1/repo/demo").status_code == 200
        wait_until(lambda: (run := runs.table.get(job)) is not None and run.state == "failed")
    run = runs.table.get(job)
    assert run is not None
    assert (run.error_type, run.error) == ("repo", "The repo 'alice/demo' is not there any more.")
    assert len(proxy.seen) == 5
    assert alice.post("/v1/repo/demo/undelete", {}).status_code == 200
    proxy.rule = None
    with working(app):
        assert finish(alice, ROLLOUT)["status"] == "complete"


def test_a_run_goes_on_under_the_new_name_of_its_repo(app: Flask, runs: Runs, alice: Client, proxy: FaultyProxy):
    """Another repo has the old name by then, and gets nothing."""
    go_on = threading.Event()
    proxy.rule = lambda _: None if go_on.is_set() else Reply(503, delay=0.1)
    with working(app):
        job = start(alice, ROLLOUT)["job_id"]
        assert alice.post("/v1/repo/demo/rename", {"name": "other"}).status_code == 200
        assert alice.post("/v1/repo", {"repo_name": "demo"}).status_code == 201
        go_on.set()
        wait_until(lambda: (run := runs.table.get(job)) is not None and run.state != "running")
    run = runs.table.get(job)
    assert run is not None
    assert (run.state, run.error) == ("complete", None)
    path = path_of(run.target, run.kind, run.key)
    assert runs.repos.open("alice/other").head().read(path) is not None
    assert runs.repos.open("alice/demo").head().read(path) is None


def test_a_run_waits_while_the_file_of_endpoints_is_being_changed(runs: Runs, alice: Client):
    job = start(alice, ROLLOUT)["job_id"]
    file = runs.settings.data_dir / "endpoints.yml"
    whole = file.read_text()
    file.write_text(whole[:20])
    assert perform(runs, job, "worker")
    status = alice.get(ROLLOUT).json
    assert (status["status"], status["error"], status["stale"]) == ("running", None, False)
    assert runs.table.waiting() == {}  # for a while
    file.write_text(whole)
    with runs.database.begin() as connection:
        connection.execute(update(RUNS).values(lease_until=0))
    assert perform(runs, job, "worker")
    done = alice.get(ROLLOUT).json
    file.write_text(whole[:20])
    assert (done["status"], alice.get(ROLLOUT).json) == ("complete", {**done, "cost": None})
