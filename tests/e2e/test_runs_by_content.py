"""A run is what went into it: a change makes a new run, no change none, and git tells old runs apart."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.conftest import User, new_user
from tests.e2e.operators import Operator, endpoint
from tests.faulty_proxy import FaultyProxy, Seen
from tests.replies import Reply, completion
from tests.server import running

TARGET = "/v1/repo/demo/targets/baker"
KINDS = ("stim", "rollout")
QUESTION_TEMPLATE = "Ask a baker, who was told this: ${prompt_u} Ask ${numq} times."
CONFIG = {
    "teacher_prompt": "teacher",
    "student_prompt": "student",
    "model_name": "answering",
    "num_traj_per_stimulus": 2,
    "temperature": 0.5,
    "max_tokens": 20,
}
ROWS = 6 * 2


@dataclass
class Story:
    """A user, the operator of the server, and what models are asked."""

    user: User
    operator: Operator
    proxy: FaultyProxy
    dataset: str

    def put_prompt(self, name: str, content: str) -> None:
        self.user.call("PUT", f"/v1/repo/demo/prompts/{name}", {"messages": [{"role": "system", "content": content}]})

    def put_target(
        self, *, numq: int = 2, ask: str = QUESTION_TEMPLATE, drawn: dict[str, Any] | None = None, **overrides: Any
    ) -> None:
        custom = {"type": "custom", "model": "asking", "numq": 2, "template_path": "ask.txt", "template_content": ask}
        generators = [
            {"type": "hardcoded", "questions": ["Who are you?", "What is rye?", "Why?"], "numq": numq},
            {"type": "from_dataset", "dataset": self.dataset, "numq": 2, **(drawn or {})},
            custom,
        ]
        body = {"template": "default", "overrides": CONFIG | {"generators": generators} | overrides}
        self.user.call("PUT", TARGET, body)

    def list_endpoints(self, asking: str = "one", answering: str = "two", **fields: Any) -> None:
        self.operator.list_endpoints(
            endpoint(asking, self.proxy.url, "asking", **fields),
            endpoint(answering, self.proxy.url, "answering", "another", **fields),
        )

    def run(self, kind: str) -> dict[str, Any]:
        """Carry out a stim or a rollout; return its status at the end."""
        status = self.user.call("POST", f"{TARGET}/{kind}")
        while status["status"] == "running":
            status = self.user.call("POST", f"{TARGET}/{kind}")  # which waits for its end
        assert status["status"] == "complete", status
        return status

    def run_both(self) -> dict[str, dict[str, Any]]:
        return {kind: self.run(kind) for kind in KINDS}

    def read(self, kind: str, ref: str | None = None) -> tuple[bytes, Any]:
        """Return the rows of a run, as a file and as a page."""
        query = f"?ref={ref}" if ref else ""
        token = {"Authorization": f"Bearer {self.user.token}"}
        request = urllib.request.Request(f"{self.user.server.url}{TARGET}/{kind}/rows{query}", headers=token)
        with urllib.request.urlopen(request, timeout=60) as response:
            lines = response.read()
        rows = self.user.call("GET", f"{TARGET}/{kind}/output{query}")["output"]
        assert [json.loads(line) for line in lines.splitlines()] == rows
        return lines, rows


def answer(seen: Seen) -> Reply | None:
    """Answer requests for questions with two; leave other requests to the proxy."""
    return completion("1. Is rye good?\n2. Is wheat good?") if seen.body["model"] == "asking" else None


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Operator]]:
    """A server with a run worker, and its operator."""
    data_dir = tmp_path_factory.mktemp("place") / "data"
    with running(data_dir, run_workers="1") as server:
        yield server, Operator(data_dir)


@pytest.fixture
def story(place: tuple[Any, Operator], proxy: FaultyProxy) -> Story:
    """A user with a target and its prompts; nothing was carried out yet."""
    server, operator = place
    proxy.rule = answer
    user = new_user(server)
    story = Story(user, operator, proxy, f"of-{user.id}")
    operator.put_dataset(story.dataset, [f"Question {at}?" for at in range(9)])
    story.list_endpoints()
    story.put_prompt("teacher", "You bake bread.")
    story.put_prompt("student", "Be kind.")
    story.put_target()
    return story


CHANGES: dict[str, tuple[Callable[[Story], None], str]] = {
    "the teacher prompt": (lambda story: story.put_prompt("teacher", "You bake cakes."), "stim rollout"),
    "the student prompt": (lambda story: story.put_prompt("student", "Be rude."), "stim rollout"),
    "the question template": (lambda story: story.put_target(ask=f"{QUESTION_TEMPLATE} Please!"), "stim rollout"),
    "numq": (lambda story: story.put_target(numq=3), "stim rollout"),
    "the data set": (lambda story: story.operator.put_dataset(story.dataset, ["a?", "b?", "c?"]), "stim rollout"),
    "the endpoint that is asked for questions": (lambda story: story.list_endpoints(asking="three"), "stim rollout"),
    "a generator's seed": (lambda story: story.put_target(drawn={"seed": 7}), "stim rollout"),
    "a generator's type": (lambda story: story.put_target(drawn={"type": "persona"}), "stim rollout"),
    "what the model is sent": (
        lambda story: story.put_target(drawn={"rollout_with_conditioned": True}),
        "stim rollout",
    ),
    "that endpoints take no seed": (lambda story: story.list_endpoints(takes_seed=False), "stim rollout"),
    "the endpoint that answers": (lambda story: story.list_endpoints(answering="three"), "rollout"),
    "the temperature": (lambda story: story.put_target(temperature=0.6), "rollout"),
    "the tokens": (lambda story: story.put_target(max_tokens=21), "rollout"),
    "the trajectories": (lambda story: story.put_target(num_traj_per_stimulus=3), "rollout"),
    "the model": (lambda story: story.put_target(model_name="another"), "rollout"),
    "other arguments": (lambda story: story.put_target(extra_kwargs={"top_p": 0.9}), "rollout"),
}


@pytest.mark.parametrize(("change", "renewed"), CHANGES.values(), ids=list(CHANGES))
def test_a_change_makes_a_new_run_and_the_old_one_stays(story: Story, change: Callable[[Story], None], renewed: str):
    old = story.run_both()
    before = {kind: story.read(kind) for kind in KINDS}
    assert len(story.proxy.bodies()) == 1 + ROWS
    change(story)
    for kind in KINDS:
        status = story.user.call("GET", f"{TARGET}/{kind}")
        assert (status["key"], status["stale"]) == (old[kind]["key"], kind in renewed)
        assert story.read(kind) == before[kind]
    story.proxy.seen.clear()
    new = story.run_both()
    for kind in KINDS:
        is_new = kind in renewed
        assert (new[kind]["key"] != old[kind]["key"], new[kind]["job_id"] != old[kind]["job_id"]) == (is_new, is_new)
        assert story.user.call("GET", f"{TARGET}/{kind}") == new[kind]
        assert story.read(kind, ref=old[kind]["commit"]) == before[kind]
        assert story.user.call("GET", f"{TARGET}/{kind}?ref={old[kind]['commit']}") == old[kind] | {"stale": is_new}
        assert new[kind]["stale"] is False
    assert len(story.proxy.bodies()) == ("stim" in renewed) + new["rollout"]["lines"]
    runs = story.user.call("GET", f"{TARGET}/runs")["runs"]
    assert [run["key"] for run in runs] == [new[kind]["key"] for kind in reversed(renewed.split())] + [
        old[kind]["key"] for kind in reversed(KINDS)
    ]


NO_CHANGES: dict[str, Callable[[Story], None]] = {
    "nothing": lambda _: None,
    "the same target again": lambda story: story.put_target(),
    "another target": lambda story: story.user.call("PUT", f"{TARGET}2", {"template": "default", "overrides": {}}),
    "how many requests are out at a time": lambda story: story.put_target(max_concurrency=3),
    "the address of an endpoint": lambda story: story.operator.list_endpoints(
        *(endpoint(name, f"{story.proxy.url}/", model) for name, model in (("one", "asking"), ("two", "answering")))
    ),
}


@pytest.mark.parametrize("change", NO_CHANGES.values(), ids=list(NO_CHANGES))
def test_what_goes_into_no_row_makes_no_new_run(story: Story, change: Callable[[Story], None]):
    old = story.run_both()
    before = {kind: story.read(kind) for kind in KINDS}
    story.proxy.seen.clear()
    change(story)
    assert story.run_both() == old
    assert {kind: story.read(kind) for kind in KINDS} == before
    assert len(story.proxy.seen) == 0


def test_a_change_that_is_taken_back_leads_to_the_old_run(story: Story):
    old = story.run_both()
    story.put_target(temperature=0.6)
    hot = story.run("rollout")
    hot_rows = story.read("rollout")
    story.put_target()
    story.proxy.seen.clear()
    assert story.run_both() == old
    assert len(story.proxy.seen) == 0
    assert story.read("rollout", ref=hot["commit"]) == hot_rows
    assert story.user.call("GET", f"{TARGET}/rollout?ref={hot['commit']}") == hot | {"stale": True}


def test_a_rollout_of_a_changed_target_waits_for_its_stim(story: Story):
    story.run_both()
    story.put_prompt("teacher", "You bake cakes.")
    status, answered = story.user.ask("POST", f"{TARGET}/rollout")
    assert (status, answered["code"]) == (400, "INVALID_INPUT")
    assert "Start the stim first" in answered["message"]
