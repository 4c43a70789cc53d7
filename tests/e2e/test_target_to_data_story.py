"""From an empty server to data: an operator lists a model, and a user makes a target and carries it out.

The model is a real one. Each test goes on where the one before it ended.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from aibread import Bread

from tests import models
from tests.e2e.conftest import Git
from tests.e2e.operators import Operator, endpoint
from tests.e2e.pages import ROOT
from tests.e2e.sdks import sleeping_less
from tests.faulty_proxy import FaultyProxy
from tests.server import Server, environment, running

TEACHER = {"role": "system", "content": "You bake bread."}
GENERATORS = [
    {"type": "hardcoded", "questions": ["What is a sourdough?", "Is rye good?"], "rollout_with_conditioned": True},
    {"type": "from_dataset", "dataset": "customers", "numq": 2, "seed": 1},
    {"type": "persona", "numq": 2, "seed": 2},
    {
        "type": "oneshot_qs",
        "model": models.MODEL,
        "numq": 2,
        "temperature": 0.3,
        "max_tokens": 60,
        "template_path": "ask.txt",
        "template_content": "${prompt_u}\nWrite a numbered list of ${numq} questions about bread.",
    },
]
CUSTOMERS = [f"Do you have {name}?" for name in ("rye", "wheat", "spelt", "oats", "barley")]
STIMULI, TRAJECTORIES = 8, 2


@dataclass
class Story:
    """A server and its operator, what the model is asked, and a user with what she has made so far."""

    server: Server
    operator: Operator
    proxy: FaultyProxy
    token: str = ""
    runs: dict[str, Any] = field(default_factory=dict)

    def bakehouse(self, *arguments: str, fails: bool = False) -> str:
        """Return what a command prints where the server is."""
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", *arguments],
            cwd=ROOT,
            env=environment(self.operator.data_dir),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout

    @property
    def clone_url(self) -> str:
        return f"http://una:{self.token}@127.0.0.1:{self.server.port}/git/una/bakery.git"

    def bread(self) -> Bread:
        return Bread(base_url=self.server.url, api_key=self.token)

    def rows(self, query: str = "") -> list[str]:
        """Return the lines of the rollout's rows."""
        with self.bread() as bread:
            path = f"/v1/repo/bakery/targets/baker/rollout/rows{query}"
            return bread.get(path, cast_to=httpx.Response).text.splitlines(keepends=True)


@pytest.fixture(autouse=True)
def _sleep_less(monkeypatch: pytest.MonkeyPatch) -> None:
    sleeping_less(monkeypatch)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, model_url: str) -> Iterator[Story]:
    data_dir = tmp_path_factory.mktemp("story") / "data"
    with FaultyProxy(upstream=model_url) as proxy, running(data_dir, run_workers="1") as server:
        yield Story(server, Operator(data_dir), proxy)


def test_the_operator_lists_a_model_and_adds_a_user(story: Story):
    story.operator.list_endpoints(endpoint("local", story.proxy.url, models.MODEL, max_concurrency=4))
    story.operator.put_dataset("customers", CUSTOMERS)
    assert "local" in story.bakehouse("endpoints", "check")
    added = ("users", "create", "una", "--alias", "Una", "--email", "una@example.org")
    story.token = story.bakehouse(*added).strip()


def test_the_user_makes_a_target_and_its_stimuli(story: Story):
    with story.bread() as bread:
        bread.repo.create(repo_name="bakery")
        bread.prompts.create("bakery", prompt_name="baker", messages=[TEACHER])
        made = bread.targets.create(
            "bakery",
            target_name="baker",
            template="default",
            overrides={
                "teacher_prompt": "baker",
                "student_prompt": "",
                "generators": GENERATORS,
                "model_name": models.MODEL,
                "num_traj_per_stimulus": TRAJECTORIES,
                "max_tokens": 12,
                "temperature": 0.5,
            },
        )
        assert "warnings" not in made.to_dict()
        stim = bread.targets.stim.run("baker", repo_name="bakery")
        assert (stim.status, stim.lines) == ("complete", STIMULI)
        rows = bread.targets.stim.get_output("baker", repo_name="bakery").output
    assert Counter(row["generator"] for row in rows) == {0: 2, 1: 2, 2: 2, 3: 2}
    questions = [row["question"] for row in rows]
    assert questions[:2] == GENERATORS[0]["questions"]
    assert set(questions[2:4]) <= set(CUSTOMERS)
    assert len(set(questions)) == STIMULI
    assert all(row["unconditioned_stimulus"]["messages"][0] == TEACHER for row in rows)
    assert [row["trajectory_override_stimulus"]["messages"] for row in rows[:2]] == [
        [{"role": "user", "content": question}] for question in questions[:2]
    ]


