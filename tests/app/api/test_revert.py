"""`POST …/targets/{target_name}/revert`: a target as it was, in a new commit."""

from flask import Flask
from werkzeug.test import TestResponse

from tests.app.api.helpers import TARGETS, count, demo, explain, log, new_token, put, show
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import asking
from tests.storage.repositories import off_the_branch, two_alike

PATH = f"{TARGETS}/a"


def revert(client: Client, to: str, name: str = "a", **headers: str) -> TestResponse:
    """Revert the target `a` to a ref."""
    return client.post(f"{TARGETS}/{name}/revert", {"to": to}, **headers)


def blob(app: Flask, path: str, commit: str = "main") -> str:
    """Return the blob id of a file."""
    return demo(app, "rev-parse", f"{commit}:{path}").strip()


def test_revert_restores_the_file_in_a_new_commit(app: Flask, alice: Client):
    first = put(alice, "a", temperature=0.5)
    then = alice.get(PATH)
    put(alice, "a", temperature=0.7, max_tokens=5)
    before = count(app)
    answer = revert(alice, first)
    assert (answer.status_code, answer.json) == (200, then.json)
    assert blob(app, "targets/a.yml") == blob(app, "targets/a.yml", first)
    assert answer.headers["ETag"] == then.headers["ETag"] == f'"{blob(app, "targets/a.yml")}"'
    assert count(app) == before + 1
    assert answer.headers["Git-Commit"] == demo(app, "rev-parse", "main").strip()
    text = log(app, "-1", "--format=%an%n%B")
    assert text.startswith(f"Alice\nRevert a to {first[:10]}: 2 fields\n\n")
    assert {"temperature: 0.7 → 0.5", "max_tokens: 5 → (unset)"} <= set(text.splitlines())
    assert log(app, "-1", "--format=%(trailers:key=Reverted-To,valueonly)").strip() == first
    assert alice.get(PATH).json == then.json


def test_revert_restores_a_deleted_target(app: Flask, alice: Client):
    first = put(alice, "a", temperature=0.5)
    then = alice.get(PATH)
    alice.delete(PATH)
    answer = revert(alice, first)
    assert (answer.status_code, answer.json) == (200, then.json)
    assert blob(app, "targets/a.yml") == blob(app, "targets/a.yml", first)
    assert "temperature: (unset) → 0.5" in log(app, "-1", "--format=%b")
    assert alice.get(TARGETS).json == {"targets": ["a"]}
    value = explain(alice, "a")["fields"]["/temperature"]
    assert (value["value"], value["commit"]) == (0.5, answer.headers["Git-Commit"])


def test_revert_restores_the_template_version_of_that_time(app: Flask, alice: Client):
    put(alice, "base", temperature=0.5)
    first = put(alice, "a", "base", max_tokens=5)
    then = alice.get(PATH).json
    for name in ("base", "a"):
        alice.delete(f"{TARGETS}/{name}")
    assert revert(alice, first).json == then
    layers = explain(alice, "a")["layers"]
    assert [layer["name"] for layer in layers] == ["a", "base", "default"]
    demo(app, "fsck", "--strict")


def test_revert_takes_a_commit_a_short_id_a_tag_or_a_time(app: Flask, alice: Client):
    first = put(alice, "a", temperature=0.5)
    alice.post("/v1/repo/demo/tags", {"name": "v1"})
    then = alice.get(PATH).json
    for to in (first, first[:8], "v1"):
        put(alice, "a", temperature=0.7)
        answer = revert(alice, to)
        assert (answer.status_code, answer.json) == (200, then)
        assert f"Reverted-To: {first}" in log(app, "-1", "--format=%b")
    now = put(alice, "a", temperature=0.9)
    assert revert(alice, "2999-01-01T00:00:00Z").headers["Git-Commit"] == now


def test_revert_restores_question_templates(app: Flask, alice: Client):
    first = put(alice, "a", generators=asking("one"))
    put(alice, "a", generators=asking("two"))
    assert show(app, "templates/ask.txt") == "two"
    revert(alice, first)
    assert show(app, "templates/ask.txt") == "one"
    written = log(app, "-1", "--name-only", "--format=").split()
    assert written == ["targets/a.yml", "templates/ask.txt"]
    alice.delete(PATH)
    put(alice, "b", generators=asking("three"))
    before = count(app)
    assert_error(revert(alice, first), 409, "RESOURCE_CONFLICT", "templates/ask.txt", "'b'")
    assert (show(app, "templates/ask.txt"), count(app)) == ("three", before)
    alice.delete(f"{TARGETS}/b")
    assert revert(alice, first).status_code == 200
    assert show(app, "templates/ask.txt") == "one"


def test_revert_to_the_current_version_makes_no_commit(app: Flask, alice: Client):
    put(alice, "a", generators=asking("one"))
    tip = put(alice, "other")
    before = count(app)
    for to in (tip, tip[:10]):
        answer = revert(alice, to)
        assert (answer.status_code, answer.json) == (200, alice.get(PATH).json)
        assert answer.headers["Git-Commit"] == tip
    assert count(app) == before


