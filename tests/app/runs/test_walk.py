"""The way of a target to data, without HTTP: a stim, a rollout, and what both leave in git."""

from typing import Any

import pytest
import yaml
from flask import Flask

from app.domain import manifests
from app.registry.messages import Origin
from app.runs import full_rows, starting
from app.runs.failures import NotReady
from app.runs.services import Runs
from app.runs.work.performing import perform
from tests.client import Client
from tests.faulty_proxy import FaultyProxy

ALICE = Origin("alice", "Alice")


@pytest.fixture
def runs(app: Flask, proxy: FaultyProxy) -> Runs:
    runs: Runs = app.extensions["bakehouse"].runs
    entry = {"name": "fast", "base_url": proxy.url, "models": ["*"], "max_concurrency": 64}
    (runs.settings.data_dir / "endpoints.yml").write_text(yaml.safe_dump([entry]))
    return runs


def start(runs: Runs, kind: Any) -> Any:
    return starting.start(runs, "alice/demo", runs.repos.open("alice/demo"), "kind", kind, ALICE)


def make_target(alice: Client, **overrides: Any) -> None:
    alice.put("/v1/repo/demo/prompts/t", {"messages": [{"role": "system", "content": "Be kind."}]})
    config = {
        "teacher_prompt": "t",
        "student_prompt": "",
        "generators": [{"type": "hardcoded", "questions": ["Who are you?", "Why?"]}],
        "model_name": "m",
        "num_traj_per_stimulus": 3,
    }
    alice.put("/v1/repo/demo/targets/kind", {"template": "default", "overrides": config | overrides})


def test_a_target_becomes_rows_and_a_clone_has_their_digest(runs: Runs, alice: Client, proxy: FaultyProxy):
    make_target(alice)
    stim = start(runs, "stim")
    assert (stim.state, stim.done, len(proxy.seen)) == ("complete", 2, 0)
    rollout = start(runs, "rollout")
    assert rollout.state == "running"
    assert perform(runs, rollout.id, "worker")
    rollout = runs.table.get(rollout.id)
    assert (rollout.state, rollout.done, rollout.requests) == ("complete", 6, 6)
    rows = [row for row, _ in full_rows.read(runs, rollout, 0, 100)]
    assert [(row["stimulus_id"], row["trajectory_id"]) for row in rows] == [(s, t) for s in (0, 1) for t in (0, 1, 2)]
    assert rows[0]["unconditioned_stimulus"]["messages"][0]["content"] == "Be kind."
    assert rows[0]["conditioned_stimulus"]["messages"] == [{"role": "user", "content": "Who are you?"}]
    assert {row["response"]["content"] for row in rows[:3]} == {"An answer to: Who are you?"}
    repository = runs.repos.open("alice/demo")
    file = repository.head().read(manifests.path_of("kind", "rollout", rollout.key))
    manifest = manifests.parse(yaml.safe_load(file.data))
    digest = manifests_digest(runs, rollout)
    assert (manifest.rows, manifest.rows_sha256, manifest.commit) == (6, digest, rollout.commit)
    assert repository.signature(rollout.manifest_commit).name == "Alice"


def manifests_digest(runs: Runs, run: Any) -> str:
    import hashlib

    return hashlib.sha256(b"".join(full_rows.lines(runs, run))).hexdigest()


def test_the_same_inputs_are_the_same_run_and_ask_nobody(runs: Runs, alice: Client, proxy: FaultyProxy):
    make_target(alice)
    start(runs, "stim")
    first = start(runs, "rollout")
    perform(runs, first.id, "worker")
    seen = len(proxy.seen)
    make_target(alice, max_concurrency=1)
    again = start(runs, "rollout")
    assert (again.id, again.state, len(proxy.seen)) == (first.id, "complete", seen)


def test_everything_that_is_missing_is_told_at_once(runs: Runs, alice: Client):
    alice.put("/v1/repo/demo/targets/kind", {"template": "default", "overrides": {"teacher_prompt": "t"}})
    with pytest.raises(NotReady) as caught:
        start(runs, "stim")
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "teacher_prompt",
        "student_prompt",
        "generators",
    ]
    make_target(alice, model_name=None)
    with pytest.raises(NotReady, match=r"was not started. Start the stim first. model_name: "):
        start(runs, "rollout")


def test_a_rollout_is_not_larger_than_a_worker_can_hold(runs: Runs, alice: Client):
    make_target(alice, num_traj_per_stimulus=5_000_001)
    start(runs, "stim")
    with pytest.raises(NotReady, match="num_traj_per_stimulus: 5000001 trajectories of 2 stimuli are more than"):
        start(runs, "rollout")


@pytest.mark.parametrize(("width", "warnings"), [(1, 0), (2, 1)])
@pytest.mark.parametrize("extra", [{"seed": 5}, {"extra_body": {"seed": 5}}])
def test_one_seed_for_several_trajectories_is_warned_of_and_sent(
    runs: Runs, alice: Client, proxy: FaultyProxy, width: int, warnings: int, extra: dict[str, Any]
):
    make_target(alice, num_traj_per_stimulus=width, extra_kwargs=extra)
    start(runs, "stim")
    run = start(runs, "rollout")
    assert [warning.partition(":")[0] for warning in run.warnings] == ["extra_kwargs"] * warnings
    perform(runs, run.id, "worker")
    assert [body["seed"] for body in proxy.bodies()] == [5] * 2 * width


def test_a_run_does_not_go_on_with_an_endpoint_that_takes_seeds_no_longer(
    runs: Runs, alice: Client, proxy: FaultyProxy
):
    make_target(alice)
    start(runs, "stim")
    run = start(runs, "rollout")
    entry = {"name": "fast", "base_url": proxy.url, "models": ["*"], "takes_seed": False}
    (runs.settings.data_dir / "endpoints.yml").write_text(yaml.safe_dump([entry]))
    perform(runs, run.id, "worker")
    failed = runs.table.get(run.id)
    assert (failed.state, failed.error_type, failed.requests) == ("failed", "endpoint", 0)
    assert "takes_seed" in failed.error
