"""`/v1/repo/{repo_name}/labels`: names for commits that move, each move with its author and reason."""

from functools import partial
from pathlib import Path

import pytest
import yaml
from flask import Flask
from werkzeug.test import TestResponse

from tests.app.api.helpers import PROMPTS, TARGETS, count, demo, log, new_user, show
from tests.client import Client, assert_error, assert_mistakes
from tests.seams import append_sizes
from tests.storage.repositories import git, off_the_branch, two_alike
from tests.timeline import ELEVEN, TEN, TWELVE, commit_by_hand, demo_repository, put_target, refs, set_clock, tip

LABELS = "/v1/repo/demo/labels"
LABEL = f"{LABELS}/production"
ALICE = {"name": "Alice", "email": "alice@example.org", "user": "alice", "token": "initial"}


def move(client: Client, ref: str = "main", name: str = "production", **fields: object) -> str:
    """Put a label on a ref, and return the commit that did."""
    answer = client.put(f"{LABELS}/{name}", {"ref": ref, **fields})
    assert answer.status_code == 200, answer.text
    return answer.headers["Git-Commit"]


def test_a_label_names_a_commit_and_each_move_is_a_commit(app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch):
    first = put_target(alice, "a", temperature=0.5)
    set_clock(monkeypatch, TEN)
    made = alice.put(LABEL, {"ref": first, "reason": "The nightly run passed"})
    moved = {
        "commit": tip(app),
        "author": ALICE,
        "time": TEN,
        "subject": f"Create label production at {first[:10]}",
        "reason": "The nightly run passed",
    }
    label = {"name": "production", "commit": first, "protected": None}
    changed = {"created": 1, "updated": 0, "deleted": 0, "names": ["a"]}
    assert made.json == {**label, "moved": moved, "from": None, "targets": changed, "dry_run": False}
    assert made.headers["Git-Commit"] == tip(app)
    assert alice.get(LABEL).json == label
    assert alice.get(LABELS).json == {"labels": [{**label, "moved": moved}]}
    assert yaml.safe_load(show(app, "labels/production.yml")) == {"commit": first}
    second = put_target(alice, "a", temperature=0.75)
    put_target(alice, "b")
    answer = alice.put(LABEL, {"ref": second})
    assert (answer.json["from"], answer.json["commit"]) == (first, second)
    assert answer.json["targets"] == {"created": 0, "updated": 1, "deleted": 0, "names": ["a"]}
    assert answer.json["moved"]["subject"] == f"label production: {first[:10]} → {second[:10]}"
    assert f'commit: "{first}" → "{second}"' in log(app, "-1", "--format=%b")
    back = alice.put(LABEL, {"ref": first}, X_Change_Reason="It%20was%20worse").json
    assert (back["from"], back["commit"], back["moved"]["reason"]) == (second, first, "It was worse")


def test_a_label_is_read_as_a_ref_by_every_get(alice: Client):
    first = put_target(alice, "a", temperature=0.5)
    move(alice)
    put_target(alice, "a", temperature=0.75)
    put_target(alice, "b")
    alice.put(f"{PROMPTS}/p", {"messages": []})
    assert alice.get(f"{TARGETS}/a?ref=production").json["config"]["temperature"] == 0.5
    assert alice.get(f"{TARGETS}/a?ref=production").headers["Git-Commit"] == first
    assert alice.get(f"{TARGETS}?ref=production").json["targets"] == ["a"]
    assert alice.get(f"{PROMPTS}?ref=production").json["prompts"] == []
    assert_error(alice.get(f"{TARGETS}/b?ref=production"), 404, "RESOURCE_NOT_FOUND", "'b'")
    assert alice.get("/v1/repo/demo/log?ref=production").json["commits"][0]["commit"] == first
    assert len(alice.get(f"{TARGETS}/a/history?ref=production").json["commits"]) == 1
    assert alice.get(f"{TARGETS}/a/explain?ref=production").headers["Git-Commit"] == first
    diff = alice.get(f"{TARGETS}/a/diff?from=production").json
    assert [(change["old"], change["new"]) for change in diff["changes"]] == [(0.5, 0.75)]
    assert alice.get(f"{TARGETS}/a/diff?from=main&to=production").json["to"]["commit"] == first
    assert alice.post(f"{TARGETS}/a/revert", {"to": "production"}).json["config"]["temperature"] == 0.5
    assert alice.post("/v1/repo/demo/tags", {"name": "v1", "ref": "production"}).json["commit"] == first
    move(alice)
    assert alice.get(f"{TARGETS}?ref=production").json["targets"] == ["a", "b"]


