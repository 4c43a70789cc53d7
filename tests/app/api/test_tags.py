"""`/v1/repo/{repo_name}/tags`: permanent names for commits."""

from pathlib import Path

import pytest
from flask import Flask

from tests.app.api.helpers import TARGETS, demo, new_user
from tests.client import Client, assert_error, assert_mistakes
from tests.storage.repositories import git, off_the_branch, two_alike
from tests.timeline import ELEVEN, TEN, TWELVE, demo_repository, put_target, refs, set_clock, tip

TAGS = "/v1/repo/demo/tags"
TAKEN = ("main", "HEAD", "0" * 40, "v1.")


def test_a_tag_is_an_annotated_git_tag_by_the_user(app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch):
    commit = put_target(alice, "a", temperature=0.5)
    set_clock(monkeypatch, TEN)
    created = alice.post(TAGS, {"name": "v1.0", "message": "The first\n\nGood — for months."})
    assert (created.status_code, created.headers["Location"]) == (201, f"{TAGS}/v1.0")
    assert created.json == {
        "name": "v1.0",
        "commit": commit,
        "message": "The first\n\nGood — for months.",
        "tagger": {"name": "Alice", "email": "alice@example.org", "user": "alice", "token": "initial"},
        "time": TEN,
        "reason": None,
    }
    assert alice.get(f"{TAGS}/v1.0").json == created.json
    assert alice.get(TAGS).json == {"tags": [created.json]}
    told = demo(app, "for-each-ref", "refs/tags", "--format=%(refname) %(objecttype) %(*objectname)")
    assert told == f"refs/tags/v1.0 tag {commit}\n"
    assert demo(app, "cat-file", "-p", "v1.0") == (
        f"object {commit}\ntype commit\ntag v1.0\ntagger Alice <alice@example.org> 3786948000 +0000\n\n"
        "The first\n\nGood — for months.\n\nUser: alice\nToken: initial\n"
    )
    assert demo(app, "fsck", "--strict") == ""


def test_tags_are_in_every_clone(app: Flask, alice: Client, tmp_path: Path):
    put_target(alice, "a", temperature=0.5)
    alice.post(TAGS, {"name": "v1"})
    then = demo(app, "show", "v1:targets/a.yml")
    put_target(alice, "a", temperature=0.75)
    git(tmp_path, "clone", "--quiet", str(demo_repository(app).path), "clone")
    assert git(tmp_path / "clone", "tag", "-l").split() == ["v1"]
    assert git(tmp_path / "clone", "show", "v1:targets/a.yml") == then
    assert "temperature: 0.5" in then


def test_a_tag_takes_every_kind_of_ref(alice: Client, monkeypatch: pytest.MonkeyPatch):
    made = []
    for number, moment in enumerate((TEN, ELEVEN, TWELVE)):
        set_clock(monkeypatch, moment)
        made.append(put_target(alice, "a", max_tokens=number + 1))
    for name, ref, commit in (
        ("whole", made[0], made[0]),
        ("short", made[1][:12], made[1]),
        ("other", "short", made[1]),
        ("time", "2090-01-01T10:30:00Z", made[0]),
        ("head", "HEAD", made[2]),
        ("none", None, made[2]),
    ):
        answer = alice.post(TAGS, {"name": name, "ref": ref, "message": None})
        assert (answer.status_code, answer.json["commit"]) == (201, commit)
        assert answer.json["message"] == name
        assert alice.get(f"{TARGETS}/a?ref={name}").headers["Git-Commit"] == commit
    put_target(alice, "a", max_tokens=9)
    assert alice.get(f"{TARGETS}/a?ref=none").json["config"]["max_tokens"] == 3


def test_tags_are_listed_by_name(app: Flask, alice: Client):
    assert alice.get(TAGS).json == {"tags": []}
    for name in ("v2", "v10", "b.1", "A_a", "abc", "a" * 39):
        assert alice.post(TAGS, {"name": name}).status_code == 201
    listed = [tag["name"] for tag in alice.get(TAGS).json["tags"]]
    assert listed == ["A_a", "a" * 39, "abc", "b.1", "v10", "v2"]
    assert listed == demo(app, "tag", "-l").split()


