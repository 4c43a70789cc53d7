"""`?ref=` on every GET: the answer as it was at a commit, a tag or a time."""

from urllib.parse import quote

import pytest
from flask import Flask

from app.wire.contract import contract_of
from tests.app.api.helpers import MESSAGES, PROMPTS, TARGETS, demo, new_user, show
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import asking, target
from tests.storage.repositories import off_the_branch, two_alike
from tests.timeline import (
    ELEVEN,
    TEN,
    TWELVE,
    commit_by_hand,
    demo_repository,
    put_target,
    refs,
    set_clock,
    tip,
)

REPO = "/v1/repo/demo"
DEFAULT = f"{REPO}/defaults/target"
# A GET in a repo that takes no `ref`, and why.
WITHOUT_REF = {
    "bundles.get_bundle": "a bundle has the whole history",
    "tags.list_tags": "a tag is no part of what it is on",
    "tags.get_tag": "a tag is no part of what it is on",
    "diffs.get_target_diff": "`from` and `to` say which two versions to compare",
    "diffs.get_prompt_diff": "`from` and `to` say which two versions to compare",
    "diffs.get_default_diff": "`from` and `to` say which two versions to compare",
    "comparison.get_repo_diff": "`from` and `to` say which two commits to compare",
}


@pytest.fixture
def read(app: Flask) -> list[str]:
    """Return the addresses, in repo `demo`, of every GET that takes `ref`."""
    addresses = []
    for rule in app.url_map.iter_rules():
        if "GET" in rule.methods and rule.rule.startswith("/v1/") and "repo_name" in rule.arguments:
            contract = contract_of(app.view_functions[rule.endpoint])
            takes_ref = contract.query is not None and "ref" in contract.query.fields
            assert takes_ref != (rule.endpoint in WITHOUT_REF), (
                f"{rule.endpoint}: add `ref` to its query, see RefQuerySchema, or a reason to WITHOUT_REF"
            )
            if takes_ref:
                names = {name: NAMES[name] for name in rule.arguments}
                addresses.append(rule.build(names)[1])
    return sorted(addresses)


# What these answer is about a run: see test_run_refs.py.
OF_RUNS = ("stim", "rollout", "output", "rows", "runs")
NAMES = {
    "repo_name": "demo",
    "target_name": "a",
    "prompt_name": "p",
    "file_name": "ask.txt",
    "label_name": "production",
}
# What these tell of tags is no part of a commit either.
TELL_TAGS = ("uses",)


def change_everything(app: Flask, client: Client, number: int) -> None:
    """Change what each GET of `read` answers."""
    put_target(client, "a", max_tokens=number, teacher_prompt="p", generators=asking(str(number)))
    client.put(f"{TARGETS}/t{number}", {"template": "a", "overrides": {"temperature": 0.5}})
    client.put(f"{PROMPTS}/p", {"messages": MESSAGES * number})
    client.put(f"{PROMPTS}/p{number}", {"messages": []})
    client.put(DEFAULT, {"config": {"temperature": number / 10}})
    repo = show(app, "repo.yml").replace("base_model: ", "base_model: New-")
    commit_by_hand(app, {"repo.yml": repo.encode()})
    client.put(f"{REPO}/labels/production", {"ref": "main"})
    client.put(f"{REPO}/grants/user{number}", {"access": "read"})


def test_every_get_with_ref_answers_as_it_was_then(
    app: Flask, master: Client, alice: Client, read: list[str], monkeypatch: pytest.MonkeyPatch
):
    for number in (1, 2):
        new_user(master, f"user{number}")
    set_clock(monkeypatch, TEN)
    change_everything(app, alice, 1)
    alice.post(f"{REPO}/tags", {"name": "v1"})
    read = [path for path in read if not path.endswith(OF_RUNS)]
    commit, then = tip(app), {path: alice.get(path) for path in read}
    alice.post(f"{REPO}/tags", {"name": "v2"})
    then |= {path: alice.get(path) for path in read if path.endswith(TELL_TAGS)}
    set_clock(monkeypatch, TWELVE)
    change_everything(app, alice, 2)
    for path, before in then.items():
        now = alice.get(path)
        assert (before.status_code, now.status_code) == (200, 200)
        assert now.data != before.data, f"have change_everything change the answer of GET {path}"
        for ref in (commit, commit[:12], "v1", TEN, ELEVEN):
            answer = alice.get(f"{path}?ref={ref}")
            assert (answer.status_code, answer.data) == (200, before.data)
            assert answer.headers.get("ETag") == before.headers.get("ETag")
            assert answer.headers.get("Git-Commit") == before.headers.get("Git-Commit")
        for ref in ("main", "HEAD", TWELVE, tip(app), ""):
            assert alice.get(f"{path}?ref={ref}").data == now.data