def test_a_label_takes_every_kind_of_ref(app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch):
    made = []
    for number, moment in enumerate((TEN, ELEVEN, TWELVE)):
        set_clock(monkeypatch, moment)
        made.append(put_target(alice, "a", max_tokens=number + 1))
    alice.post("/v1/repo/demo/tags", {"name": "v1", "ref": made[1]})
    move(alice, made[0], name="other")
    for ref, commit in (
        (made[2], made[2]),
        (made[1][:12], made[1]),
        ("other", made[0]),
        ("v1", made[1]),
        ("2090-01-01T10:30:00Z", made[0]),
        ("HEAD", None),
    ):
        commit = commit or tip(app)
        assert alice.put(LABEL, {"ref": ref}).json["commit"] == commit
        before = tip(app)
        assert alice.put(LABEL, {"ref": "production"}).json["commit"] == commit
        assert alice.put(LABEL, {"ref": commit}).headers["Git-Commit"] == before == tip(app)


def test_a_label_is_read_at_a_ref_too(alice: Client, monkeypatch: pytest.MonkeyPatch):
    """Where production was at some time: the label as the repo had it then."""
    first = put_target(alice, "a", temperature=0.5)
    set_clock(monkeypatch, TEN)
    move(alice)
    set_clock(monkeypatch, TWELVE)
    second = put_target(alice, "a", temperature=0.75)
    move(alice, second)
    assert alice.get(f"{LABEL}?ref={ELEVEN}").json["commit"] == first
    (found,) = alice.get(f"{LABELS}?ref={ELEVEN}").json["labels"]
    assert (found["commit"], found["moved"]["time"]) == (first, TEN)
    assert alice.get(LABEL).json["commit"] == second
    assert_error(alice.get(f"{LABEL}?ref={first}"), 404, "RESOURCE_NOT_FOUND", "Label 'production'")
    assert alice.get(f"{LABELS}?ref={first}").json == {"labels": []}


def test_git_sees_a_branch_that_clones_can_check_out(app: Flask, alice: Client, tmp_path: Path):
    first = put_target(alice, "a", temperature=0.5)
    move(alice)
    then = demo(app, "show", f"{first}:targets/a.yml")
    put_target(alice, "a", temperature=0.75)
    assert demo(app, "rev-parse", "refs/heads/production").strip() == first
    git(tmp_path, "clone", "--quiet", str(demo_repository(app).path), "clone")
    clone = tmp_path / "clone"
    assert git(clone, "branch", "--show-current").strip() == "main"
    git(clone, "checkout", "--quiet", "production")
    assert (clone / "targets/a.yml").read_text() == then
    move(alice)
    alice.delete(LABEL)
    assert demo(app, "for-each-ref", "refs/heads", "--format=%(refname)").split() == ["refs/heads/main"]
    assert demo(app, "fsck", "--strict", "--no-dangling") == ""