def test_tags_made_by_hand_are_read(app: Flask, alice: Client):
    demo(app, "update-ref", "refs/tags/light", "main")
    demo(app, "update-ref", "refs/tags/folder", "main^{tree}")
    answer = alice.get(f"{TAGS}/light")
    nobody = dict.fromkeys(("message", "tagger", "time", "reason"))
    assert answer.json == {"name": "light", "commit": tip(app), **nobody}
    assert alice.get(TAGS).json == {"tags": [answer.json]}
    assert_error(alice.get(f"{TAGS}/folder"), 404, "RESOURCE_NOT_FOUND", "Tag 'folder'")


def test_a_tag_cannot_be_deleted(app: Flask, alice: Client, master: Client):
    put_target(alice, "a", temperature=0.5)
    alice.post(TAGS, {"name": "v1"})
    before = refs(app)
    for client in (alice, master):
        answer = client.delete(f"{TAGS}/v1?user_id=alice")
        assert_error(answer, 403, "FORBIDDEN", "'v1' stays")
    for method in ("PUT", "PATCH", "POST"):
        assert_error(alice.request(method, f"{TAGS}/v1", {"ref": "HEAD"}), 405, "METHOD_NOT_ALLOWED")
    assert refs(app) == before
    assert_error(alice.delete(f"{TAGS}/v2"), 404, "RESOURCE_NOT_FOUND", "Tag 'v2'")
    assert_error(alice.get(f"{TAGS}/v2"), 404, "RESOURCE_NOT_FOUND", "Tag 'v2'")


def test_a_tag_name_can_be_used_once(app: Flask, alice: Client):
    first = alice.post(TAGS, {"name": "v1"}).json
    put_target(alice, "a", temperature=0.5)
    for pack in (False, True):
        if pack:
            demo(app, "pack-refs", "--all")
        before = refs(app)
        for body in ({"name": "v1"}, {"name": "v1", "ref": first["commit"], "message": "another"}):
            answer = alice.post(TAGS, body)
            assert_error(answer, 409, "RESOURCE_CONFLICT", "'v1'", "'demo'")
            assert answer.headers["X-Should-Retry"] == "false"
        assert_error(alice.post(TAGS, {"name": "V1"}), 409, "RESOURCE_CONFLICT", "'V1'", "'v1'")
        assert refs(app) == before
        assert alice.get(f"{TAGS}/v1").json == first


def test_the_same_tag_again_is_answered_with_it(app: Flask, alice: Client):
    made = alice.post(TAGS, {"name": "v1", "message": "Of the trial\n\nMore"})
    assert made.status_code == 201
    commit = made.json["commit"]
    before = refs(app)
    for ref in ({}, {"ref": commit}, {"ref": "main"}, {"ref": "v1"}):
        again = alice.post(TAGS, {"name": "v1", "message": "Of the trial\n\nMore", **ref})
        assert (again.status_code, again.json) == (200, made.json)
        assert again.headers["Git-Commit"] == made.headers["Git-Commit"] == commit
        assert "Location" not in again.headers
    put_target(alice, "a", temperature=0.5)
    after = refs(app)
    assert_error(alice.post(TAGS, {"name": "v1", "message": "Of the trial\n\nMore"}), 409, "RESOURCE_CONFLICT", "'v1'")
    assert refs(app) == after != before
    demo(app, "update-ref", "refs/tags/by-hand", commit)
    assert_error(alice.post(TAGS, {"name": "by-hand", "ref": commit}), 409, "RESOURCE_CONFLICT", "'by-hand'")


