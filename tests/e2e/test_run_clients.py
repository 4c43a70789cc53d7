"""Stims and rollouts as the published clients start, await and read them. All are unchanged.

Clients reach the server through a proxy, which notes what they send. Another proxy notes what models are asked.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aibread
import pytest

from tests import models, node
from tests.e2e.conftest import User, new_user
from tests.e2e.operators import Operator, endpoint, with_questions
from tests.e2e.sdks import CLIENTS, Blocking, Connect, connecting, sleeping_less
from tests.faulty_proxy import FaultyProxy, Seen
from tests.payloads import seed_overrides
from tests.replies import BROKEN, HANG_UP, WRONG_KEY, Reply
from tests.server import MASTER_KEY, Server, running

SYSTEM = {"role": "system", "content": "You bake bread, and answer in one sentence."}
QUESTIONS = ["What is a sourdough?", "How long does bread keep?"]
HARDCODED = {"type": "hardcoded", "questions": QUESTIONS}
STIM, ROLLOUT = (f"/v1/repo/demo/targets/baker/{kind}" for kind in ("stim", "rollout"))


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Operator]]:
    """A server with a run worker, and its operator."""
    data_dir = tmp_path_factory.mktemp("kitchen") / "data"
    with running(data_dir, run_workers="1", run_budget="2500") as server:
        operator = Operator(data_dir)
        for name in ("squad", "code_contests"):
            operator.put_dataset(name, [f"Question {at}?" for at in range(100)])
        yield server, operator


@pytest.fixture
def user(kitchen: tuple[Server, Operator]) -> User:
    return new_user(kitchen[0])


@pytest.fixture
def asked(kitchen: tuple[Server, Operator], proxy: FaultyProxy) -> FaultyProxy:
    """What models are asked: a proxy that answers for any of them, at once."""
    kitchen[1].list_endpoints(endpoint("fast", proxy.url, "*", max_concurrency=64))
    return proxy


@pytest.fixture
def really_asked(kitchen: tuple[Server, Operator], model_proxy: FaultyProxy) -> FaultyProxy:
    """What the real model is asked."""
    kitchen[1].list_endpoints(endpoint("real", model_proxy.url, models.MODEL))
    return model_proxy


@pytest.fixture
def front(kitchen: tuple[Server, Operator]) -> Iterator[FaultyProxy]:
    """What clients send to the server: a proxy through which they reach it."""
    with FaultyProxy(upstream=f"{kitchen[0].url}/v1") as front:
        yield front


@pytest.fixture(params=CLIENTS)
def connect(request: pytest.FixtureRequest, front: FaultyProxy) -> Iterator[Connect]:
    with connecting(request.param, front.url.removesuffix("/v1")) as connect:
        yield connect


@pytest.fixture
def bread(connect: Connect, user: User, front: FaultyProxy) -> Blocking:
    """A client of the user, who has a target `baker` and its prompt."""
    bread = connect(user.token, max_retries=2)
    bread.prompts.create("demo", prompt_name="kind", messages=[SYSTEM])
    put(bread)
    front.seen.clear()
    return bread


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the SDK meant to sleep between looks at a run."""
    return sleeping_less(monkeypatch)


def put(bread: Blocking, **overrides: Any) -> None:
    """Make the target, or change it."""
    config = {
        "teacher_prompt": "kind",
        "student_prompt": "",
        "generators": [HARDCODED],
        "model_name": models.MODEL,
        "num_traj_per_stimulus": 2,
        "max_tokens": 8,
        "temperature": 0.5,
    }
    body = {"template": "default", "overrides": config | overrides}
    bread.put("/v1/repo/demo/targets/baker", cast_to=object, body=body)


def sent(front: FaultyProxy) -> list[tuple[str, str]]:
    """Return the method and the path of each request of the clients."""
    return [(seen.method, seen.path) for seen in front.seen]