def test_a_label_may_be_deleted_and_keeps_its_history(master: Client, alice: Client):
    first = put_target(alice, "a", temperature=0.5)
    made = move(alice, reason="First")
    second = put_target(alice, "a", temperature=0.75)
    moved = move(alice, second, reason="Second")
    deleted = alice.delete(LABEL, X_Change_Reason="Nobody uses it")
    assert deleted.json == {"message": "Label 'production' deleted"}
    assert_error(alice.get(LABEL), 404, "RESOURCE_NOT_FOUND", "Label 'production'")
    assert_error(alice.delete(LABEL), 404, "RESOURCE_NOT_FOUND", "Label 'production'")
    assert_error(alice.get(f"{TARGETS}?ref=production"), 404, "RESOURCE_NOT_FOUND", "'production'", "label")
    assert alice.get(LABELS).json == {"labels": []}
    new_user(master, "bob")
    again = move(alice, first, protected=["bob"])
    answer = alice.get(f"{LABEL}/history").json
    assert answer["next"] is None
    assert [(each["commit"], each["from"], each["to"], each["reason"]) for each in answer["moves"]] == [
        (again, None, first, None),
        (deleted.headers["Git-Commit"], second, None, "Nobody uses it"),
        (moved, first, second, "Second"),
        (made, None, first, "First"),
    ]
    assert [each["protected"] for each in answer["moves"]] == [["bob"], None, None, None]
    assert {each["author"]["user"] for each in answer["moves"]} == {"alice"}
    assert len(alice.get(f"{LABEL}/history?ref={moved}").json["moves"]) == 2
    assert_error(alice.get(f"{LABELS}/other/history"), 404, "RESOURCE_NOT_FOUND", "Label 'other'")


def test_the_history_of_a_label_is_paged(alice: Client):
    made = [put_target(alice, "a", max_tokens=number + 1) for number in range(5)]
    moves = [move(alice, commit) for commit in made][::-1]
    seen, query = [], "limit=2"
    while True:
        page = alice.get(f"{LABEL}/history?{query}").json
        seen.append([(each["commit"], each["from"], each["to"]) for each in page["moves"]])
        if page["next"] is None:
            break
        query = f"limit=2&before={page['next']}"
    tos = made[::-1]
    expected = list(zip(moves, [*tos[1:], None], tos, strict=True))
    assert seen == [expected[:2], expected[2:4], expected[4:]]


def test_moves_heed_conditions(app: Flask, alice: Client):
    first = put_target(alice, "a")
    created = alice.put(LABEL, {"ref": first}, If_None_Match="*")
    assert created.status_code == 200
    etag = alice.get(LABEL).headers["ETag"]
    assert alice.get(LABEL, If_None_Match=etag).status_code == 304
    assert etag == f'"{demo(app, "rev-parse", "main:labels/production.yml").strip()}"'
    second = put_target(alice, "b")
    before = refs(app)
    for headers in ({"If_None_Match": "*"}, {"If_Match": f'"{"0" * 40}"'}, {"If_None_Match": etag}):
        assert_error(alice.put(LABEL, {"ref": second}, **headers), 412, "PRECONDITION_FAILED", "'production'")
        assert_error(alice.delete(LABEL, **headers), 412, "PRECONDITION_FAILED", "'production'")
    assert_error(alice.put(f"{LABELS}/other", {"ref": second}, If_Match="*"), 412, "PRECONDITION_FAILED", "'other'")
    assert refs(app) == before
    moved = alice.put(LABEL, {"ref": second}, If_Match=etag)
    assert moved.headers["ETag"] == alice.get(LABEL).headers["ETag"] != etag
    assert "ETag" not in alice.put(LABEL, {"ref": "main", "dry_run": True}).headers
    assert alice.delete(LABEL, If_Match=moved.headers["ETag"]).status_code == 200