def test_unknown_and_ambiguous_refs_cannot_be_tagged(app: Flask, alice: Client):
    one, _ = demo_repository(app).transact(two_alike)
    stray = off_the_branch(demo_repository(app))
    before = refs(app)
    for ref in ("nope", "0" * 40, stray, stray[:12], "2001-01-01T00:00:00Z"):
        answer = alice.post(TAGS, {"name": "v1", "ref": ref})
        assert_error(answer, 404, "RESOURCE_NOT_FOUND", ref.removesuffix("Z"), "'demo'")
    answer = alice.post(TAGS, {"name": "v1", "ref": one[:4]})
    assert_error(answer, 409, "RESOURCE_CONFLICT", f"'{one[:4]}'")
    answer = alice.post("/v1/repo/nope/tags", {"name": "v1"})
    assert_error(answer, 404, "RESOURCE_NOT_FOUND", "Repo 'nope'")
    assert_error(alice.get("/v1/repo/nope/tags"), 404, "RESOURCE_NOT_FOUND", "Repo 'nope'")
    assert refs(app) == before


def test_bad_tag_names_are_refused(app: Flask, alice: Client):
    before = refs(app)
    bad = (
        "main",
        "HEAD",
        "0" * 40,
        "v1.",
        "a..b",
        "x.lock",
        "a/b",
        "-x",
        ".x",
        "a b",
        "",
        "é",
        "v\n",
        "a" * 101,
    )
    for name in bad:
        answer = alice.post(TAGS, {"name": name})
        assert_mistakes(answer, (["body", "name"], "string_pattern_mismatch"))
    for name in TAKEN:
        for method in ("GET", "DELETE"):
            answer = alice.request(method, f"{TAGS}/{name}")
            assert_mistakes(answer, (["path", "tag_name"], "string_pattern_mismatch"))
    assert refs(app) == before


def test_wrong_bodies_of_a_tag_are_refused(app: Flask, alice: Client):
    before = refs(app)
    for body, field, kind in (
        ({}, "name", "missing"),
        ({"name": 1}, "name", "string_type"),
        ({"name": None}, "name", "string_type"),
        ({"name": "v1", "ref": "a~1"}, "ref", "string_pattern_mismatch"),
        ({"name": "v1", "ref": ""}, "ref", "string_pattern_mismatch"),
        ({"name": "v1", "ref": 1}, "ref", "string_type"),
        ({"name": "v1", "message": "a\0b"}, "message", "string_pattern_mismatch"),
        ({"name": "v1", "message": "a" * 10_001}, "message", "string_pattern_mismatch"),
        ({"name": "v1", "force": True}, "force", "extra_forbidden"),
    ):
        assert_mistakes(alice.post(TAGS, body), (["body", field], kind))
    assert refs(app) == before


def test_tagging_needs_write_access(app: Flask, master: Client, alice: Client):
    bob = new_user(master, "bob")
    reader = master.post("/v1/admin/users/alice/tokens", {"name": "reader", "access": "read"})
    before = refs(app)
    assert_error(bob.post(TAGS, {"name": "v1"}), 404, "RESOURCE_NOT_FOUND", "Repo 'demo'")
    for method in ("GET", "POST"):
        answer = bob.request(method, TAGS, {"name": "v1"}, X_User_Id="alice")
        assert_error(answer, 403, "FORBIDDEN", "'alice'")
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    before = refs(app)
    answer = bob.post(TAGS, {"name": "v1"}, X_User_Id="alice")
    assert_error(answer, 403, "FORBIDDEN", "reading only")
    limited = Client(app, reader.json["api_key"])
    assert_error(limited.post(TAGS, {"name": "v1"}), 403, "FORBIDDEN", "'reader'")
    assert limited.get(TAGS).json == bob.get(TAGS, X_User_Id="alice").json == {"tags": []}
    assert refs(app) == before
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    answer = bob.post(TAGS, {"name": "by-bob"}, X_User_Id="alice")
    assert answer.json["tagger"] == {
        "name": "bob",
        "email": "bob@bakehouse.invalid",
        "user": "bob",
        "token": "initial",
    }
    answer = master.post(f"{TAGS}?user_id=alice", {"name": "by-master"})
    assert answer.json["tagger"] == {
        "name": "Alice",
        "email": "alice@example.org",
        "user": "alice",
        "token": None,
    }
    assert "tagger Alice <alice@example.org> " in demo(app, "cat-file", "-p", "by-master")
