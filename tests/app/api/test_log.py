"""`/v1/repo/{repo_name}/log`: what happened in a repo, who did it, and which fields changed."""

import pytest
from flask import Flask

from app.registry.audit import history
from tests.app.api.helpers import TARGETS, demo, new_user
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import target
from tests.storage.repositories import off_the_branch, two_alike
from tests.timeline import LOG, TEN, commits, demo_repository, pages, put_target, rev_list, set_clock


def test_an_entry_has_author_time_subject_and_changed_fields(
    app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch
):
    put_target(alice, "a", temperature=0.7, max_tokens=5, extra_kwargs={"list": [1]})
    set_clock(monkeypatch, TEN)
    commit = put_target(alice, "a", temperature=0.9, extra_kwargs={"list": [None], "b/c": 0})
    answer = alice.get(f"{LOG}?limit=1")
    assert answer.json["commits"] == [
        {
            "commit": commit,
            "author": {"name": "Alice", "email": "alice@example.org", "user": "alice", "token": "initial"},
            "time": TEN,
            "subject": "a: 4 fields",
            "reason": None,
            "files": [
                {
                    "path": "targets/a.yml",
                    "action": "updated",
                    "version": demo(app, "rev-parse", "main:targets/a.yml").strip(),
                    "changes": [
                        {"field": "/max_tokens", "old": 5},
                        {"field": "/temperature", "old": 0.7, "new": 0.9},
                        {"field": "/extra_kwargs/list/0", "old": 1, "new": None},
                        {"field": "/extra_kwargs/b~1c", "new": 0},
                    ],
                }
            ],
        }
    ]
    assert (answer.json["next"], answer.headers["Git-Commit"]) == (commit, commit)


def test_created_and_deleted_files_have_one_sided_changes(alice: Client):
    alice.post(TARGETS, target("a", temperature=0.5))
    alice.delete(f"{TARGETS}/a")
    deleted, created = (entry["files"][0] for entry in alice.get(f"{LOG}?limit=2").json["commits"])
    assert [created["action"], deleted["action"], deleted["version"]] == ["created", "deleted", None]
    assert {"field": "/temperature", "new": 0.5} in created["changes"]
    assert {"field": "/template", "new": "default"} in created["changes"]
    turned = [{"field": change["field"], "old": change["new"]} for change in created["changes"]]
    assert deleted["changes"] == turned


def test_log_of_a_new_repo_has_its_first_commit(alice: Client):
    page = alice.get(LOG).json
    assert [entry["subject"] for entry in page["commits"]] == ["Create repo demo"]
    assert page["next"] is None
    changes = {file["path"]: file["changes"] for file in page["commits"][0]["files"]}
    assert changes.keys() == {".gitattributes", "README.md", "defaults/target.yml", "repo.yml"}
    assert changes["README.md"] == []
    assert {"field": "/base_model", "new": "Qwen/Qwen3-32B"} in changes["repo.yml"]


def test_pages_have_every_commit_once_newest_first(app: Flask, alice: Client):
    for number in range(7):
        put_target(alice, "a", max_tokens=number + 1)
    expected = rev_list(app)
    assert len(expected) == 8
    for limit in (1, 2, 3, 7, 8, 100):
        whole = [expected[start : start + limit] for start in range(0, 8, limit)]
        assert pages(alice, f"limit={limit}") == whole


def test_a_page_has_twenty_commits_by_default(app: Flask, alice: Client):
    for number in range(20):
        put_target(alice, "a", max_tokens=number + 1)
    assert commits(alice) == rev_list(app)[:20]


def test_pages_stay_the_same_while_others_write(app: Flask, alice: Client):
    put_target(alice, "a", max_tokens=1)
    before, page = rev_list(app), alice.get(f"{LOG}?limit=1").json
    put_target(alice, "a", max_tokens=2)
    assert commits(alice, f"before={page['next']}") == before[1:]
    assert commits(alice, f"before={page['next'][:12]}") == before[1:]


def test_log_with_ref_starts_at_that_commit(app: Flask, alice: Client):
    first, second, third = (put_target(alice, "a", max_tokens=number) for number in (1, 2, 3))
    assert commits(alice, f"ref={first}") == rev_list(app, first)
    assert commits(alice, f"ref={first}&before={third}") == rev_list(app, first)
    assert commits(alice, f"ref={second}&before={first}") == rev_list(app, first)[1:]
    assert alice.get(f"{LOG}?ref={first}").headers["Git-Commit"] == first