def test_a_dry_run_tells_what_would_change_and_writes_nothing(app: Flask, alice: Client):
    first = put_target(alice, "a", temperature=0.5)
    put_target(alice, "gone")
    made = move(alice)
    put_target(alice, "a", temperature=0.75)
    put_target(alice, "new", teacher_prompt="nobody")
    alice.delete(f"{TARGETS}/gone")
    before = refs(app)
    answer = alice.put(LABEL, {"ref": "main", "dry_run": True})
    assert answer.status_code == 200
    assert (answer.json["dry_run"], answer.json["commit"]) == (True, tip(app))
    assert answer.json["targets"] == {"created": 1, "updated": 1, "deleted": 1, "names": ["a", "gone", "new"]}
    assert answer.json["moved"]["commit"] == made
    assert answer.json["warnings"] == ["'new': there is no prompt 'nobody' at this commit."]
    fresh = alice.put(f"{LABELS}/fresh", {"ref": first, "dry_run": True}).json
    assert (fresh["from"], fresh["moved"], fresh["targets"]["names"]) == (None, None, ["a"])
    assert_error(alice.put(LABEL, {"ref": "main", "dry_run": True}, If_None_Match="*"), 412, "PRECONDITION_FAILED")
    assert refs(app) == before


def test_targets_that_a_move_would_break_are_told(alice: Client):
    """Names that mean nothing at the label's commit, though they may mean something by now."""
    alice.post(TARGETS, {"target_name": "base", "template": "default", "overrides": {}})
    for name in ("b", "a"):
        alice.post(TARGETS, {"target_name": name, "template": "base", "overrides": {"teacher_prompt": "p"}})
    generators = [{"type": "custom", "template_path": "templates/q.txt"}]
    alice.put(f"{TARGETS}/asks", {"template": "default", "overrides": {"generators": generators}})
    broken = alice.delete(f"{TARGETS}/base").headers["Git-Commit"]
    alice.put(f"{PROMPTS}/p", {"messages": []})
    answer = alice.put(LABEL, {"ref": broken})
    assert answer.json["warnings"] == [
        "'asks': there is no file 'templates/q.txt' at this commit.",
        "'a', 'b': there is no prompt 'p' at this commit.",
        "'a', 'b': there is no template 'base' at this commit.",
    ]
    assert "there is no prompt" not in alice.put(LABEL, {"ref": "main"}).text


def test_many_warnings_are_counted(alice: Client):
    targets = [
        {"target_name": f"t{number}", "template": "default", "overrides": {"teacher_prompt": f"p{number}"}}
        for number in range(150)
    ]
    assert len(alice.post(f"{TARGETS}/batch", {"targets": targets}).json["created"]) == 150
    warnings = alice.put(LABEL, {"ref": "main"}).json["warnings"]
    assert (len(warnings), warnings[-1]) == (101, "50 more names mean nothing")


@pytest.mark.parametrize(
    "name",
    [
        "main",
        "Main",
        "HEAD",
        "abcd",
        "ABCD1",
        "0" * 40,
        "v1.",
        "a..b",
        "x.lock",
        "x.GIT",
        "-x",
        ".x",
        "a b",
        "é",
        "a" * 101,
        "batch",
        "2026-11-23T10:00:00Z",
    ],
)
def test_bad_names_of_labels_are_refused(app: Flask, alice: Client, name: str):
    before = refs(app)
    for method in ("GET", "PUT", "DELETE"):
        answer = alice.request(method, f"{LABELS}/{name}", {"ref": "main"} if method == "PUT" else None)
        assert_mistakes(answer, (["path", "label_name"], "string_pattern_mismatch"))
    assert refs(app) == before


def test_names_that_windows_refuses_are_refused_for_new_labels(alice: Client):
    answer = alice.put(f"{LABELS}/con", {"ref": "main"})
    assert_mistakes(answer, (["path", "label_name"], "string_pattern_mismatch"))