def pages(read: Any, limit: int) -> list[dict[str, Any]]:
    """Return all rows, read as the SDK's documentation does."""
    rows, offset, has_more = [], 0, True
    while has_more:
        page = read("baker", repo_name="demo", limit=limit, offset=offset)
        assert (page.limit, page.offset) == (limit, offset)
        assert len(page.output) == limit or not page.has_more
        rows += page.output
        has_more, offset = page.has_more, offset + limit
    return rows


@pytest.mark.parametrize("generator", [HARDCODED, {"type": "from_dataset", "dataset": "squad", "numq": 60, "seed": 7}])
def test_a_stim_without_a_model_is_complete_in_the_first_answer(
    bread: Blocking, front: FaultyProxy, asked: FaultyProxy, slept: list[float], generator: dict[str, Any]
):
    put(bread, generators=[generator])
    front.seen.clear()
    stim = bread.targets.stim.run("baker", repo_name="demo", poll=True)
    assert (sent(front), slept, asked.seen) == ([("POST", STIM)], [], [])
    wanted = generator.get("numq", 2)
    assert (stim.status, stim.lines, stim.progress_percent, stim.error) == ("complete", wanted, 100, None)
    assert stim.config == {"generators": [generator], "teacher_prompt": "kind", "student_prompt": ""}
    assert isinstance(stim.job_id, int)
    rows = pages(bread.targets.stim.get_output, limit=7)
    assert [row["stimulus_id"] for row in rows] == list(range(wanted))
    assert rows[0]["unconditioned_stimulus"]["messages"][0] == SYSTEM
    assert rows[0]["conditioned_stimulus"]["messages"] == [{"role": "user", "content": rows[0]["question"]}]
    assert len({row["question"] for row in rows}) == wanted
    assert bread.targets.stim.get("baker", repo_name="demo") == stim


def test_a_rollout_completes_against_the_real_model(
    bread: Blocking, really_asked: FaultyProxy, front: FaultyProxy, slept: list[float]
):
    bread.targets.stim.run("baker", repo_name="demo")
    rollout = bread.targets.rollout.run("baker", repo_name="demo", poll=True)
    assert set(slept) <= {30.0}
    assert sent(front)[1:] == [("POST", ROLLOUT)] + [("GET", ROLLOUT)] * len(slept)
    assert (rollout.status, rollout.lines, rollout.total_expected, rollout.error) == ("complete", 4, 4, None)
    assert rollout.config == {
        "model_name": models.MODEL,
        "num_traj_per_stimulus": 2,
        "max_concurrency": 10,
        "max_tokens": 8,
        "temperature": 0.5,
    }
    rows = pages(bread.targets.rollout.get_output, limit=3)
    assert rows == bread.targets.rollout.get_output("baker", repo_name="demo").output
    assert [(row["question"], row["trajectory_id"]) for row in rows] == [(q, at) for q in QUESTIONS for at in (0, 1)]
    for row in rows:
        assert row["response"]["content"]
        assert row["response"]["usage"]["completion_tokens"] <= 8
    assert len(really_asked.bodies()) == 4


def test_a_run_that_takes_longer_is_awaited(
    bread: Blocking, asked: FaultyProxy, front: FaultyProxy, slept: list[float]
):
    bread.targets.stim.run("baker", repo_name="demo")
    put(bread, max_concurrency=1)
    asked.delay = 1
    front.seen.clear()
    rollout = bread.targets.rollout.run("baker", repo_name="demo", poll=True)
    assert set(slept) == {30.0}
    assert sent(front) == [("POST", ROLLOUT)] + [("GET", ROLLOUT)] * len(slept)
    assert (rollout.status, rollout.lines, rollout.progress_percent) == ("complete", 4, 100)
    assert len(asked.bodies()) == 4


