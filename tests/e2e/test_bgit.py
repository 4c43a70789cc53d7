"""The published `bgit`, unchanged, from its first command to its bake step, which Bakehouse does not have."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import node
from tests.e2e.conftest import User, new_user
from tests.e2e.operators import Operator, endpoint, wait_for_worker, with_questions
from tests.faulty_proxy import FaultyProxy
from tests.server import running


@pytest.fixture
def user(tmp_path: Path, proxy: FaultyProxy) -> Iterator[User]:
    """A user of a server whose operator serves every model, and has the data set that bgit's example names."""
    with running(tmp_path / "data", run_workers="1") as server:
        proxy.rule = with_questions(proxy)
        operator = Operator(tmp_path / "data")
        operator.list_endpoints(endpoint("fast", proxy.url, "*", max_concurrency=64))
        operator.put_dataset("squad", [f"Question {at}?" for at in range(100)])
        user = new_user(server)
        wait_for_worker(user)
        yield user


@pytest.fixture
def bgit(user: User, tmp_path: Path) -> "Bgit":
    """The bgit that `bgit/package.json` names, for the user."""
    return Bgit(node.installed(Path(__file__).parent / "bgit"), user, tmp_path)


class Bgit:
    """bgit as a user runs it, in a folder."""

    def __init__(self, packages: Path, user: User, home: Path) -> None:
        names = {
            f"GIT_{role}_{part}": "una@example.org" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")
        }
        self.environment = names | {
            "PATH": f"{packages / 'node_modules/.bin'}:{os.environ['PATH']}",  # bgit's hook calls bgit
            "HOME": str(home),
            "BREAD_BASE_URL": user.server.url,
            "BREAD_API_KEY": user.token,
        }

    def run(self, folder: Path, *arguments: str, fails: bool = False) -> str:
        """Return what a command prints."""
        done = subprocess.run(
            ["bgit", *arguments], cwd=folder, env=self.environment, capture_output=True, text=True, timeout=120
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def folder(bgit: Bgit, tmp_path: Path) -> Path:
    """The folder that `bgit init` makes, with an example: fewer questions are wanted, and a student prompt is there."""
    assert "Your model repository is ready!" in bgit.run(tmp_path, "init", "yoda")
    example = tmp_path / "yoda/input.yml"
    text = example.read_text()
    for wanted, fewer in (("numq: 120", "numq: 20"), ("numq: 28", "numq: 8"), ("per_stimulus: 5", "per_stimulus: 2")):
        assert wanted in text
        text = text.replace(wanted, fewer)
    student = "  student:\n    messages: []\n"
    example.write_text(text.replace("\n# TARGET Configuration", f"{student}\n# TARGET Configuration"))
    bgit.run(tmp_path / "yoda", "add", ".")
    bgit.run(tmp_path / "yoda", "commit", "-m", "Fewer questions")
    return tmp_path / "yoda"


def test_bgit_comes_to_its_bake_step(bgit: Bgit, user: User, folder: Path, proxy: FaultyProxy):
    assert "not found" in bgit.run(folder, "status")
    printed = bgit.run(folder, "run", "stim", "rollout", "bake", fails=True)
    assert re.search(r"Error: Failed to create bake 'bake1_[0-9a-f]+' \(HTTP 404\)", printed)
    assert "There is nothing at /v1/repo/yoda/bakes." in " ".join(printed.split())
    [target] = user.call("GET", "/v1/repo/yoda/targets")["targets"]
    assert target.startswith("target1_")
    config = user.call("GET", f"/v1/repo/yoda/targets/{target}")["config"]
    assert user.call("GET", f"/v1/repo/yoda/prompts/{config['student_prompt']}")["messages"] == []
    stim, rollout = (user.call("GET", f"/v1/repo/yoda/targets/{target}/{kind}") for kind in ("stim", "rollout"))
    assert (stim["status"], stim["lines"]) == ("complete", 30)
    assert (rollout["status"], rollout["lines"], rollout["failed_rows"]) == ("complete", 60, 0)

    status = bgit.run(folder, "status")
    assert f"{target}: complete (100%) - 30 lines" in status
    assert f"{target}: complete (100%) - 60 lines" in status
    assert "ROLLOUT Count: 60" in bgit.run(folder, "rollout", "--count")
    assert "You are Yoda." in bgit.run(folder, "rollout", "--limit", "1")
    proxy.seen.clear()
    bgit.run(folder, "run", "stim", "rollout")
    assert proxy.seen == []
