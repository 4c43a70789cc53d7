"""`bakehouse runs`: a server, a run worker and a model of its own, asked by commands as a person gives them."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import bakehouse, on_a_terminal, settings
from tests.e2e.conftest import Git, User, new_user
from tests.faulty_proxy import FaultyProxy, Seen
from tests.replies import Reply, failure, throttled
from tests.seams import wait_until
from tests.server import Server, limited, running

QUESTIONS = ["Why is the sky blue?", "Who are you?", "What is bread?"]


@pytest.fixture(scope="module")
def proxy() -> Iterator[FaultyProxy]:
    with FaultyProxy() as proxy:
        yield proxy


@pytest.fixture(scope="module")
def server(proxy: FaultyProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with one run worker, whose models the proxy answers for."""
    data_dir = tmp_path_factory.mktemp("data")
    (data_dir / "endpoints.yml").write_text(f"- name: proxy\n  base_url: {proxy.url}\n  models: ['*']\n")
    with running(data_dir, workers="1", run_workers="1", run_lease="3") as server:
        yield server


class Gate:
    """A model that answers some requests, and asks all others to come later, until it is opened."""

    def __init__(self, proxy: FaultyProxy, server: Server) -> None:
        self._proxy, self._server = proxy, server
        self._left = 0

    def shut_after(self, answers: int) -> None:
        self._left = answers
        self._proxy.rule = self._answer

    def open(self) -> None:
        self._proxy.rule = None

    def wait_for_rows(self, user: User, number: int) -> None:
        """Wait until so many rows of the rollout are there."""
        for _ in range(600):
            if user.call("GET", "/v1/repo/demo/targets/bread/rollout")["lines"] >= number:
                return
            time.sleep(0.2)
        raise AssertionError(f"there are not {number} rows")

    def open_once_it_is_seen(self, user: User, number: int) -> None:
        """Open the gate when so many rows are there, and somebody has asked often enough to have shown them."""

        def wait() -> None:
            self.wait_for_rows(user, number)
            asked = self._count() + 3
            wait_until(lambda: self._count() >= asked)
            self.open()

        threading.Thread(target=wait).start()

    def wait_for_a_question(self) -> None:
        """Wait until somebody asks how far the run is."""
        asked = self._count()
        wait_until(lambda: self._count() > asked)

    def _answer(self, _: Seen) -> Reply | None:
        self._left -= 1
        return throttled("1") if self._left < 0 else None

    def _count(self) -> int:
        return self._server.log.read_text().count("GET /v1/repo/demo/targets/bread/rollout 200")


@pytest.fixture
def gate(proxy: FaultyProxy, server: Server) -> Iterator[Gate]:
    gate = Gate(proxy, server)
    yield gate
    gate.open()


@pytest.fixture
def user(server: Server) -> User:
    user = new_user(server)
    user.call("PUT", "/v1/repo/demo/prompts/terse", {"messages": [{"role": "system", "content": "Be terse."}]})
    return user


def make(user: User, name: str = "bread", questions: list[str] = QUESTIONS, **overrides: Any) -> None:
    """Make a target that asks questions twice each."""
    generators = [{"type": "hardcoded", "questions": questions, "numq": len(questions)}]
    fields = {"teacher_prompt": "terse", "student_prompt": "", "num_traj_per_stimulus": 2, "model_name": "small"}
    config = {"generators": generators, **fields, **overrides}
    user.call("POST", "/v1/repo/demo/targets", {"target_name": name, "template": "default", "overrides": config})