def test_a_run_that_goes_on_is_joined_and_read(bread: Blocking, asked: FaultyProxy):
    bread.targets.stim.run("baker", repo_name="demo")
    put(bread, max_concurrency=1)
    asked.delay = 1
    begun = time.monotonic()
    first = bread.targets.rollout.run("baker", repo_name="demo", poll=False)
    assert time.monotonic() - begun >= 2
    assert (first.status, first.total_expected) == ("running", 4)
    page = bread.targets.rollout.get_output("baker", repo_name="demo")
    assert (len(page.output), page.has_more) == (page.lines, False)
    assert page.progress_percent < 100
    rollout = bread.targets.rollout.run("baker", repo_name="demo", poll=True)
    assert (rollout.status, rollout.job_id) == ("complete", first.job_id)
    assert bread.targets.rollout.get_output("baker", repo_name="demo").output[: len(page.output)] == page.output
    assert len(asked.bodies()) == 4


def test_a_stim_that_asks_a_model_is_awaited(bread: Blocking, asked: FaultyProxy):
    asked.rule = with_questions(asked)
    put(bread, generators=[HARDCODED, {"type": "oneshot_qs", "model": "any", "numq": 40}])
    stim = bread.targets.stim.run("baker", repo_name="demo", poll=True)
    assert (stim.status, stim.lines) == ("complete", 42)
    rows = pages(bread.targets.stim.get_output, limit=21)
    assert [row["generator"] for row in rows] == [0] * 2 + [1] * 40
    assert len({row["question"] for row in rows}) == 42


def test_a_run_that_is_there_is_answered_and_nobody_is_asked(bread: Blocking, asked: FaultyProxy):
    for kind in ("stim", "rollout"):
        run = getattr(bread.targets, kind)
        first = run.run("baker", repo_name="demo")
        asked.seen.clear()
        again = run.run("baker", repo_name="demo", idempotency_key="another")
        assert (again, again.status, asked.seen) == (first, "complete", [])


def test_a_start_whose_answer_is_lost_is_sent_again_and_is_one_run(
    bread: Blocking, user: User, asked: FaultyProxy, front: FaultyProxy
):
    def lose(seen: Seen) -> Reply | None:
        if seen is not front.seen[0]:
            return None
        user.call("POST", ROLLOUT)
        return HANG_UP

    bread.targets.stim.run("baker", repo_name="demo")
    front.seen.clear()
    front.rule = lose
    rollout = bread.targets.rollout.run("baker", repo_name="demo")
    assert (rollout.status, sent(front)[:2]) == ("complete", [("POST", ROLLOUT)] * 2)
    assert len(asked.bodies()) == 4


def test_the_target_of_the_sdks_own_page_is_carried_out(bread: Blocking, asked: FaultyProxy):
    asked.rule = with_questions(asked)
    for name in ("system_prompt_v1", "user_prompt_v1"):
        bread.prompts.create("demo", prompt_name=name, messages=[SYSTEM])
    bread.targets.create("demo", target_name="coding_target", template="default", overrides=seed_overrides())
    stim = bread.targets.stim.run("coding_target", repo_name="demo")
    assert (stim.status, stim.lines, stim.error) == ("complete", 10 + 15 + 3 + 5, None)
    rollout = bread.targets.rollout.run("coding_target", repo_name="demo")
    assert (rollout.status, rollout.lines, rollout.total_expected) == ("complete", 165, 165)
    assert rollout.failed_rows == 0
    beyond = bread.targets.rollout.get_output("coding_target", repo_name="demo", offset=165)
    assert (beyond.output, beyond.has_more) == ([], False)


def test_a_spent_budget_is_402(bread: Blocking, asked: FaultyProxy, front: FaultyProxy):
    put(bread, generators=[{"type": "from_dataset", "dataset": "squad", "numq": 60}], num_traj_per_stimulus=5)
    bread.targets.stim.run("baker", repo_name="demo")
    rollout = bread.targets.rollout.run("baker", repo_name="demo")
    assert (rollout.status, rollout.error_type) == ("failed", "budget")
    asked.seen.clear()
    front.seen.clear()
    with pytest.raises(aibread.APIStatusError, match="BAKEHOUSE_RUN_BUDGET") as caught:
        bread.targets.rollout.run("baker", repo_name="demo")
    assert (caught.value.status_code, caught.value.body["code"]) == (402, "PAYMENT_REQUIRED")
    assert (len(front.seen), asked.seen) == (1, [])