def test_the_entry_of_a_batch_lists_each_file(alice: Client):
    put_target(alice, "b", temperature=0.25)
    batch = {"targets": [target("a", temperature=0.5), target("b", temperature=0.75), target("c", "a", v="p")]}
    assert alice.put(f"{TARGETS}/batch", batch).json["failed"] == {}
    entry = alice.get(f"{LOG}?limit=1").json["commits"][0]
    assert entry["subject"] == "Write 3 targets: a, b, c"
    files = {file["path"]: file for file in entry["files"]}
    assert {path: file["action"] for path, file in files.items()} == {
        "targets/a.yml": "created",
        "targets/b.yml": "updated",
        "targets/c.yml": "created",
    }
    assert files["targets/b.yml"]["changes"] == [{"field": "/temperature", "old": 0.25, "new": 0.75}]
    only = alice.get(f"{LOG}?limit=1&path=targets/b.yml").json["commits"][0]
    assert only == {**entry, "files": [files["targets/b.yml"]]}


def test_a_page_ends_early_where_many_files_changed(app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch):
    for start in (0, 4, 6, 8):
        names = [f"t{number}" for number in range(start, start + (4 if start == 0 else 2))]
        alice.post(f"{TARGETS}/batch", {"targets": [target(name, temperature=0.5) for name in names]})
    expected = rev_list(app)
    assert pages(alice, "limit=10") == [expected]
    monkeypatch.setattr(history, "MOST_FILES", 3)
    assert pages(alice, "limit=10") == [[commit] for commit in expected]
    monkeypatch.setattr(history, "MOST_FILES", 6)
    assert pages(alice, "limit=10") == [expected[:3], expected[3:4], expected[4:]]


def test_log_needs_read_access(master: Client, alice: Client):
    bob = new_user(master, "bob")
    assert_error(bob.get(LOG), 404, "RESOURCE_NOT_FOUND", "Repo 'demo'")
    for query in ("", "?ref=nope", "?limit=0"):
        assert_error(bob.get(f"{LOG}{query}", X_User_Id="alice"), 403, "FORBIDDEN", "'alice'")
    assert_error(Client(alice.app, None).get(LOG), 401, "UNAUTHORIZED")
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    assert bob.get(LOG, X_User_Id="alice").json == alice.get(LOG).json
    made = master.post("/v1/admin/users/alice/tokens", {"name": "reader", "access": "read"})
    assert Client(alice.app, made.json["api_key"]).get(LOG).json == alice.get(LOG).json
    alice.delete("/v1/repo/demo/grants/bob")
    assert_error(bob.get(LOG, X_User_Id="alice"), 403, "FORBIDDEN", "'alice'")


def test_wrong_page_parameters_of_the_log_are_refused(app: Flask, alice: Client):
    for query, location, kind in (
        ("limit=0", "limit", "greater_than_equal"),
        ("limit=-1", "limit", "greater_than_equal"),
        ("limit=101", "limit", "less_than_equal"),
        ("limit=x", "limit", "int_parsing"),
        ("limit=1.0", "limit", "int_parsing"),
        ("before=abc", "before", "string_pattern_mismatch"),
        ("before=main", "before", "string_pattern_mismatch"),
        ("before=" + "a" * 41, "before", "string_pattern_mismatch"),
        ("ref=a%20b", "ref", "string_pattern_mismatch"),
        ("author=a%0Ab", "author", "string_pattern_mismatch"),
        ("author=" + "a" * 201, "author", "string_pattern_mismatch"),
        ("since=yesterday", "since", "datetime_parsing"),
        ("since=2090-01-01T10:00:00", "since", "datetime_parsing"),
        ("until=2090-02-30T10:00:00Z", "until", "datetime_parsing"),
        ("path=../x", "path", "string_pattern_mismatch"),
        ("path=/targets", "path", "string_pattern_mismatch"),
        ("path=a//b", "path", "string_pattern_mismatch"),
        ("path=./a", "path", "string_pattern_mismatch"),
    ):
        assert_mistakes(alice.get(f"{LOG}?{query}"), (["query", location], kind))
    assert_error(alice.get("/v1/repo/nope/log"), 404, "RESOURCE_NOT_FOUND", "Repo 'nope'")
    stray = off_the_branch(demo_repository(app))
    for before in ("0" * 40, "0000", stray, stray[:12], demo(app, "rev-parse", "main^{tree}").strip()):
        assert_error(alice.get(f"{LOG}?before={before}"), 404, "RESOURCE_NOT_FOUND", before, "'demo'")
    one, _ = demo_repository(app).transact(two_alike)
    assert_error(alice.get(f"{LOG}?before={one[:4]}"), 409, "RESOURCE_CONFLICT", one[:4])
