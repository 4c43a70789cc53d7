"""`/targets/{target_name}/history` and `/prompts/{prompt_name}/history`: the changes of one file."""

import pytest
from flask import Flask

from tests.app.api.helpers import MESSAGES, PROMPTS, TARGETS, TOOLS, demo, new_user
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import target
from tests.storage.repositories import off_the_branch, two_alike
from tests.timeline import LOG, TEN, commits, demo_repository, pages, put_target, rev_list, set_clock

HISTORY = f"{TARGETS}/a/history"


def test_a_version_has_author_time_and_changed_fields(app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch):
    first = put_target(alice, "a", temperature=0.7, max_tokens=5)
    put_target(alice, "b", temperature=0.7)
    set_clock(monkeypatch, TEN)
    second = put_target(alice, "a", temperature=0.9, student_prompt="p")
    answer = alice.get(HISTORY)
    newest, oldest = answer.json["commits"]
    assert newest == {
        "commit": second,
        "author": {"name": "Alice", "email": "alice@example.org", "user": "alice", "token": "initial"},
        "time": TEN,
        "subject": "a: 3 fields",
        "reason": None,
        "action": "updated",
        "version": demo(app, "rev-parse", "main:targets/a.yml").strip(),
        "changes": [
            {"field": "/max_tokens", "old": 5},
            {"field": "/temperature", "old": 0.7, "new": 0.9},
            {"field": "/student_prompt", "new": "p"},
        ],
    }
    assert (oldest["commit"], oldest["action"], oldest["subject"]) == (
        first,
        "created",
        "Create a from default: 2 fields",
    )
    assert {"field": "/max_tokens", "new": 5} in oldest["changes"]
    assert (answer.json["next"], answer.headers["Git-Commit"]) == (None, second)


def test_history_lists_the_commits_that_git_lists(app: Flask, alice: Client):
    for number in range(6):
        put_target(alice, "a", max_tokens=number + 1)
        put_target(alice, "b", max_tokens=number + 1)
    alice.delete(f"{TARGETS}/a")
    expected = rev_list(app, "main", "--", "targets/a.yml")
    assert len(expected) == 7
    for limit in (1, 3, 6, 7, 100):
        whole = [expected[start : start + limit] for start in range(0, 7, limit)]
        assert pages(alice, f"limit={limit}", HISTORY) == whole
    versions = [entry["version"] for entry in alice.get(HISTORY).json["commits"]]
    assert versions[1:] == [demo(app, "rev-parse", f"{commit}:targets/a.yml").strip() for commit in expected[1:]]


def test_a_page_may_start_at_any_commit_of_the_repo(alice: Client):
    made = [put_target(alice, name, max_tokens=5) for name in ("a", "b")]
    made.append(put_target(alice, "a", max_tokens=6))
    assert commits(alice, f"before={made[2]}", HISTORY) == [made[0]]
    assert commits(alice, f"before={made[1]}", HISTORY) == [made[0]]
    assert commits(alice, f"before={made[0][:12]}", HISTORY) == []
    assert commits(alice, f"ref={made[1]}", HISTORY) == [made[0]]
    made.append(put_target(alice, "a", max_tokens=7))
    assert commits(alice, f"ref={made[0]}&before={made[3]}", HISTORY) == [made[0]]


def test_history_of_a_deleted_target_can_be_read(alice: Client):
    first = put_target(alice, "a", temperature=0.5)
    deleted = alice.delete(f"{TARGETS}/a").headers["Git-Commit"]
    entry = alice.get(HISTORY).json["commits"][0]
    assert (entry["commit"], entry["action"], entry["version"]) == (deleted, "deleted", None)
    assert {"field": "/temperature", "old": 0.5} in entry["changes"]
    again = put_target(alice, "a", temperature=0.75)
    assert commits(alice, "", HISTORY) == [again, deleted, first]
    entry = alice.get(HISTORY).json["commits"][0]
    assert entry["action"] == "created"
    assert {"field": "/temperature", "new": 0.75} in entry["changes"]
    version = alice.get(f"{TARGETS}/a?ref={first}").json["config"]
    assert version["temperature"] == 0.5


def test_prompts_have_a_history(app: Flask, alice: Client):
    alice.put(f"{PROMPTS}/p", {"messages": MESSAGES})
    alice.put(f"{PROMPTS}/p", {"messages": [MESSAGES[0], {**MESSAGES[1], "content": "Bye"}], "tools": TOOLS})
    alice.delete(f"{PROMPTS}/p")
    answer = alice.get(f"{PROMPTS}/p/history").json
    deleted, updated, created = answer["commits"]
    assert created["changes"] == [{"field": "/messages", "new": MESSAGES}]
    assert updated["changes"] == [
        {"field": "/messages/1/content", "old": "Hello", "new": "Bye"},
        {"field": "/tools", "new": TOOLS},
    ]
    assert [entry["action"] for entry in answer["commits"]] == ["deleted", "updated", "created"]
    assert {change["field"] for change in deleted["changes"]} == {"/messages", "/tools"}
    assert pages(alice, "limit=2", f"{PROMPTS}/p/history") == [rev_list(app)[:2], rev_list(app)[2:3]]
    assert commits(alice, f"ref={updated['commit']}", f"{PROMPTS}/p/history") == rev_list(app)[1:3]
    put_target(alice, "p", temperature=0.5)
    assert commits(alice, "", f"{PROMPTS}/p/history") == rev_list(app)[1:4]