def lines(done: "subprocess.CompletedProcess[str]") -> list[list[str]]:
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def started(*arguments: str, env: dict[str, str]) -> "subprocess.Popen[str]":
    """Start a command, and leave it to the test."""
    command = [sys.executable, "-m", "app.cli", *arguments]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_target_is_carried_out_listed_exported_and_verified_in_a_clone(user: User, git: Git, tmp_path: Path):
    make(user)
    env = settings(user)
    done = lines(bakehouse("runs", "start", "bread", "--wait", env=env))
    assert done == [
        ["bread", "stim", "complete", "3", "3", "0", "0"],
        ["bread", "rollout", "complete", "6", "6", "0", "0"],
    ]
    listed = lines(bakehouse("runs", "list", env=env))
    assert [(run[:6], run[7], run[10]) for run in listed] == [
        (["bread", "rollout", "complete", "6", "6", "0"], user.id, ""),
        (["bread", "stim", "complete", "3", "3", "0"], user.id, ""),
    ]
    assert lines(bakehouse("runs", "list", "bread", env=env)) == listed
    rows = tmp_path / "rows.ndjson"
    [exported] = lines(bakehouse("runs", "export", "bread", str(rows), env=env))
    data = rows.read_bytes()
    digest = sha256(data).hexdigest()
    assert exported == [str(rows), "bread", "rollout", "complete", "6", str(len(data)), digest]
    git("clone", "--quiet", user.clone_url(), "clone")
    clone = tmp_path / "clone"
    done = bakehouse("verify", "--rows", str(rows), str(clone), env={})
    assert done.returncode == 0, done.stdout
    key, commit = listed[0][9], listed[0][8]
    told = f"the 6 rows of the run bread/rollout-{key[:12]} in {clone}, of target 'bread' at commit {commit}"
    assert done.stdout == f"{rows}: {told}\n"
    rows.write_bytes(data.replace(b"bread", b"cake", 1))
    assert bakehouse("verify", "--rows", str(rows), str(clone), env={}).returncode == 1
    assert bakehouse("verify", str(clone), env={}).returncode == 0


def test_a_clone_tells_what_its_manifests_tell(user: User, git: Git, tmp_path: Path):
    make(user)
    env = settings(user)
    lines(bakehouse("runs", "start", "bread", "--wait", env=env))
    git("clone", "--quiet", user.clone_url(), "clone")
    here = {"env": {}, "cwd": tmp_path / "clone"}
    there = lines(bakehouse("runs", "list", env=env))
    alone = lines(bakehouse("runs", "list", **here))
    assert [run[:6] + run[7:10] for run in alone] == [run[:6] + run[7:10] for run in there]
    assert lines(bakehouse("runs", "list", "bread", "-n", "1", **here)) == alone[:1]
    assert lines(bakehouse("runs", "list", "another", **here)) == []
    assert lines(bakehouse("runs", "list", "--ref", there[1][8], **here)) == []
    shown = {tuple(line[:2]): line[2] for line in lines(bakehouse("runs", "show", "bread", **here))}
    known = {tuple(line[:2]): line[2] for line in lines(bakehouse("runs", "show", "bread", env=env))}
    for field in ("key", "commit", "status", "rows_sha256", "manifest_commit", "tokens_in", "started_by"):
        assert shown["rollout", field] == known["rollout", field]
    assert json.loads(bakehouse("runs", "show", "bread", "--kind", "stim", "--json", **here).stdout)["lines"] == 3
    none = bakehouse("runs", "show", "another", **here)
    assert (none.returncode, none.stdout) == (1, "")
    assert "This clone has no manifest of a run of 'another'" in none.stderr
    for command in (["start", "bread"], ["cancel", "bread"], ["watch", "bread"], ["export", "bread", "file"]):
        done = bakehouse("runs", *command, **here)
        assert done.returncode == 2
        assert "A clone has only the manifests of runs. Set BAKEHOUSE_URL" in done.stderr
    assert git("-C", str(tmp_path / "clone"), "status", "--porcelain", "--ignored").stdout == ""
    assert not [*(tmp_path / "clone/.git").glob("*.sqlite*")]


