"""The scripts in examples/ do what their headers say, against a real server."""

import json
import os
import re
import subprocess
import sys
import tarfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.runs.models import endpoints
from tests.e2e.conftest import User, call, new_user
from tests.e2e.operators import Operator, endpoint, wait_for_worker
from tests.e2e.pages import ROOT, install_commands
from tests.faulty_proxy import FaultyProxy
from tests.replies import FORBIDDEN, OVERFLOW
from tests.server import MASTER_KEY, running

TARGETS = "/v1/repo/demo/targets"


def run(user: User, folder: Path, script: str, *arguments: str, token: str = "") -> subprocess.CompletedProcess[str]:
    """Run an example in a folder, with the settings that its header names."""
    path = ROOT / "examples" / script
    command = [sys.executable, "-W", "error", path] if path.suffix == ".py" else [path]
    given = {
        "PATH": f"{folder / '.venv/bin'}:{os.environ['PATH']}",
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "BREAD_BASE_URL": user.server.url,
        "BREAD_API_KEY": token or user.token,
    }
    return subprocess.run([*command, *arguments], cwd=folder, env=given, capture_output=True, text=True, timeout=120)


def test_each_example_is_tested():
    text = Path(__file__).read_text()
    names = [path.name for path in (ROOT / "examples").iterdir()]
    assert len(names) >= 3
    assert not [name for name in names if f'"{name}"' not in text]


def sweep(user: User, folder: Path, *temperatures: str, name: str = "november") -> subprocess.CompletedProcess[str]:
    chosen = ("--temperatures", *temperatures, "--max-tokens", "150", "300")
    return run(user, folder, "sweep.py", "demo", "base", name, *chosen)


def test_a_sweep_is_one_commit_with_a_tag(user: User, tmp_path: Path):
    user.call("POST", TARGETS, {"target_name": "base", "template": "default"})
    done = sweep(user, tmp_path, "0.2", "0.8")
    assert done.returncode == 0, done.stderr
    names = [f"november-t{temperature}-m{tokens}" for temperature in (0.2, 0.8) for tokens in (150, 300)]
    assert done.stdout.split() == names
    assert user.call("GET", TARGETS)["targets"] == ["base", *names]
    config = user.call("GET", f"{TARGETS}/november-t0.8-m300")["config"]
    assert (config["temperature"], config["max_tokens"]) == (0.8, 300)
    newest = user.call("GET", "/v1/repo/demo/log?limit=1")["commits"][0]
    assert len(newest["files"]) == 4
    assert user.call("GET", "/v1/repo/demo/tags/november")["commit"] == newest["commit"]
    again = sweep(user, tmp_path, "0.2", "0.8")
    assert (again.returncode, again.stdout) == (0, done.stdout)
    assert user.call("GET", "/v1/repo/demo/log?limit=1")["commits"][0] == newest


@pytest.mark.parametrize(
    ("name", "temperature", "reason"),
    [
        ("november", "9.5", "2.0 or less"),
        ("november", "0.2", "already exists"),
        ("no name", "0.2", "must start"),
    ],
)
def test_a_sweep_that_cannot_be_made_makes_nothing(
    user: User, tmp_path: Path, name: str, temperature: str, reason: str
):
    user.call("POST", TARGETS, {"target_name": "base", "template": "default"})
    taken = {"target_name": "november-t0.2-m150", "template": "default", "overrides": {"max_tokens": 1}}
    user.call("POST", TARGETS, taken)
    done = sweep(user, tmp_path, "0.8", temperature, name=name)
    assert done.returncode == 1
    assert reason in done.stderr
    assert user.call("GET", TARGETS)["targets"] == ["base", "november-t0.2-m150"]
    assert user.call("GET", "/v1/repo/demo/tags")["tags"] == []


def test_an_audit_of_a_field(user: User, tmp_path: Path):
    for name, template, temperature in (("base", "default", 0.2), ("top", "base", 0.7), ("top", "top", 1.5)):
        body = {"template": template, "overrides": {"temperature": temperature}}
        user.call("PUT", f"{TARGETS}/{name}", body)
    user.call("POST", "/v1/repo/demo/tags", {"name": "noon"})
    user.call("DELETE", f"{TARGETS}/top")
    user.call("POST", f"{TARGETS}/top/revert", {"to": "noon"})
    user.call("PUT", f"{TARGETS}/top", {"template": "top", "overrides": {"temperature": 1.9}})
    done = run(user, tmp_path, "audit.py", "demo", "top", "temperature", "--at", "noon")
    assert done.returncode == 0, done.stderr
    who = re.escape(f"Una <{user.id}@")
    changed = re.findall(rf"^  \S+Z  {who}\S+>  (.*)  \([0-9a-f]{{7}}\)$", done.stdout, re.MULTILINE)
    assert changed[0] == "1.5 → 1.9"
    assert changed[-2:] == ["0.7 → 1.5", "null → 0.7"]
    assert "  1.9 was set by top, in " in done.stdout
    assert "  0.2 of base does not count\n  1.0 of default does not count\n" in done.stdout
    assert done.stdout.endswith("What was in force at noon?\n  1.5\n")
    missing = run(user, tmp_path, "audit.py", "demo", "gone", "temperature")
    assert missing.returncode == 1
    assert "404" in missing.stderr


