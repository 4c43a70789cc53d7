"""The limits of an endpoint hold over all runs and workers of a real server, as the endpoint sees it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import User, new_user
from tests.faulty_proxy import FaultyProxy
from tests.seams import wait_until
from tests.server import running

QUESTIONS = [f"What is {number}?" for number in range(6)]
NAMES = ("a", "b", "c")
TOTAL = len(QUESTIONS) * 2  # samples of each rollout


def carry_out(tmp_path: Path, proxy: FaultyProxy, **limits: int) -> list[dict[str, Any]]:
    """Carry out three rollouts at a time with two workers, and return their statuses."""
    (tmp_path / "data").mkdir()
    entry = {"name": "fast", "base_url": proxy.url, "models": ["*"], **limits}
    (tmp_path / "data/endpoints.yml").write_text(json.dumps([entry]))
    with running(tmp_path / "data", run_workers="2", runs_at_once="2") as server:
        user = new_user(server)
        user.call("PUT", "/v1/repo/demo/prompts/t", {"messages": [{"role": "system", "content": "Be kind."}]})
        for name in NAMES:
            start(user, name)
        wait_until(lambda: all(status(user, name)["status"] not in ("running", "pending") for name in NAMES))
        return [status(user, name) for name in NAMES]


def start(user: User, name: str, questions: Sequence[str] = QUESTIONS) -> None:
    overrides = {
        "teacher_prompt": "t",
        "student_prompt": "",
        "generators": [{"type": "hardcoded", "questions": list(questions)}],
        "model_name": "m",
        "num_traj_per_stimulus": 2,
        "max_concurrency": 5,
    }
    user.call("PUT", f"/v1/repo/demo/targets/{name}", {"template": "default", "overrides": overrides})
    assert user.call("POST", f"/v1/repo/demo/targets/{name}/stim")["status"] == "complete"
    user.call("POST", f"/v1/repo/demo/targets/{name}/rollout")


def status(user: User, name: str) -> Any:
    return user.call("GET", f"/v1/repo/demo/targets/{name}/rollout")


def assert_complete(statuses: list[dict[str, Any]], proxy: FaultyProxy) -> None:
    told = [(status["status"], status["lines"], status["repeated_requests"]) for status in statuses]
    assert told == [("complete", TOTAL, 0)] * len(NAMES)
    assert len(proxy.seen) == TOTAL * len(NAMES)


@pytest.mark.slow
def test_rollouts_of_two_workers_never_have_more_requests_out_than_the_endpoint_allows(tmp_path: Path):
    with FaultyProxy(delay=0.7) as proxy:
        assert_complete(carry_out(tmp_path, proxy, max_concurrency=3), proxy)
    assert proxy.most_at_once == 3


@pytest.mark.slow
def test_rollouts_of_two_workers_never_start_more_requests_a_minute_than_the_endpoint_allows(tmp_path: Path):
    with FaultyProxy() as proxy:
        assert_complete(carry_out(tmp_path, proxy, requests_per_minute=300), proxy)
    times = sorted(seen.at for seen in proxy.seen)
    assert times[-1] - times[0] >= (len(times) - 1) * 62 / 300 - 2  # a start may be late


@pytest.mark.slow
def test_a_long_run_of_one_user_makes_way_for_another_user_and_goes_on(tmp_path: Path):
    (tmp_path / "data").mkdir()
    with FaultyProxy(delay=0.3) as proxy:
        entry = {"name": "slow", "base_url": proxy.url, "models": ["*"], "max_concurrency": 1}
        (tmp_path / "data/endpoints.yml").write_text(json.dumps([entry]))
        with running(tmp_path / "data", run_workers="1", runs_at_once="1", run_lease="1") as server:
            alice, bob = new_user(server), new_user(server)
            alice.call("PUT", "/v1/repo/demo/prompts/t", {"messages": []})
            bob.call("PUT", "/v1/repo/demo/prompts/t", {"messages": []})
            start(alice, "long", [f"What is {number}?" for number in range(60)])
            wait_until(lambda: proxy.seen)
            start(bob, "short", ["Who are you?"])
            wait_until(lambda: status(bob, "short")["status"] == "complete")
            assert status(alice, "long")["status"] == "running"
            wait_until(lambda: status(alice, "long")["lines"] == 60 * 2)