def test_names_of_tags_and_labels_are_one_space(app: Flask, alice: Client):
    alice.post("/v1/repo/demo/tags", {"name": "v1"})
    move(alice, name="Production")
    demo(app, "branch", "by-hand/deep", "main")
    demo(app, "branch", "own", "main")
    before = refs(app)
    for pack in (False, True):
        if pack:
            demo(app, "pack-refs", "--all")
        for name, other in (
            ("v1", "'v1'"),
            ("V1", "'v1'"),
            ("production", "'Production'"),
            ("by-hand", "'by-hand/deep'"),
            ("own", "'own'"),
        ):
            answer = alice.put(f"{LABELS}/{name}", {"ref": "main"})
            assert_error(answer, 409, "RESOURCE_CONFLICT", f"'{name}'", other)
        for name in ("Production", "production"):
            answer = alice.post("/v1/repo/demo/tags", {"name": name})
            assert_error(answer, 409, "RESOURCE_CONFLICT", f"'{name}'", "label 'Production'")
    assert refs(app) == before
    alice.delete(f"{LABELS}/Production")
    assert alice.post("/v1/repo/demo/tags", {"name": "production"}).status_code == 201


def test_a_tag_by_hand_comes_before_a_label_as_for_git(app: Flask, alice: Client):
    first = put_target(alice, "a", temperature=0.5)
    move(alice)
    put_target(alice, "a", temperature=0.75)
    demo(app, "tag", "production", "main")
    assert alice.get(f"{TARGETS}/a?ref=production").headers["Git-Commit"] == tip(app) != first
    demo(app, "tag", "-d", "production")
    assert alice.get(f"{TARGETS}/a?ref=production").headers["Git-Commit"] == first


def test_unknown_and_ambiguous_refs_are_refused(app: Flask, alice: Client):
    one, _ = demo_repository(app).transact(two_alike)
    stray = off_the_branch(demo_repository(app))
    before = refs(app)
    for ref in ("nope", "0" * 40, stray, stray[:12], "2001-01-01T00:00:00Z", "production"):
        answer = alice.put(LABEL, {"ref": ref})
        assert_error(answer, 404, "RESOURCE_NOT_FOUND", ref.removesuffix("Z"))
    assert_error(alice.put(LABEL, {"ref": one[:4]}), 409, "RESOURCE_CONFLICT", f"'{one[:4]}'")
    assert_error(alice.put("/v1/repo/nope/labels/production", {"ref": "main"}), 404, "RESOURCE_NOT_FOUND", "'nope'")
    assert refs(app) == before


def test_wrong_bodies_of_a_move_are_refused(app: Flask, alice: Client):
    before = refs(app)
    for body, field, kind in (
        ({}, ["ref"], "missing"),
        ({"ref": 1}, ["ref"], "string_type"),
        ({"ref": None}, ["ref"], "string_type"),
        ({"ref": "a~1"}, ["ref"], "string_pattern_mismatch"),
        ({"ref": "main", "reason": 1}, ["reason"], "string_type"),
        ({"ref": "main", "reason": "a\nb"}, ["reason"], "value_error"),
        ({"ref": "main", "reason": "a" * 1001}, ["reason"], "value_error"),
        ({"ref": "main", "protected": "bob"}, ["protected"], "list_type"),
        ({"ref": "main", "protected": ["a b"]}, ["protected", 0], "string_pattern_mismatch"),
        ({"ref": "main", "protected": [1]}, ["protected", 0], "string_type"),
        ({"ref": "main", "protected": [f"u{number}" for number in range(101)]}, ["protected"], "too_long"),
        ({"ref": "main", "dry_run": "yes"}, ["dry_run"], "bool_type"),
        ({"ref": "main", "force": True}, ["force"], "extra_forbidden"),
    ):
        assert_mistakes(alice.put(LABEL, body), (["body", *field], kind))
    differing = alice.put(LABEL, {"ref": "main", "reason": "One"}, X_Change_Reason="Another")
    assert_mistakes(differing, (["body", "reason"], "value_error"))
    assert refs(app) == before
    same = alice.put(LABEL, {"ref": "main", "reason": "One"}, X_Change_Reason="One")
    assert same.json["moved"]["reason"] == "One"