def test_a_nightly_job_clones_pulls_verifies_and_exports(user: User, tmp_path: Path):
    install_commands(tmp_path)
    asked = {"name": "nightly", "access": "read", "repos": ["demo"]}
    token = call(user.server, MASTER_KEY, "POST", f"/v1/admin/users/{user.id}/tokens", asked)["api_key"]
    for name in ("first", "second"):
        user.call("POST", TARGETS, {"target_name": name, "template": "default"})
        done = run(user, tmp_path, "nightly.sh", user.id, f"{user.id}/demo", str(tmp_path), token=token)
        assert done.returncode == 0, done.stderr
        assert "Nothing found." in done.stderr
        with tarfile.open(done.stdout.strip()) as archive:
            assert f"demo/targets/{name}.yml" in archive.getnames()
    assert token not in (tmp_path / "demo/.git/config").read_text()


def test_a_nightly_job_exports_nothing_that_is_wrong(user: User, tmp_path: Path):
    install_commands(tmp_path)
    user.call("POST", TARGETS, {"target_name": "first", "template": "default"})
    job = ("nightly.sh", user.id, f"{user.id}/demo", str(tmp_path))
    assert run(user, tmp_path, *job).returncode == 0
    archive = next(tmp_path.glob("demo-*.tar.gz"))
    archive.unlink()
    target = tmp_path / "demo/targets/first.yml"
    target.write_text(target.read_text().replace("temperature: 1.0", "temperature: 2.0"))
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", "-C", tmp_path / "demo", *identity, "commit", "-qam", "by hand"], check=True)
    done = run(user, tmp_path, *job)
    assert done.returncode == 1
    assert "targets/first.yml" in done.stderr
    assert not list(tmp_path.glob("demo-*"))


def test_an_endpoint_answers_without_a_model():
    command = [sys.executable, "-W", "error", ROOT / "examples" / "endpoint.py"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            lines = b"".join(process.stdout.readline() for _ in range(3))
            (endpoint,) = endpoints.parse(lines)
            body = {"model": "small", "messages": [{"role": "user", "content": "Why?"}], "max_tokens": 2}
            request = urllib.request.Request(f"{endpoint.base_url}/chat/completions", json.dumps(body).encode())
            with urllib.request.urlopen(request, timeout=60) as response:
                answer = json.load(response)
        finally:
            process.kill()
    assert (endpoint.name, endpoint.models) == ("parrot", ("*",))
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "You said:"}
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"] == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


@pytest.fixture
def baker(tmp_path: Path, proxy: FaultyProxy) -> Iterator[User]:
    """A user with two targets, on a server that carries out runs."""
    with running(tmp_path / "data", run_workers="1") as server:
        Operator(tmp_path / "data").list_endpoints(endpoint("fast", proxy.url, "*"))
        baker = new_user(server)
        wait_for_worker(baker)
        for name in ("first", "second"):
            put_target(baker, name)
        yield baker


def put_target(baker: User, name: str, **overrides: Any) -> None:
    generators = [{"type": "hardcoded", "questions": ["Why?", "How?", "Who?", "When?"]}]
    config = {"teacher_prompt": "kind", "student_prompt": "kind", "generators": generators, "num_traj_per_stimulus": 3}
    baker.call("PUT", f"{TARGETS}/{name}", {"template": "default", "overrides": config | overrides})


def test_nightly_data_is_made_once_and_again_after_a_change(baker: User, tmp_path: Path, proxy: FaultyProxy):
    job = ("nightly_data.py", "demo", str(tmp_path), "first", "second")
    done = run(baker, tmp_path, *job)
    assert done.returncode == 0, done.stderr
    files = [Path(name) for name in done.stdout.split()]
    for file, name in zip(files, ("first", "second"), strict=True):
        key = baker.call("GET", f"{TARGETS}/{name}/rollout")["key"]
        assert file.name == f"{name}-{key[:12]}.jsonl"
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert len(lines) == 12
        assert [message["role"] for message in lines[0]["messages"]] == ["system", "user", "assistant"]
    seen, kept = len(proxy.seen), files[0].stat()
    again = run(baker, tmp_path, *job)
    assert (again.returncode, again.stdout, len(proxy.seen)) == (0, done.stdout, seen)
    put_target(baker, "second", temperature=0.3)
    changed = run(baker, tmp_path, *job).stdout.split()
    assert (changed[0], files[0].stat()) == (str(files[0]), kept)
    assert changed[1] not in done.stdout
    assert len(list(tmp_path.glob("*.jsonl"))) == 3


def test_nightly_data_tells_what_cannot_be_made(baker: User, tmp_path: Path, proxy: FaultyProxy):
    put_target(baker, "first", teacher_prompt="gone")
    proxy.replies(OVERFLOW)
    job = ("nightly_data.py", "demo", str(tmp_path), "first", "second")
    done = run(baker, tmp_path, *job)
    assert done.returncode == 1
    assert [Path(line).name[:7] for line in done.stdout.split()] == ["second-"]
    assert "first: " in done.stderr
    assert "there is no prompt 'gone'" in done.stderr
    assert "second: 1 of 12 samples have no answer" in done.stderr
    proxy.rule = lambda _: FORBIDDEN
    put_target(baker, "second", temperature=0.3)
    done = run(baker, tmp_path, *job)
    assert (done.returncode, done.stdout) == (1, "")
    assert "second: failed: " in done.stderr
    assert len(list(tmp_path.glob("*.jsonl"))) == 1