def test_a_revert_can_be_reverted(app: Flask, alice: Client):
    first = put(alice, "a", temperature=0.5)
    second = put(alice, "a", temperature=0.7)
    revert(alice, first)
    revert(alice, second)
    assert blob(app, "targets/a.yml") == blob(app, "targets/a.yml", second)
    assert log(app, "-4", "--format=%s").splitlines() == [
        f"Revert a to {second[:10]}: temperature 0.5 → 0.7",
        f"Revert a to {first[:10]}: temperature 0.7 → 0.5",
        "a: temperature 0.5 → 0.7",
        "Create a from default: temperature 1.0 → 0.5",
    ]


def test_revert_heeds_if_match(app: Flask, alice: Client):
    first = put(alice, "a", temperature=0.5)
    put(alice, "a", temperature=0.7)
    etag = alice.get(PATH).headers["ETag"]
    before = count(app)
    assert_error(revert(alice, first, If_Match='"x"'), 412, "PRECONDITION_FAILED", "'a'", etag)
    assert count(app) == before
    assert revert(alice, first, If_Match=etag).status_code == 200
    assert_error(revert(alice, first, If_Match=etag), 412, "PRECONDITION_FAILED")
    alice.delete(PATH)
    assert_error(revert(alice, first, If_Match=etag), 412, "PRECONDITION_FAILED", "does not exist")
    assert count(app) == before + 2


def test_revert_to_a_commit_without_the_target_names_the_commit(app: Flask, alice: Client):
    empty = put(alice, "other")
    put(alice, "a")
    alice.delete(PATH)
    gone = demo(app, "rev-parse", "main").strip()
    for commit in (empty, gone):
        assert_error(revert(alice, commit), 404, "RESOURCE_NOT_FOUND", "Target 'a'", commit)
    assert_error(revert(alice, empty[:8]), 404, "RESOURCE_NOT_FOUND", "Target 'a'", empty)
    assert demo(app, "rev-parse", "main").strip() == gone


def test_revert_to_a_name_taken_in_other_case_is_a_conflict(app: Flask, alice: Client):
    first = put(alice, "a", generators=asking("one"))
    alice.delete(PATH)
    put(alice, "A")
    before = count(app)
    assert_error(revert(alice, first), 409, "RESOURCE_CONFLICT", "'a'", "'A'")
    assert count(app) == before


def test_revert_to_an_unknown_or_ambiguous_ref_is_refused(app: Flask, alice: Client):
    first = put(alice, "a")
    put(alice, "a", temperature=0.5)
    repository = app.extensions["bakehouse"].store.open("alice/demo")
    stray, tree = off_the_branch(repository, "-p", first), demo(app, "rev-parse", "main^{tree}").strip()
    tip = demo(app, "rev-parse", "main").strip()
    for to in ("v1", "f" * 40, stray, tree, blob(app, "targets/a.yml"), "1970-01-02T00:00:00Z"):
        assert_error(revert(alice, to), 404, "RESOURCE_NOT_FOUND", "'demo'")
    assert demo(app, "rev-parse", "main").strip() == tip
    one, other = repository.transact(two_alike)
    assert_error(revert(alice, one[:4]), 409, "RESOURCE_CONFLICT", f"'{one[:4]}'")
    assert revert(alice, one).headers["Git-Commit"] == other


def test_wrong_bodies_of_a_revert_are_refused(app: Flask, alice: Client):
    put(alice, "a")
    before = count(app)
    assert_mistakes(alice.post(f"{PATH}/revert", {}), (["body", "to"], "missing"))
    for to in (None, 5):
        assert_mistakes(alice.post(f"{PATH}/revert", {"to": to}), (["body", "to"], "string_type"))
    for to in ("", "HEAD~1", "-x", "v1^", "a b", "2026-11-23T10:00:00", "2026-02-30T10:00:00Z"):
        assert_mistakes(revert(alice, to), (["body", "to"], "string_pattern_mismatch"))
    unknown = {"to": "v1", "force": True}
    assert_mistakes(alice.post(f"{PATH}/revert", unknown), (["body", "force"], "extra_forbidden"))
    assert count(app) == before


def test_revert_needs_write_access_and_an_existing_repo(app: Flask, master: Client, alice: Client):
    first = put(alice, "a", temperature=0.5)
    put(alice, "a", temperature=0.7)
    before = count(app)
    assert_error(revert(new_token(master, access="read"), first), 403, "FORBIDDEN")
    assert_error(revert(alice, first, "nope"), 404, "RESOURCE_NOT_FOUND", "Target 'nope'")
    refused = alice.post("/v1/repo/x/targets/a/revert", {"to": first})
    assert_error(refused, 404, "RESOURCE_NOT_FOUND", "Repo 'x'")
    assert_mistakes(revert(alice, first, "default"), (["path", "target_name"], "string_pattern_mismatch"))
    assert count(app) == before