def test_a_batch_is_in_the_history_of_each_of_its_targets(alice: Client):
    batch = {"targets": [target("a", temperature=0.5), target("b", "a", max_tokens=5)]}
    alice.post(f"{TARGETS}/batch", batch)
    [of_a], [of_b] = (alice.get(f"{TARGETS}/{name}/history").json["commits"] for name in "ab")
    assert [of_a["commit"]] == [of_b["commit"]] == commits(alice, "limit=1")
    assert {"field": "/template", "new": "a"} in of_b["changes"]


def test_history_shows_a_changed_template_and_changed_overrides(alice: Client):
    put_target(alice, "base", temperature=0.5)
    put_target(alice, "a", temperature=0.5)
    alice.put(f"{TARGETS}/a", {"template": "base", "overrides": {}})
    alice.put(f"{TARGETS}/a", {"template": "base", "overrides": {"temperature": 0.5}})
    overrides, template, _ = alice.get(HISTORY).json["commits"]
    fields = {change["field"]: change for change in template["changes"]}
    assert fields.keys() == {"/template", "/template_version"}
    assert fields["/template"] == {"field": "/template", "old": "default", "new": "base"}
    assert overrides["changes"] == [{"field": "/overrides/temperature", "new": 0.5}]


def test_history_shows_a_changed_question_template(app: Flask, alice: Client):
    for content in ("one", "two"):
        generator = {"type": "custom", "template_path": "ask.txt", "template_content": content}
        put_target(alice, "a", generators=[generator])
    entry = alice.get(HISTORY).json["commits"][0]
    old, new = (demo(app, "rev-parse", f"main{back}:templates/ask.txt").strip() for back in ("~1", ""))
    assert entry["changes"] == [{"field": "/files/templates~1ask.txt", "old": old, "new": new}]
    files = {file["path"]: file for file in alice.get(f"{LOG}?limit=1").json["commits"][0]["files"]}
    assert files["templates/ask.txt"]["changes"] == []
    assert files["templates/ask.txt"]["version"] == new


def test_history_of_an_unknown_target_is_answered_404(app: Flask, alice: Client):
    first = put_target(alice, "b", temperature=0.5)
    put_target(alice, "a", temperature=0.5)
    alice.put(f"{PROMPTS}/p", {"messages": []})
    assert_error(alice.get(f"{TARGETS}/p/history"), 404, "RESOURCE_NOT_FOUND", "Target 'p'")
    assert_error(alice.get(f"{PROMPTS}/a/history"), 404, "RESOURCE_NOT_FOUND", "Prompt 'a'")
    assert_error(alice.get(f"{HISTORY}?ref={first}"), 404, "RESOURCE_NOT_FOUND", "Target 'a'")
    assert_error(alice.get("/v1/repo/nope/targets/a/history"), 404, "RESOURCE_NOT_FOUND", "Repo 'nope'")
    stray = off_the_branch(demo_repository(app))
    for before in ("0000", stray, stray[:12]):
        for path in (HISTORY, f"{PROMPTS}/p/history"):
            assert_error(alice.get(f"{path}?before={before}"), 404, "RESOURCE_NOT_FOUND", before)
    one, _ = demo_repository(app).transact(two_alike)
    assert_error(alice.get(f"{HISTORY}?before={one[:4]}"), 409, "RESOURCE_CONFLICT", one[:4])


def test_wrong_page_parameters_of_a_history_are_refused(alice: Client):
    for query, location, kind in (
        ("limit=0", "limit", "greater_than_equal"),
        ("limit=101", "limit", "less_than_equal"),
        ("limit=x", "limit", "int_parsing"),
        ("before=x", "before", "string_pattern_mismatch"),
        ("ref=-x", "ref", "string_pattern_mismatch"),
    ):
        for path in (HISTORY, f"{PROMPTS}/p/history"):
            assert_mistakes(alice.get(f"{path}?{query}"), (["query", location], kind))
    named = alice.get(f"{TARGETS}/default/history")
    assert_mistakes(named, (["path", "target_name"], "string_pattern_mismatch"))
    named = alice.get(f"{PROMPTS}/.x/history")
    assert_mistakes(named, (["path", "prompt_name"], "string_pattern_mismatch"))


def test_history_needs_read_access(master: Client, alice: Client):
    bob = new_user(master, "bob")
    put_target(alice, "a", temperature=0.5)
    assert_error(bob.get(HISTORY), 404, "RESOURCE_NOT_FOUND", "Repo 'demo'")
    for path in (HISTORY, f"{TARGETS}/nope/history", f"{HISTORY}?ref=nope"):
        assert_error(bob.get(path, X_User_Id="alice"), 403, "FORBIDDEN", "'alice'")
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    assert bob.get(HISTORY, X_User_Id="alice").json == alice.get(HISTORY).json