def test_each_format_is_a_file_and_is_chosen_by_its_name(user: User, tmp_path: Path):
    make(user)
    env = settings(user)
    lines(bakehouse("runs", "start", "bread", "--wait", env=env))

    def export(name: str, *options: str) -> bytes:
        lines(bakehouse("runs", "export", "bread", str(tmp_path / name), *options, env=env))
        return (tmp_path / name).read_bytes()

    assert export("rows.csv").startswith(b"stimulus_id,")
    assert export("rows.parquet")[:4] == b"PAR1"
    assert [json.loads(line)["trajectory_id"] for line in export("rows").splitlines()] == [0, 1, 0, 1, 0, 1]
    assert [*json.loads(export("x", "--format", "openai").splitlines()[0])] == ["messages"]
    assert json.loads(export("y.csv", "--format", "batch").splitlines()[0])["url"] == "/v1/chat/completions"
    assert len(export("stim.ndjson", "--kind", "stim").splitlines()) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["rows.csv", "rows.parquet", "rows", "x", "y.csv", "stim.ndjson"]
    )
    refused = bakehouse(
        "runs", "export", "bread", str(tmp_path / "rows"), "--kind", "stim", "--format", "openai", env=env
    )
    assert refused.returncode == 1
    assert "Stimuli have no answers" in refused.stderr
    assert b"trajectory_id" in (tmp_path / "rows").read_bytes()


def test_an_export_that_cannot_be_written_leaves_everything_as_it_was(user: User, tmp_path: Path):
    make(user)
    env = settings(user)
    none = bakehouse("runs", "export", "bread", str(tmp_path / "rows"), env=env)
    assert (none.returncode, "has no rollout yet" in none.stderr) == (1, True)
    lines(bakehouse("runs", "start", "bread", "--wait", env=env))
    missing = bakehouse("runs", "export", "bread", str(tmp_path / "no/rows"), env=env)
    assert missing.returncode == 1
    assert f"{tmp_path}/no/rows cannot be written: No such file or directory." in missing.stderr
    (tmp_path / "rows").write_text("before")
    full = bakehouse(
        "runs", "export", "bread", str(tmp_path / "rows"), env=env | {"BAKEHOUSE_URL": "http://127.0.0.1:1"}
    )
    assert full.returncode == 3
    assert (tmp_path / "rows").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["rows"]


def test_a_run_is_watched_in_lines_and_ends_with_the_run(user: User, gate: Gate):
    gate.shut_after(2)
    make(user, max_concurrency=1)
    env = settings(user)
    assert lines(bakehouse("runs", "start", "bread", env=env))[1][:3] == ["bread", "rollout", "running"]
    gate.wait_for_rows(user, 2)
    gate.open_once_it_is_seen(user, 2)
    told = lines(bakehouse("runs", "watch", "bread", env=env))
    assert told[0][:6] == ["bread", "rollout", "running", "2", "6", "0"]
    assert told[-1][:6] == ["bread", "rollout", "complete", "6", "6", "0"]
    assert json.loads(bakehouse("runs", "watch", "bread", "--json", env=env).stdout)["status"] == "complete"
    assert lines(bakehouse("runs", "watch", "bread", "--kind", "stim", env=env))[0][1:3] == ["stim", "complete"]


def test_a_terminal_gets_a_bar(user: User, gate: Gate):
    gate.shut_after(2)
    make(user, max_concurrency=1)
    gate.open_once_it_is_seen(user, 2)
    env = settings(user)
    printed = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", on_a_terminal("runs", "start", "bread", "--wait", env=env))
    assert "━" in printed
    assert re.search(r"rollout of bread .* 2/6 rows 0 failed, \d+ retries, [\d.]+ rows/s", printed)
    assert re.search(r"rollout of bread: complete, 6 rows( \(\d+ retries\))?\n$", printed)
    assert "started (UTC)" in on_a_terminal("runs", "list", env=env)
    assert "rows_sha256: " in on_a_terminal("runs", "show", "bread", env=env)


