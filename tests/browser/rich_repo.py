"""A repo that has everything pages can show, made through the API of a running server."""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests import page_routes
from tests.e2e.conftest import User, call
from tests.server import MASTER_KEY, Server


@dataclass(frozen=True)
class Texts:
    """What people wrote, wherever they may write what they like."""

    alias: str = "Alice Baker"
    prompt: str = "You bake bread, and answer in one sentence."
    value: str = "weekly"
    reason: str = "The oven is hotter now"
    question: str = "Why does bread rise?"
    message: str = "The first release"
    model: str = "Qwen/Qwen3-32B"


@dataclass(frozen=True)
class RichRepo:
    """A repo `demo` of a user, and what is in it by the names in addresses."""

    user: User
    names: dict[str, str]


def make(server: Server, user_id: str, texts: Texts) -> RichRepo:
    """Make a user with a repo: prompts, a family of targets, history, a tag, labels, a grant, tokens, runs."""
    made = call(
        server,
        MASTER_KEY,
        "POST",
        "/v1/admin/users",
        {"user_id": user_id, "user_alias": texts.alias, "user_email": "a@example.org"},
    )
    user = User(server, user_id, made["api_key"])
    user.call("POST", "/v1/repo", {"repo_name": "demo"})
    change = _Changes(user, quote(texts.reason))
    _write_prompts(change, texts)
    _write_targets(change, texts)
    change("POST", "tags", {"name": "v1", "message": texts.message})
    change("PUT", "labels/production", {"ref": "v1"})
    change(
        "PUT",
        "targets/base",
        _made("default", temperature=0.4, teacher_prompt="system", student_prompt="student", **_questions(texts)),
    )
    change("PUT", "defaults/target", {"config": {"model_name": texts.model, "generators": []}})
    change("DELETE", "targets/gone")
    change("PUT", "labels/staging", {"ref": "main"})
    change("PUT", "labels/production", {"ref": "main"})
    change("PUT", "labels/production", {"ref": "v1"})
    call(server, MASTER_KEY, "POST", "/v1/admin/users", {"user_id": f"{user_id}-guest"})
    change("PUT", f"grants/{user_id}-guest", {"access": "read"})
    for whose in (user_id, f"{user_id}-guest"):
        call(server, MASTER_KEY, "POST", f"/v1/admin/users/{whose}/tokens", {"name": "reader", "access": "read"})
    keys = [_carry_out(user, kind) for kind in ("stim", "rollout")]
    return RichRepo(user, page_routes.NAMES | {"owner": user_id, "user_id": f"{user_id}-guest", "run_key": keys[1]})


@dataclass(frozen=True)
class _Changes:
    """Changes of the repo `demo`, each with its reason."""

    user: User
    reason: str

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        return self.user.call(method, f"/v1/repo/demo/{path}", body, X_Change_Reason=self.reason)


def _write_prompts(change: _Changes, texts: Texts) -> None:
    tool = {"type": "function", "function": {"name": "look_up", "description": texts.prompt, "parameters": {}}}
    for content in ("You bake.", texts.prompt):
        messages = [{"role": "system", "content": content}, {"role": "user", "content": texts.question}]
        change("PUT", "prompts/system", {"messages": messages, "tools": [tool]})
    change("PUT", "prompts/student", {"messages": [{"role": texts.value, "content": texts.prompt}]})


def _write_targets(change: _Changes, texts: Texts) -> None:
    own = {"extra_kwargs": {"season": texts.value, texts.value: [texts.value, {"deep": texts.value}]}}
    template = {"type": "custom", "template_path": "ask.txt", "template_content": texts.question, "numq": 1}
    change(
        "PUT",
        "targets/base",
        _made("default", temperature=0.2, teacher_prompt="system", student_prompt="student", **_questions(texts)),
    )
    change("PUT", "targets/nightly", _made("base", max_tokens=90))
    change("PUT", "targets/nightly", _made("base", num_traj_per_stimulus=2, model_name=texts.model, **own))
    change("PUT", "targets/asking", _made("nightly", generators=[template]))
    change("PUT", "targets/gone", _made("default", temperature=1))
    sweep = [{"target_name": f"sweep_{at:02}", **_made("nightly", temperature=at / 100)} for at in range(60)]
    change("POST", "targets/batch", {"targets": sweep})


def _made(template: str, **overrides: Any) -> dict[str, Any]:
    return {"template": template, "overrides": overrides}


def _questions(texts: Texts) -> dict[str, Any]:
    return {"generators": [{"type": "hardcoded", "questions": [texts.question, "What is a sourdough?"]}]}


def _carry_out(user: User, kind: str) -> str:
    address = f"/v1/repo/demo/targets/nightly/{kind}"
    user.call("POST", address, {})
    while (status := user.call("GET", address))["status"] != "complete":
        assert status["status"] == "running", status
        time.sleep(0.1)
    return str(status["key"])