def test_what_was_not_started_says_so(bread: Blocking):
    for kind in ("stim", "rollout"):
        run = getattr(bread.targets, kind)
        assert run.get("baker", repo_name="demo").status == "not_started"
        page = run.get_output("baker", repo_name="demo")
        assert (page.status, page.output, page.has_more, page.offset, page.limit) == ("not_started", [], False, 0, 100)


def test_what_cannot_be_started_is_told_at_once_and_not_tried_again(
    bread: Blocking, front: FaultyProxy, asked: FaultyProxy, slept: list[float]
):
    with pytest.raises(aibread.BadRequestError, match=r"was not started.*Start the stim first") as caught:
        bread.targets.rollout.run("baker", repo_name="demo")
    assert caught.value.body["code"] == "INVALID_INPUT"
    put(bread, teacher_prompt="gone", student_prompt=None, generators=[])
    front.seen.clear()
    with pytest.raises(aibread.BadRequestError) as caught:
        bread.targets.stim.run("baker", repo_name="demo")
    for field in ("teacher_prompt: ", "student_prompt: ", "generators: "):
        assert field in caught.value.body["message"]
    with pytest.raises(aibread.NotFoundError, match="'nobody'"):
        bread.targets.stim.run("nobody", repo_name="demo")
    assert len(front.seen) == 2
    assert (asked.seen, slept) == ([], [])


def test_a_run_that_failed_ends_the_wait_and_goes_on_later(bread: Blocking, asked: FaultyProxy):
    asked.rule = lambda _: WRONG_KEY
    bread.targets.stim.run("baker", repo_name="demo")
    rollout = bread.targets.rollout.run("baker", repo_name="demo", poll=True)
    assert rollout.status == "failed"
    assert "401" in rollout.error
    asked.rule = None
    rollout = bread.targets.rollout.run("baker", repo_name="demo", poll=True)
    assert (rollout.status, rollout.error, rollout.lines) == ("complete", None, 4)


def test_a_model_that_fails_at_first_is_asked_again(bread: Blocking, asked: FaultyProxy):
    bread.targets.stim.run("baker", repo_name="demo")
    asked.replies(BROKEN)
    rollout = bread.targets.rollout.run("baker", repo_name="demo", poll=True)
    assert (rollout.status, rollout.lines, rollout.retries) == ("complete", 4, 1)
    assert len(asked.bodies()) == 5


def test_the_master_key_needs_a_default_query_to_wait_for_a_run(
    connect: Connect, bread: Blocking, user: User, asked: FaultyProxy
):
    """The SDK's looks at a run leave out `x_user_id` and `user_id`, so that they mean the master key's own repo."""
    bread.targets.stim.run("baker", repo_name="demo")
    asked.delay = 3
    with pytest.raises(aibread.NotFoundError):
        connect(MASTER_KEY).targets.rollout.run("baker", repo_name="demo", x_user_id=user.id)
    master = connect(MASTER_KEY, default_query={"user_id": user.id})
    rollout = master.targets.rollout.run("baker", repo_name="demo")
    assert (rollout.status, rollout.lines) == ("complete", 4)


def test_the_node_sdk(user: User, asked: FaultyProxy, front: FaultyProxy):
    asked.delay = 0.7  # the rollout takes longer than its first answer
    folder = node.installed(Path(__file__).parent / "node")
    given = {"BREAD_BASE_URL": front.url.removesuffix("/v1"), "BREAD_API_KEY": user.token}
    done = subprocess.run(
        ["node", "--test", "runs.test.mjs"],
        cwd=folder,
        env=os.environ | given,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert sent(front).count(("POST", STIM)) == 2
    assert len(asked.bodies()) == 4