def test_ctrl_c_leaves_the_run_and_says_so(user: User, gate: Gate):
    gate.shut_after(2)
    make(user, max_concurrency=1)
    env = settings(user)
    watching = started("runs", "start", "bread", "--wait", env=env)
    gate.wait_for_a_question()
    watching.send_signal(signal.SIGINT)
    _, said = watching.communicate(timeout=60)
    assert watching.returncode == 130
    assert "The rollout of 'bread' goes on. See how far it is: bakehouse runs watch bread --kind rollout." in said
    assert "Traceback" not in said
    assert lines(bakehouse("runs", "list", env=env))[0][:3] == ["bread", "rollout", "running"]
    gate.open()
    gate.wait_for_rows(user, 6)  # otherwise the run would take answers of the next test


def test_a_run_is_cancelled_and_goes_on_where_it_was(user: User, gate: Gate, proxy: FaultyProxy):
    gate.shut_after(2)
    make(user, max_concurrency=1)
    env = settings(user)
    lines(bakehouse("runs", "start", "bread", env=env))
    gate.wait_for_rows(user, 2)
    done = bakehouse("runs", "cancel", "bread", "--reason", "Wrong model", env=env)
    assert lines(done)[0][:5] == ["bread", "rollout", "failed", "2", "6"]
    watched = bakehouse("runs", "watch", "bread", env=env)
    assert watched.returncode == 1
    assert watched.stderr == f"Error: The rollout of 'bread' failed: Cancelled by {user.id}: Wrong model\n"
    again = bakehouse("runs", "cancel", "bread", env=env)
    assert (again.returncode, again.stderr) == (1, "Error: No run of 'bread' goes on.\n")
    gate.open()
    before = len(proxy.seen)
    assert lines(bakehouse("runs", "start", "bread", "--wait", env=env))[1][:4] == ["bread", "rollout", "complete", "6"]
    assert len(proxy.seen) - before == 4


def test_a_run_that_fails_is_told_with_its_reason(user: User, gate: Gate, proxy: FaultyProxy, tmp_path: Path):
    gate.shut_after(0)
    proxy.rule = lambda _: failure(401, "Wrong key.")
    make(user)
    env = settings(user)
    done = bakehouse("runs", "start", "bread", "--wait", env=env)
    assert done.returncode == 1
    assert "Error: The rollout of 'bread' failed: " in done.stderr
    assert lines(bakehouse("runs", "list", env=env))[0][2] == "failed"
    exported = bakehouse("runs", "export", "bread", str(tmp_path / "rows"), env=env)
    assert "Warning: the run is failed, and has only 0 rows so far." in exported.stderr


def test_what_is_missing_is_a_sentence(user: User):
    env = settings(user)
    user.call("POST", "/v1/repo/demo/targets", {"target_name": "bare", "template": "default", "overrides": {}})
    done = bakehouse("runs", "start", "bare", env=env)
    assert done.returncode == 1
    assert "generators" in done.stderr
    assert "Traceback" not in done.stderr
    none = bakehouse("runs", "watch", "bare", env=env)
    assert "Nothing of 'bare' was started" in none.stderr
    assert bakehouse("runs", "start", "nobody", env=env).returncode == 1
    assert lines(bakehouse("runs", "list", env=env)) == []
    assert json.loads(bakehouse("runs", "list", "--json", env=env).stdout) == {"runs": [], "next": None}


def test_json_is_the_answer_of_the_api(user: User):
    make(user)
    env = settings(user)
    both = json.loads(bakehouse("runs", "start", "bread", "--wait", "--json", env=env).stdout)
    assert {kind: status["status"] for kind, status in both.items()} == {"stim": "complete", "rollout": "complete"}
    one = json.loads(bakehouse("runs", "start", "bread", "--kind", "rollout", "--json", env=env).stdout)
    assert one == both["rollout"] == user.call("GET", "/v1/repo/demo/targets/bread/rollout")
    shown = json.loads(bakehouse("runs", "show", "bread", "--json", env=env).stdout)
    assert shown["rollout"] == one
    assert json.loads(bakehouse("runs", "list", "--json", env=env).stdout) == user.call("GET", "/v1/repo/demo/runs")