def test_a_repo_has_so_many_labels_at_most(app: Flask, alice: Client):
    commit = tip(app)
    commit_by_hand(app, {f"labels/l{number}.yml": f"commit: {commit}\n".encode() for number in range(99)})
    move(alice, name="last")
    before = count(app)
    assert_error(alice.put(f"{LABELS}/more", {"ref": "main"}), 409, "RESOURCE_CONFLICT", "100 labels")
    assert count(app) == before
    put_target(alice, "a")
    moved = move(alice, name="last")
    listed = {each["name"]: each["moved"]["commit"] for each in alice.get(LABELS).json["labels"]}
    assert len(listed) == 100
    assert listed["last"] == moved
    assert len({*listed.values()}) == 2


def test_a_file_by_hand_that_is_no_label_is_damage(app: Flask, alice: Client):
    for content in (b"commit: nope\n", b"- a\n", b"commit: 1\n", f"commit: {tip(app)}\nprotected: bob\n".encode()):
        commit_by_hand(app, {"labels/production.yml": content})
        assert_error(alice.get(LABEL), 503, "STORAGE_UNAVAILABLE", "labels/production.yml")
        assert_error(alice.get(f"{TARGETS}?ref=production"), 503, "STORAGE_UNAVAILABLE", "labels/production.yml")
        assert alice.get(TARGETS).status_code == 200
    moves = alice.get(f"{LABEL}/history").json["moves"]
    assert [(each["to"], "note" in each) for each in moves] == [(None, True)] * 4
    assert alice.delete(LABEL).status_code == 200
    assert move(alice)


def test_a_file_by_hand_that_is_no_label_hides_no_other_label(app: Flask, alice: Client):
    put_target(alice, "a")
    move(alice)
    before = alice.get(LABELS).json["labels"]
    by_hand = commit_by_hand(app, {"labels/broken.yml": b"commit: nope\n"})
    broken, *others = alice.get(LABELS).json["labels"]
    assert others == before
    assert (broken["name"], broken["commit"], broken["moved"]["commit"]) == ("broken", None, by_hand)
    assert "cannot be read" in broken["note"]
    held = alice.get(f"{TARGETS}/a/uses").json["labels"]
    assert [label["name"] for label in held] == ["production"]


def test_a_label_that_was_put_on_no_commit_by_hand_can_be_moved(app: Flask, alice: Client):
    first = put_target(alice, "a")
    by_hand = commit_by_hand(app, {"labels/production.yml": f"commit: {'dead' * 10}\n".encode()})
    assert_error(alice.put(LABEL, {"ref": "production", "protected": []}), 404, "RESOURCE_NOT_FOUND", "dead" * 10)
    assert tip(app) == by_hand
    answer = alice.put(LABEL, {"ref": first}).json
    assert (answer["from"], answer["commit"], answer["targets"]["created"]) == ("dead" * 10, first, 1)


def test_each_of_several_moves_at_once_is_answered_with_its_own(
    app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch
):
    first = put_target(alice, "a", temperature=0.5)
    second = put_target(alice, "a", temperature=0.75)
    moves = [(first, "One"), (second, "Two"), (second, "Not told, since nothing moves"), (first, "Three")]

    def put(ref: str, reason: str) -> TestResponse:
        return Client(app, alice.token).put(LABEL, {"ref": ref, "reason": reason})

    writes = [partial(put, *each) for each in moves]
    flushes, (_, *answers) = append_sizes(demo_repository(app), monkeypatch, writes)
    assert flushes == [1, 3]
    assert [answer.json["commit"] for answer in answers] == [first, second, second, first]
    assert [answer.json["moved"]["reason"] for answer in answers] == ["One", "Two", "Two", "Three"]
    assert [answer.json["moved"]["commit"] for answer in answers] == [
        answer.headers["Git-Commit"] for answer in answers
    ]
