"""What tests of the API share: paths, requests, other users, and git's view of alice's repo `demo`."""

from collections.abc import Callable
from typing import Any

from flask import Flask

from tests.client import Client
from tests.payloads import made
from tests.storage.repositories import git

FILES = "/v1/repo/demo/question-templates"
TARGETS = "/v1/repo/demo/targets"
PROMPTS = "/v1/repo/demo/prompts"
DEFAULT = "/v1/repo/demo/defaults/target"
TOKENS = "/v1/admin/users/alice/tokens"

Limited = Callable[..., Client]  # makes a server with the limits that are given, and a client of it

MESSAGES = [{"role": "system", "content": "You are terse.\n"}, {"role": "user", "content": "Hello"}]
# What the names in the paths of routes may be, once a test has made these.
NAMES = {
    "repo_name": "demo",
    "target_name": "a",
    "prompt_name": "p",
    "file_name": "ask.txt",
    "tag_name": "v1",
    "label_name": "production",
    "token_name": "initial",
    "run_key": "0" * 64,
    "user_id": "alice",
}

TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"b": {}, "a": None}}}]


def demo(app: Flask, *arguments: str, stdin: str = "") -> str:
    """Return what git says of alice's repo."""
    return git(app.extensions["bakehouse"].settings.data_dir / "repos/alice/demo.git", *arguments, stdin=stdin)


def show(app: Flask, path: str) -> str:
    """Return a file of alice's repo."""
    return demo(app, "show", f"main:{path}")


def log(app: Flask, *arguments: str) -> str:
    """Return some of the history of alice's repo."""
    return demo(app, "log", *arguments)


def new_user(master: Client, user_id: str) -> Client:
    """Create a user, and return a client with their token."""
    return Client(master.app, master.post("/v1/admin/users", {"user_id": user_id}).json["api_key"])


def new_token(master: Client, **fields: Any) -> Client:
    """Give alice a token, and return a client that uses it."""
    made = master.post(TOKENS, {"name": "ci", **fields})
    assert made.status_code == 201, made.text
    return Client(master.app, made.json["api_key"])


def explain(client: Client, name: str, ref: str | None = None) -> dict[str, Any]:
    """Return the explanation of a target; its `fields` and `removed` are dicts by JSON Pointer."""
    answer = client.get(f"{TARGETS}/{name}/explain{f'?ref={ref}' if ref else ''}")
    assert answer.status_code == 200, answer.text
    by_place = {kind: {field["field"]: field for field in answer.json[kind]} for kind in ("fields", "removed")}
    return {**answer.json, **by_place}


def said(values: list[dict[str, Any]]) -> list[tuple[str, str, Any]]:
    """Return values as (kind of layer, name of layer, value)."""
    return [(value["layer"], value["name"], value["value"]) for value in values]


def put(client: Client, name: str, template: str = "default", **overrides: Any) -> str:
    """Create or replace a target, and return the commit."""
    return client.put(f"{TARGETS}/{name}", made(template, **overrides)).headers["Git-Commit"]


def drift(client: Client, name: str, query: str = "") -> dict[str, Any]:
    """Return the drift of a target."""
    answer = client.get(f"{TARGETS}/{name}/drift{query}")
    assert answer.status_code == 200, answer.text
    return answer.json


def descendants(client: Client, name: str, query: str = "") -> list[tuple[str, int, str]]:
    """Return the targets made from a target, as (name, depth, state)."""
    found = client.get(f"{TARGETS}/{name}/descendants{query}").json["descendants"]
    return [(each["target_name"], each["depth"], each["state"]) for each in found]


def count(app: Flask) -> int:
    """Return how many commits are on the branch, as git counts them."""
    return int(demo(app, "rev-list", "--count", "main"))