def test_the_log_tells_of_a_run_that_was_taken_over(user: User, server: Server, gate: Gate):
    gate.shut_after(2)
    make(user, max_concurrency=1)
    env = settings(user)
    lines(bakehouse("runs", "start", "bread", env=env))
    number = user.call("GET", "/v1/repo/demo/targets/bread/rollout")["job_id"]
    [first] = server.run_workers()
    os.kill(first, signal.SIGKILL)
    gate.open()
    assert lines(bakehouse("runs", "watch", "bread", env=env))[-1][:4] == ["bread", "rollout", "complete", "6"]
    told = [line for line in server.log.read_text().splitlines() if f"Run {number}:" in line]
    place = f"rollout of {user.id}/demo bread"
    assert [f"Run {number}: the {place} is carried out" in line for line in told[:2]] == [True, True]
    assert f"Run {number}: the {place} is complete: 6 rows" in told[-1]
    [second] = server.run_workers()
    assert [f"[{pid}]" in line for pid, line in zip((first, second, second), told, strict=True)] == [True] * 3


@pytest.mark.slow
def test_a_run_that_wants_more_connections_than_files_is_carried_out_all_the_same(
    proxy: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENAI_BASE_URL", proxy.url)
    proxy.delay = 0.2
    with running(tmp_path, limited(64, "-m", "app.cli", "serve"), workers="1", run_workers="1") as server:
        user = new_user(server)
        user.call("PUT", "/v1/repo/demo/prompts/terse", {"messages": [{"role": "system", "content": "Be terse."}]})
        make(user, questions=[f"Question {number}?" for number in range(150)], max_concurrency=100)
        done = lines(bakehouse("runs", "start", "bread", "--wait", env=settings(user)))
        assert done[1][:6] == ["bread", "rollout", "complete", "300", "300", "0"]
        assert "Traceback" not in server.log.read_text()
    proxy.delay = 0


def test_a_real_model_answers(user: User, proxy: FaultyProxy, model_url: str, tmp_path: Path):
    proxy.upstream = model_url
    try:
        make(user, max_tokens=8, num_traj_per_stimulus=1)
        done = lines(bakehouse("runs", "start", "bread", "--wait", env=settings(user)))
    finally:
        proxy.upstream = None
    assert [run[2:6] for run in done] == [["complete", "3", "3", "0"], ["complete", "3", "3", "0"]]
    lines(bakehouse("runs", "export", "bread", str(tmp_path / "rows"), env=settings(user)))
    answers = [json.loads(line)["response"] for line in (tmp_path / "rows").read_text().splitlines()]
    assert [0 < answer["usage"]["completion_tokens"] <= 8 for answer in answers] == [True] * 3


def test_a_worker_that_is_told_to_end_leaves_its_runs_to_the_next_one_at_once(proxy: FaultyProxy, tmp_path: Path):
    (tmp_path / "endpoints.yml").write_text(f"- name: proxy\n  base_url: {proxy.url}\n  models: ['*']\n")
    with running(tmp_path, workers="1", run_workers="1", run_lease="3600") as server:
        gate, user = Gate(proxy, server), new_user(server)
        user.call("PUT", "/v1/repo/demo/prompts/terse", {"messages": [{"role": "system", "content": "Be terse."}]})
        make(user, max_concurrency=1)
        gate.shut_after(2)
        lines(bakehouse("runs", "start", "bread", env=settings(user)))
        gate.wait_for_rows(user, 2)
        server.process.send_signal(signal.SIGHUP)
        gate.open()
        gate.wait_for_rows(user, 6)
