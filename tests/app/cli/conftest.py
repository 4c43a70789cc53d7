"""A data directory with every kind of file in it, and a clone of its repo."""

from pathlib import Path

import pytest
from flask import Flask

from tests.client import Client
from tests.payloads import target
from tests.storage.repositories import git


@pytest.fixture
def data_dir(app: Flask, master: Client, alice: Client) -> Path:
    """A data directory with targets, prompts, defaults, question templates, users and grants."""
    for name in ("system_prompt_v1", "user_prompt_v1"):
        alice.put(f"/v1/repo/demo/prompts/{name}", {"messages": [{"role": "system", "content": "Hello"}]})
    alice.post("/v1/repo/demo/targets", target("coding_target"))
    alice.post("/v1/repo/demo/targets", target("calm_target", "coding_target", temperature=0.1))
    files = {"generators": [{"type": "oneshot_qs", "template_content": "Ask:\n"}]}
    alice.put("/v1/repo/demo/targets/asking_target", {"template": "default", "overrides": files})
    alice.put("/v1/repo/demo/targets/coding_target", {"template": "coding_target", "overrides": {"max_tokens": 9}})
    alice.put("/v1/repo/demo/targets/calm_target", {"template": "calm_target", "overrides": {"extra_kwargs": None}})
    alice.put("/v1/repo/demo/defaults/target", {"config": {"temperature": 0.5, **files}})
    alice.post("/v1/repo/demo/targets/asking_target/rebase", {})
    alice.delete("/v1/repo/demo/targets/coding_target")
    alice.put("/v1/repo/demo/prompts/terse", {"messages": [{"role": "system", "content": " Be \n terse."}]})
    master.post("/v1/admin/users", {"user_id": "bob"})
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    path: Path = app.extensions["bakehouse"].settings.data_dir
    return path


@pytest.fixture
def clone(data_dir: Path, tmp_path: Path) -> Path:
    path = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(data_dir / "repos/alice/demo.git"), str(path))
    return path
