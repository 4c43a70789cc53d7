"""A write that changes no content is answered with 200 and makes no commit."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.app.api.helpers import DEFAULT, MESSAGES, PROMPTS, TARGETS, TOOLS, count, drift, explain, put, show
from tests.client import Client
from tests.payloads import asking, made, target
from tests.storage.repositories import commit_files

GRANT = "/v1/repo/demo/grants/bob"
BATCH = f"{TARGETS}/batch"


def test_a_retried_put_of_a_target_on_itself_is_no_commit(app: Flask, alice: Client):
    put(alice, "t", temperature=0.5)
    body = made("t", max_tokens=9)
    first = alice.put(f"{TARGETS}/t", body)
    before, explained = count(app), explain(alice, "t")
    for again in (body, made("t"), made("t", max_tokens=9, temperature=0.5)):
        retried = alice.put(f"{TARGETS}/t", again)
        assert (retried.status_code, retried.json, retried.headers["ETag"]) == (200, first.json, first.headers["ETag"])
        assert retried.headers["Git-Commit"] == first.headers["Git-Commit"]
        alice.put(BATCH, {"targets": [{"target_name": "t", **again}]})
    assert (count(app), explain(alice, "t")) == (before, explained)
    assert [layer["layer"] for layer in explained["layers"]] == ["overrides", "template", "default"]


def test_a_put_on_itself_that_holds_on_to_a_value_of_the_template_is_a_commit_once(app: Flask, alice: Client):
    """The config is the same, but a rebase then keeps the value."""
    put(alice, "t", max_tokens=9)
    before = count(app)
    for _ in range(2):
        put(alice, "t", "t", temperature=1.0)
    assert count(app) == before + 1
    alice.put(DEFAULT, {"config": {"temperature": 0.5}})
    alice.post(f"{TARGETS}/t/rebase", {})
    assert alice.get(f"{TARGETS}/t").json["config"] == {"temperature": 1.0, "max_tokens": 9}


def test_a_retried_put_after_its_template_moved_on_is_no_commit_where_the_config_is_the_same(app: Flask, alice: Client):
    put(alice, "base", temperature=0.5)
    first = put(alice, "t", "base", temperature=0.7)
    put(alice, "base", temperature=0.6)
    before = count(app)
    assert put(alice, "t", "base", temperature=0.7) != first
    assert count(app) == before
    assert drift(alice, "t")["operations"] == []
    alice.post(f"{TARGETS}/t/rebase", {})
    alice.post(f"{TARGETS}/t/rebase", {})
    assert count(app) == before + 1


@pytest.mark.parametrize(
    "other",
    [made("other"), made("t", temperature=0.9), made("t", generators=asking("Other")), made("default")],
    ids=["template", "config", "file", "overrides"],
)
def test_a_put_that_changes_any_content_is_a_commit(app: Flask, alice: Client, other: dict[str, Any]):
    for name in ("other", "t"):
        put(alice, name, temperature=1.0, generators=asking("Ask", f"{name}.txt"))
    put(alice, "other", temperature=1.0, generators=[{"type": "custom", "template_path": "templates/t.txt"}])
    before = count(app)
    assert alice.put(f"{TARGETS}/t", other).status_code == 200
    assert count(app) == before + 1


def test_a_retried_put_with_a_question_template_is_no_commit(app: Flask, alice: Client):
    for body in (made(generators=asking("Ask")), made("t", generators=asking("Again"))):
        alice.put(f"{TARGETS}/t", body)
        before = count(app)
        alice.put(f"{TARGETS}/t", body)
        assert count(app) == before


WRITES: list[tuple[str, Callable[[Client], Any]]] = [
    ("targets/t.yml", lambda client: client.put(f"{TARGETS}/t", made(temperature=0.5))),
    ("targets/t.yml", lambda client: client.put(f"{TARGETS}/t", made("t", temperature=0.5))),
    ("targets/t.yml", lambda client: client.put(BATCH, {"targets": [target("t", temperature=0.5)]})),
    ("targets/t.yml", lambda client: client.post(f"{TARGETS}/t/rebase", {})),
    ("defaults/target.yml", lambda client: client.put(DEFAULT, client.get(DEFAULT).json)),
    ("prompts/p.yml", lambda client: client.put(f"{PROMPTS}/p", {"messages": MESSAGES, "tools": TOOLS})),
    ("prompts/q.yml", lambda client: client.post(f"{PROMPTS}/batch", {"prompts": {"q": MESSAGES}})),
    ("repo.yml", lambda client: client.put(GRANT, {"access": "read"})),
]


@pytest.mark.parametrize(("path", "write"), WRITES)
def test_a_file_in_another_form_of_yaml_is_not_rewritten_for_the_same_content(
    app: Flask, master: Client, alice: Client, path: str, write: Callable[[Client], Any]
):
    master.post("/v1/admin/users", {"user_id": "bob"})
    put(alice, "t", temperature=0.5)
    alice.put(f"{PROMPTS}/p", {"messages": MESSAGES, "tools": TOOLS})
    alice.put(f"{PROMPTS}/q", {"messages": MESSAGES})
    alice.put(GRANT, {"access": "read"})
    older = f"# as an older version wrote it\n{show(app, path)}".encode()
    repository = app.extensions["bakehouse"].store.open("alice/demo")
    then = repository.transact(commit_files({path: older}))
    before = count(app)
    assert write(alice).status_code == 200
    assert (count(app), show(app, path)) == (before, older.decode())
    if path.startswith("targets/"):
        assert alice.post(f"{TARGETS}/t/revert", {"to": f"{then}"}).status_code == 200
        assert count(app) == before


def test_a_revert_to_equal_content_in_another_form_of_yaml_is_no_commit(app: Flask, alice: Client):
    then = put(alice, "t", temperature=0.5)
    repository = app.extensions["bakehouse"].store.open("alice/demo")
    repository.transact(commit_files({"targets/t.yml": b"# older\n" + show(app, "targets/t.yml").encode()}))
    before = count(app)
    assert alice.post(f"{TARGETS}/t/revert", {"to": then}).status_code == 200
    assert count(app) == before


def test_a_prompt_with_names_in_another_order_is_other_content(app: Flask, alice: Client):
    """A model sees the order, and prompts are answered as they were sent."""
    alice.put(f"{PROMPTS}/p", {"messages": [{"role": "user", "content": "Hi"}]})
    before = count(app)
    swapped = {"messages": [{"content": "Hi", "role": "user"}]}
    alice.put(f"{PROMPTS}/p", swapped)
    assert count(app) == before + 1
    alice.post(f"{PROMPTS}/batch", {"prompts": {"p": swapped["messages"]}})
    assert count(app) == before + 1