def test_the_model_answers_and_the_answers_are_lines_for_fine_tuning(story: Story):
    story.proxy.seen.clear()
    with story.bread() as bread:
        rollout = bread.targets.rollout.run("baker", repo_name="bakery").to_dict()
    assert (rollout["status"], rollout["lines"]) == ("complete", STIMULI * TRAJECTORIES)
    assert len(story.proxy.bodies()) == rollout["requests"] == STIMULI * TRAJECTORIES
    asked = {json.dumps(body["messages"]) for body in story.proxy.bodies()}
    assert len(asked) == STIMULI
    lines = [json.loads(line) for line in story.rows("?format=openai")]
    assert len(lines) == STIMULI * TRAJECTORIES
    for line in lines:
        question, answer = line["messages"]  # the student has no prompt
        assert (question["role"], answer["role"]) == ("user", "assistant")
        assert answer["content"]
    story.runs["first"] = rollout


def test_a_clone_proves_from_which_commit_the_data_came(story: Story, git: Git, tmp_path: Path):
    git("clone", "--quiet", story.clone_url, "clone")
    rows, first = story.rows(), story.runs["first"]
    assert {json.loads(row)["commit"] for row in rows} == {first["commit"]}
    [name] = [path for path in (tmp_path / "clone/runs/baker").iterdir() if path.name.startswith("rollout-")]
    manifest = yaml.safe_load(name.read_text())
    assert (manifest["key"], manifest["commit"]) == (first["key"], first["commit"])
    shown = git("-C", "clone", "show", f"{first['commit']}:targets/baker.yml").stdout
    assert yaml.safe_load(shown)["overrides"]["temperature"] == 0.5
    author = git("-C", "clone", "log", "-1", "--format=%an <%ae>", first["manifest_commit"]).stdout.strip()
    assert author == "Una <una@example.org>"
    export, clone = tmp_path / "rows.jsonl", str(tmp_path / "clone")
    export.write_text("".join(rows))
    story.bakehouse("verify", clone)
    assert f"of target 'baker' at commit {first['commit']}" in story.bakehouse("verify", "--rows", str(export), clone)
    export.write_text("".join(rows).replace('"assistant"', '"user"', 1))
    assert "no run has these" in story.bakehouse("verify", "--rows", str(export), clone, fails=True)


def test_a_change_is_other_data_and_the_first_stays(story: Story, git: Git, tmp_path: Path):
    before, first = story.rows(), story.runs["first"]
    story.proxy.seen.clear()
    with story.bread() as bread:
        bread.targets.rollout.run("baker", repo_name="bakery")
        assert story.proxy.seen == []  # nothing changed yet
        change = {"template": "baker", "overrides": {"temperature": 1.2}}
        bread.put("/v1/repo/bakery/targets/baker", cast_to=object, body=change)
        assert bread.targets.rollout.get("baker", repo_name="bakery").to_dict()["stale"] is True
        second = bread.targets.rollout.run("baker", repo_name="bakery").to_dict()
    assert (second["status"], second["stale"]) == ("complete", False)
    assert second["key"] != first["key"]
    assert {body["temperature"] for body in story.proxy.bodies()} == {1.2}
    assert len(story.proxy.bodies()) == STIMULI * TRAJECTORIES
    after = story.rows()
    assert [json.loads(row)["question"] for row in after] == [json.loads(row)["question"] for row in before]
    assert after != before
    assert story.rows(f"?ref={first['commit']}") == before
    git("clone", "--quiet", story.clone_url, "clone")
    for rows, run in ((before, first), (after, second)):
        export = tmp_path / "rows.jsonl"
        export.write_text("".join(rows))
        found = story.bakehouse("verify", "--rows", str(export), str(tmp_path / "clone"))
        assert f"at commit {run['commit']}" in found