def test_an_answer_with_ref_has_its_commit_and_etag(app: Flask, alice: Client):
    first = put_target(alice, "a", temperature=0.5)
    put_target(alice, "a", temperature=0.75)
    for path, file in (
        (f"{TARGETS}/a", "targets/a.yml"),
        (TARGETS, "targets"),
        (DEFAULT, "defaults/target.yml"),
    ):
        answer = alice.get(f"{path}?ref={first}")
        version = demo(app, "rev-parse", f"{first}:{file}").strip()
        assert (answer.headers["ETag"], answer.headers["Git-Commit"]) == (f'"{version}"', first)


def test_a_get_with_ref_and_a_known_etag_is_answered_304(alice: Client):
    alice.put(f"{PROMPTS}/p", {"messages": []})
    first = put_target(alice, "a", temperature=0.5)
    alice.put(f"{PROMPTS}/p", {"messages": MESSAGES})
    alice.put(f"{PROMPTS}/q", {"messages": MESSAGES})
    alice.put(DEFAULT, {"config": {"temperature": 0.1}})
    alice.post(TARGETS, target("b", temperature=0.75))
    put_target(alice, "a", temperature=0.75)
    for path in (TARGETS, f"{TARGETS}/a", PROMPTS, f"{PROMPTS}/p", DEFAULT):
        then, now = alice.get(f"{path}?ref={first}"), alice.get(path)
        known = alice.get(f"{path}?ref={first}", If_None_Match=then.headers["ETag"])
        assert (known.status_code, known.data, known.headers["Git-Commit"]) == (304, b"", first)
        other = alice.get(f"{path}?ref={first}", If_None_Match=now.headers["ETag"])
        assert (other.status_code, other.json) == (200, then.json)
        assert alice.get(path, If_None_Match=then.headers["ETag"]).json == now.json


def test_ref_takes_a_time(alice: Client, monkeypatch: pytest.MonkeyPatch):
    for moment, temperature in ((TEN, 0.1), (ELEVEN, 0.2), (ELEVEN, 0.3), (TWELVE, 0.4)):
        set_clock(monkeypatch, moment)
        put_target(alice, "a", temperature=temperature)
    for moment, temperature in (
        ("2090-01-01T10:00:00Z", 0.1),
        ("2090-01-01T10:59:59Z", 0.1),
        ("2090-01-01T10:59:59.999999Z", 0.1),
        ("2090-01-01T11:00:00Z", 0.3),
        ("2090-01-01T11:00:00.25Z", 0.3),
        ("2090-01-01t11:00:00z", 0.3),
        ("2090-01-01 11:00:00Z", 0.3),
        ("2090-01-01T12:59:59+02:00", 0.1),
        ("2090-01-01T13:00:00+02:00", 0.3),
        ("2090-01-01T06:59:59-05:00", 0.3),
        ("2090-01-01T12:00:00Z", 0.4),
        ("9999-12-31T23:59:59Z", 0.4),
    ):
        for written in (quote(moment, safe=""), moment.replace(" ", "%20")):  # a bare + is a space
            assert alice.get(f"{TARGETS}/a?ref={written}").json["config"]["temperature"] == temperature
    assert_error(alice.get(f"{TARGETS}/a?ref=2090-01-01T09:59:59Z"), 404, "RESOURCE_NOT_FOUND", "Target 'a'")


def test_a_deleted_target_can_be_read_at_an_earlier_commit(alice: Client):
    first = put_target(alice, "a", temperature=0.5)
    then = alice.get(f"{TARGETS}/a")
    gone = alice.delete(f"{TARGETS}/a").headers["Git-Commit"]
    assert alice.get(f"{TARGETS}/a?ref={first}").json == then.json
    assert_error(alice.get(f"{TARGETS}/a?ref={gone}"), 404, "RESOURCE_NOT_FOUND", "Target 'a'")
    assert alice.get(f"{TARGETS}?ref={first}").json == {"targets": ["a"]}
    assert alice.get(f"{TARGETS}?ref={gone}").json == {"targets": []}


def test_a_tag_comes_before_an_abbreviation(alice: Client):
    first = put_target(alice, "a", temperature=0.5)
    second = put_target(alice, "a", temperature=0.75)
    alice.post(f"{REPO}/tags", {"name": second[:7], "ref": first})
    for ref, commit in ((second[:7], first), (second[:8], second), (second, second), (first[:8], first)):
        assert alice.get(f"{TARGETS}/a?ref={ref}").headers["Git-Commit"] == commit


def test_malformed_refs_are_refused(app: Flask, alice: Client, read: list[str]):
    alice.put(f"{PROMPTS}/p", {"messages": []})
    put_target(alice, "a", temperature=0.5)
    before = refs(app)
    mistake = (["query", "ref"], "string_pattern_mismatch")
    for ref in ("a b", "-x", "main~1", "v1^", "refs/tags/v1", "../x", "@", "é", "a\0", "x" * 101):
        assert_mistakes(alice.get(f"{TARGETS}/a?ref={quote(ref)}"), mistake)
    for ref in ("2090-01-01T10:00:00", "2090-01-01T10:00Z", "2090-13-01T10:00:00Z", "2090-02-30T10:00:00Z"):
        assert_mistakes(alice.get(f"{TARGETS}/a?ref={quote(ref)}"), mistake)
    for path in read:
        assert_mistakes(alice.get(f"{path}?ref=a:b"), mistake)
    assert refs(app) == before


def test_refs_to_commits_off_the_branch_are_answered_404(app: Flask, alice: Client, read: list[str]):
    alice.put(f"{PROMPTS}/p", {"messages": []})
    put_target(alice, "a", temperature=0.5)
    stray = off_the_branch(demo_repository(app), "-p", "main")
    demo(app, "update-ref", "refs/tags/stray", stray)
    before = refs(app)
    blob = demo(app, "rev-parse", "main:targets/a.yml").strip()
    absent = ("nope", "v1", "0" * 40, "0000", "master", tip(app)[:3], "2090-01-01", blob)
    for ref in (*absent, stray, stray[:12]):
        assert_error(alice.get(f"{TARGETS}/a?ref={ref}"), 404, "RESOURCE_NOT_FOUND", f"'{ref}'", "'demo'")
    for path in read:
        assert_error(alice.get(f"{path}?ref=stray"), 404, "RESOURCE_NOT_FOUND", "'stray'")
        answer = alice.get(f"{path}?ref=2001-01-01T00:00:00Z")
        assert_error(answer, 404, "RESOURCE_NOT_FOUND", "2001-01-01T00:00:00", "it began at")
    assert_error(alice.get("/v1/repo/nope/targets?ref=main"), 404, "RESOURCE_NOT_FOUND", "Repo 'nope'")
    assert refs(app) == before


def test_an_ambiguous_abbreviation_is_a_conflict(app: Flask, alice: Client, read: list[str]):
    alice.put(f"{PROMPTS}/p", {"messages": []})
    put_target(alice, "a", temperature=0.5)
    one, other = demo_repository(app).transact(two_alike)
    before = refs(app)
    for path in read:
        assert_error(alice.get(f"{path}?ref={one[:4]}"), 409, "RESOURCE_CONFLICT", f"'{one[:4]}'", "2 commits")
    for commit in (one, other):
        assert alice.get(f"{TARGETS}/a?ref={commit[:16]}").headers["Git-Commit"] == commit
    assert refs(app) == before


def test_access_is_decided_by_todays_grants_whatever_the_ref(
    app: Flask, master: Client, alice: Client, read: list[str]
):
    bob = new_user(master, "bob")
    put_target(alice, "a", temperature=0.5)
    alice.put(f"{REPO}/grants/bob", {"access": "read"})
    shared = tip(app)
    assert bob.get(f"{TARGETS}/a?ref={shared}", X_User_Id="alice").json == alice.get(f"{TARGETS}/a").json
    assert_error(bob.get(f"{REPO}/grants?ref={shared}", X_User_Id="alice"), 403, "FORBIDDEN")
    alice.delete(f"{REPO}/grants/bob")
    for ref in (shared, "nope", "a~b"):
        for path in read:
            assert_error(bob.get(f"{path}?ref={ref}", X_User_Id="alice"), 403, "FORBIDDEN", "'alice'")
