"""What targets, prompts and the default have alike: history, diff, revert, ETag and ref."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.app.api.helpers import DEFAULT, PROMPTS, TARGETS, count, demo, log, new_token, new_user, show
from tests.app.domain.helpers import apply
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import asking, made
from tests.storage.repositories import two_alike
from tests.timeline import commit_by_hand, demo_repository, tip

UNKNOWN = '"0000000000000000000000000000000000000000"'


@dataclass(frozen=True)
class Kind:
    """How a thing is addressed, where its file is, and the body that gives it a value."""

    address: str
    path: str
    reverted: str  # as the subject of a commit tells it, with {} for the commit
    body: Callable[[str], dict[str, Any]]
    field: str  # the JSON Pointer of the value
    name: dict[str, str]  # as answers have it

    def put(self, client: Client, value: str) -> str:
        """Give the thing a value, and return the commit."""
        answer = client.put(self.address, self.body(value))
        assert answer.status_code == 200, answer.text
        return answer.headers["Git-Commit"]

    def revert(self, client: Client, to: str, **headers: str) -> TestResponse:
        """Put the thing back as it was."""
        return client.post(f"{self.address}/revert", {"to": to}, **headers)

    def blob(self, app: Flask, commit: str = "main") -> str:
        """Return the blob id of its file."""
        return demo(app, "rev-parse", f"{commit}:{self.path}").strip()


TARGET = Kind(
    f"{TARGETS}/a",
    "targets/a.yml",
    'a to {}: model_name "two" → "one"',
    lambda value: made(model_name=value),
    "/model_name",
    {"target_name": "a"},
)
PROMPT = Kind(
    f"{PROMPTS}/p",
    "prompts/p.yml",
    "prompt p to {}: 1 message changed",
    lambda value: {"messages": [{"role": "system", "content": value}]},
    "/messages/0/content",
    {"prompt_name": "p"},
)
THE_DEFAULT = Kind(
    DEFAULT,
    "defaults/target.yml",
    'default to {}: model_name "two" → "one"',
    lambda value: {"config": {"model_name": value}},
    "/model_name",
    {},
)
KINDS = [
    pytest.param(TARGET, id="target"),
    pytest.param(PROMPT, id="prompt"),
    pytest.param(THE_DEFAULT, id="default"),
]
COMMIT = ("commit", "author", "time", "subject", "reason")  # what answers tell about one
of_each_kind = pytest.mark.parametrize("kind", KINDS)
of_what_can_be_deleted = pytest.mark.parametrize("kind", KINDS[:2])


@of_each_kind
def test_it_has_a_history(app: Flask, alice: Client, kind: Kind):
    one, two = kind.put(alice, "one"), kind.put(alice, "two")
    answer = alice.get(f"{kind.address}/history?limit=1")
    [entry] = answer.json["commits"]
    assert (entry["commit"], entry["action"], entry["version"]) == (two, "updated", kind.blob(app))
    assert entry["changes"] == [{"field": kind.field, "old": "one", "new": "two"}]
    assert answer.json["next"] == two
    [older, *_] = alice.get(f"{kind.address}/history?before={two}").json["commits"]
    assert older["commit"] == one
    assert alice.get(f"{kind.address}/history?ref={one}").json["commits"][0] == older
    assert answer.headers["Git-Commit"] == two


@of_each_kind
def test_a_history_that_is_known_is_answered_304(alice: Client, kind: Kind):
    one = kind.put(alice, "one")
    seen = alice.get(f"{kind.address}/history")
    known = alice.get(f"{kind.address}/history", If_None_Match=seen.headers["ETag"])
    assert (known.status_code, known.data) == (304, b"")
    kind.put(alice, "two")
    assert alice.get(f"{kind.address}/history", If_None_Match=seen.headers["ETag"]).status_code == 200
    then = alice.get(f"{kind.address}/history?ref={one}", If_None_Match=seen.headers["ETag"])
    assert then.status_code == 304
    assert alice.get(f"{kind.address}/history?limit=1").headers["ETag"] != seen.headers["ETag"]


def test_the_default_has_the_history_of_its_repo(app: Flask, alice: Client):
    [created] = alice.get(f"{DEFAULT}/history").json["commits"]
    assert (created["action"], created["subject"]) == ("created", log(app, "-1", "--format=%s").strip())
    alice.put(DEFAULT, {"config": {"generators": asking("one")}})
    newest, _ = alice.get(f"{DEFAULT}/history").json["commits"]
    blob = demo(app, "rev-parse", "main:templates/ask.txt").strip()
    assert {"field": "/files", "new": {"templates/ask.txt": blob}} in newest["changes"]


@of_each_kind
def test_two_versions_are_compared(app: Flask, alice: Client, kind: Kind):
    one, two = kind.put(alice, "one"), kind.put(alice, "two")
    answer = alice.get(f"{kind.address}/diff?from={one}&to={two}")
    blocks = {entry["commit"]: entry for entry in alice.get(f"{kind.address}/history").json["commits"]}
    told = [{name: blocks[commit][name] for name in COMMIT} for commit in (one, two)]
    assert answer.json == {
        "from": {**kind.name, "commit": one, "version": kind.blob(app, one), "changed": told[0]},
        "to": {**kind.name, "commit": two, "version": kind.blob(app, two), "changed": told[1]},
        "operations": [{"op": "replace", "path": kind.field, "value": "two"}],
        "changes": [{"field": kind.field, "old": "one", "new": "two"}],
    }
    backwards = alice.get(f"{kind.address}/diff?from={two}&to={one}").json
    assert backwards["changes"] == [{"field": kind.field, "old": "two", "new": "one"}]
    old, new = (alice.get(f"{kind.address}?ref={commit}").json for commit in (one, two))
    inner = "config" if "config" in old else None
    assert apply(old[inner] if inner else old, answer.json["operations"]) == (new[inner] if inner else new)
    assert alice.get(f"{kind.address}/diff?from={one}").json == answer.json


@of_each_kind
def test_a_text_is_that_of_git(app: Flask, alice: Client, kind: Kind):
    one, two = kind.put(alice, "one"), kind.put(alice, "two")
    answer = alice.get(f"{kind.address}/diff?from={one}", Accept="text/x-diff")
    assert (answer.status_code, answer.content_type) == (200, "text/x-diff; charset=utf-8")
    assert answer.text == demo(app, "diff", f"{one}:{kind.path}", f"{two}:{kind.path}") != ""


@of_each_kind
def test_a_comparison_that_is_known_is_answered_304(alice: Client, kind: Kind):
    one, two = kind.put(alice, "one"), kind.put(alice, "two")
    path = f"{kind.address}/diff?from={one}&to={two}"
    seen, text = alice.get(path), alice.get(path, Accept="text/x-diff")
    assert seen.headers["ETag"] != text.headers["ETag"]
    for answer, accept in ((seen, "application/json"), (text, "text/x-diff")):
        known = alice.get(path, Accept=accept, If_None_Match=answer.headers["ETag"])
        assert (known.status_code, known.data, known.headers["Vary"]) == (304, b"", "Accept")
    assert alice.get(path, Accept="text/x-diff", If_None_Match=seen.headers["ETag"]).text == text.text
    three = kind.put(alice, "three")
    assert alice.get(path, If_None_Match=seen.headers["ETag"]).status_code == 304
    assert alice.get(f"{kind.address}/diff?from={one}", If_None_Match=seen.headers["ETag"]).status_code == 200
    assert alice.get(f"{kind.address}/diff?from={two}&to={three}").headers["ETag"] != seen.headers["ETag"]


@of_each_kind
def test_a_comparison_with_itself_or_with_nothing_is_refused(alice: Client, kind: Kind):
    one = kind.put(alice, "one")
    assert_mistakes(alice.get(f"{kind.address}/diff"), (["query", "from"], "missing"))
    assert_mistakes(alice.get(f"{kind.address}/diff?from={one}"), (["query", "to"], "value_error"))
    assert_mistakes(alice.get(f"{kind.address}/diff?from=a~1"), (["query", "from"], "string_pattern_mismatch"))
    assert_error(alice.get(f"{kind.address}/diff?from=nope"), 404, "RESOURCE_NOT_FOUND", "'nope'")


def test_two_prompts_are_compared(app: Flask, alice: Client):
    alice.put(f"{PROMPTS}/q", PROMPT.body("other"))
    PROMPT.put(alice, "one")
    answer = alice.get(f"{PROMPTS}/p/diff?against=q").json
    assert (answer["from"]["prompt_name"], answer["to"]["prompt_name"]) == ("q", "p")
    assert answer["changes"] == [{"field": PROMPT.field, "old": "other", "new": "one"}]
    text = alice.get(f"{PROMPTS}/p/diff?against=q", Accept="text/x-diff").text
    assert text == demo(app, "diff", "main:prompts/q.yml", "main:prompts/p.yml")
    assert_error(alice.get(f"{PROMPTS}/p/diff?against=a"), 404, "RESOURCE_NOT_FOUND", "Prompt 'a'")
    assert_mistakes(alice.get(f"{PROMPTS}/p/diff?against=-"), (["query", "against"], "string_pattern_mismatch"))
    mistake = (["query", "against"], "extra_forbidden")
    assert_mistakes(alice.get(f"{DEFAULT}/diff?against=a&from=HEAD"), mistake)


@of_each_kind
def test_a_revert_restores_the_file_in_a_new_commit(app: Flask, alice: Client, kind: Kind):
    one = kind.put(alice, "one")
    then = alice.get(kind.address)
    kind.put(alice, "two")
    before = count(app)
    answer = kind.revert(alice, one)
    assert (answer.status_code, answer.json) == (200, then.json)
    assert kind.blob(app) == kind.blob(app, one)
    assert answer.headers["ETag"] == then.headers["ETag"]
    assert (count(app), answer.headers["Git-Commit"]) == (before + 1, tip(app))
    assert log(app, "-1", "--format=%an %s") == f"Alice Revert {kind.reverted.format(one[:10])}\n"
    assert log(app, "-1", "--format=%(trailers:key=Reverted-To,valueonly)").strip() == one
    assert alice.get(f"{kind.address}/history").json["commits"][0]["changes"] == [
        {"field": kind.field, "old": "two", "new": "one"}
    ]


@of_each_kind
def test_a_revert_to_what_is_there_makes_no_commit(app: Flask, alice: Client, kind: Kind):
    kind.put(alice, "one")
    last, before = alice.put(f"{TARGETS}/other", made()).headers["Git-Commit"], count(app)
    for to in (last, last[:10], "main"):
        answer = kind.revert(alice, to)
        assert (answer.status_code, answer.json) == (200, alice.get(kind.address).json)
        assert answer.headers["Git-Commit"] == last
    assert count(app) == before


@of_each_kind
def test_a_revert_takes_a_tag_or_a_time(alice: Client, kind: Kind):
    one = kind.put(alice, "one")
    then = alice.get(kind.address).json
    alice.post("/v1/repo/demo/tags", {"name": "v1"})
    moment = alice.get(f"{kind.address}/history").json["commits"][0]["time"]
    for to in ("v1", moment, one[:12]):
        kind.put(alice, "two")
        assert kind.revert(alice, to).json == then


@of_each_kind
def test_a_revert_heeds_its_conditions(app: Flask, alice: Client, kind: Kind):
    one = kind.put(alice, "one")
    kind.put(alice, "two")
    etag, before = alice.get(kind.address).headers["ETag"], count(app)
    assert_error(kind.revert(alice, one, If_Match=UNKNOWN), 412, "PRECONDITION_FAILED", etag)
    assert_error(kind.revert(alice, one, If_None_Match="*"), 412, "PRECONDITION_FAILED", etag)
    assert_error(kind.revert(alice, one, If_Unmodified_Since="x"), 400, "INVALID_INPUT", "If-Unmodified-Since")
    assert count(app) == before
    assert kind.revert(alice, one, If_Match=etag).status_code == 200
    assert_error(kind.revert(alice, one, If_Match=etag), 412, "PRECONDITION_FAILED")


@of_what_can_be_deleted
def test_a_revert_restores_what_was_deleted(app: Flask, alice: Client, kind: Kind):
    none = alice.put(f"{TARGETS}/other", made()).headers["Git-Commit"]
    one = kind.put(alice, "one")
    then = alice.get(kind.address)
    gone = alice.delete(kind.address).headers["Git-Commit"]
    for commit in (none, gone):
        assert_error(kind.revert(alice, commit), 404, "RESOURCE_NOT_FOUND", commit)
        assert_error(alice.get(f"{kind.address}/diff?from={commit}&to={one}"), 404, "RESOURCE_NOT_FOUND")
    assert_error(kind.revert(alice, one, If_Match="*"), 412, "PRECONDITION_FAILED", "does not exist")
    assert kind.revert(alice, one, If_None_Match="*").json == then.json
    assert kind.blob(app) == kind.blob(app, one)
    actions = [entry["action"] for entry in alice.get(f"{kind.address}/history").json["commits"]]
    assert actions == ["created", "deleted", "created"]


@of_what_can_be_deleted
def test_a_revert_to_a_name_taken_in_other_case_is_a_conflict(alice: Client, kind: Kind):
    one = kind.put(alice, "one")
    alice.delete(kind.address)
    folder, _, name = kind.address.rpartition("/")
    alice.put(f"{folder}/{name.upper()}", kind.body("other"))
    assert_error(kind.revert(alice, one), 409, "RESOURCE_CONFLICT", f"'{name}'", f"'{name.upper()}'")


@of_each_kind
def test_wrong_reverts_are_refused(app: Flask, alice: Client, kind: Kind):
    one = kind.put(alice, "one")
    kind.put(alice, "two")
    before = count(app)
    assert_mistakes(alice.post(f"{kind.address}/revert", {}), (["body", "to"], "missing"))
    assert_mistakes(kind.revert(alice, "HEAD~1"), (["body", "to"], "string_pattern_mismatch"))
    assert_mistakes(alice.post(f"{kind.address}/revert", {"to": one, "x": 1}), (["body", "x"], "extra_forbidden"))
    for to in ("nope", "f" * 40, "1970-01-02T00:00:00Z"):
        assert_error(kind.revert(alice, to), 404, "RESOURCE_NOT_FOUND", "'demo'")
    assert count(app) == before
    one, _ = demo_repository(app).transact(two_alike)
    assert_error(kind.revert(alice, one[:4]), 409, "RESOURCE_CONFLICT", one[:4])


@of_each_kind
def test_who_may_read_and_revert(app: Flask, master: Client, alice: Client, kind: Kind):
    one = kind.put(alice, "one")
    kind.put(alice, "two")
    before, reader, bob = count(app), new_token(master, access="read"), new_user(master, "bob")
    reads = [f"{kind.address}/history", f"{kind.address}/diff?from={one}"]
    assert_error(kind.revert(reader, one), 403, "FORBIDDEN")
    assert [reader.get(path).status_code for path in reads] == [200, 200]
    for path in reads:
        assert_error(bob.get(path), 404, "RESOURCE_NOT_FOUND", "Repo 'demo'")
        assert_error(bob.get(path, X_User_Id="alice"), 403, "FORBIDDEN")
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    assert [bob.get(path, X_User_Id="alice").status_code for path in reads] == [200, 200]
    assert_error(kind.revert(bob, one, X_User_Id="alice"), 403, "FORBIDDEN")
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    before = count(app)
    assert kind.revert(bob, one, X_User_Id="alice").status_code == 200
    assert (count(app), log(app, "-1", "--format=%an")) == (before + 1, "bob\n")


def test_a_revert_of_the_default_restores_its_question_templates(app: Flask, alice: Client):
    one = alice.put(DEFAULT, {"config": {"generators": asking("one")}}).headers["Git-Commit"]
    alice.put(DEFAULT, {"config": {"generators": asking("two")}})
    assert show(app, "templates/ask.txt") == "two"
    THE_DEFAULT.revert(alice, one)
    assert show(app, "templates/ask.txt") == "one"
    assert log(app, "-1", "--name-only", "--format=").split() == ["defaults/target.yml", "templates/ask.txt"]
    alice.put(DEFAULT, {"config": {}})
    assert "templates/ask.txt" not in demo(app, "ls-tree", "-r", "--name-only", "main")
    alice.put(f"{TARGETS}/b", made(generators=asking("three")))
    before = count(app)
    assert_error(THE_DEFAULT.revert(alice, one), 409, "RESOURCE_CONFLICT", "templates/ask.txt", "'b'")
    assert (show(app, "templates/ask.txt"), count(app)) == ("three", before)
    alice.delete(f"{TARGETS}/b")
    assert THE_DEFAULT.revert(alice, one).status_code == 200
    assert show(app, "templates/ask.txt") == "one"


def test_a_revert_warns_of_names_that_mean_nothing(alice: Client):
    one = alice.put(DEFAULT, {"config": {"teacher_prompt": "gone"}}).headers["Git-Commit"]
    alice.put(DEFAULT, {"config": {}})
    [warning] = THE_DEFAULT.revert(alice, one).json["warnings"]
    assert "'gone'" in warning
    assert THE_DEFAULT.revert(alice, one).json["warnings"] == [warning]


def test_targets_keep_their_config_when_the_default_is_reverted(alice: Client):
    one = THE_DEFAULT.put(alice, "one")
    THE_DEFAULT.put(alice, "two")
    alice.put(f"{TARGETS}/a", made())
    THE_DEFAULT.revert(alice, one)
    assert alice.get(f"{TARGETS}/a").json["config"]["model_name"] == "two"
    assert alice.get(f"{TARGETS}/a/drift").json["changes"] == [{"field": "/model_name", "old": "two", "new": "one"}]


def test_a_revert_of_a_prompt_restores_the_order_of_names(app: Flask, alice: Client):
    one = alice.put(f"{PROMPTS}/p", {"messages": [{"role": "user", "content": "x", "name": "n"}]}).headers["Git-Commit"]
    alice.put(f"{PROMPTS}/p", {"messages": [{"role": "user", "name": "n", "content": "x"}]})
    assert PROMPT.blob(app) != PROMPT.blob(app, one)
    answer = PROMPT.revert(alice, one)
    assert list(answer.json["messages"][0]) == ["role", "content", "name"]
    assert PROMPT.blob(app) == PROMPT.blob(app, one)


def test_what_a_prompt_is_compared_by_is_content(alice: Client):
    one = alice.put(f"{PROMPTS}/p", {"messages": []}).headers["Git-Commit"]
    alice.put(f"{PROMPTS}/p", {"messages": [], "tools": [{"b": 1}]})
    assert alice.get(f"{PROMPTS}/p/diff?from={one}").json["operations"] == [
        {"op": "add", "path": "/tools", "value": [{"b": 1}]}
    ]


@of_each_kind
def test_a_file_that_somebody_broke_is_told_as_damage(app: Flask, alice: Client, kind: Kind):
    one = kind.put(alice, "one")
    commit_by_hand(app, {kind.path: b"- no document\n"})
    broken = tip(app)
    for answer in (alice.get(f"{kind.address}/diff?from={one}"), kind.revert(alice, broken)):
        assert_error(answer, 503, "STORAGE_UNAVAILABLE", kind.path)
    newest = alice.get(f"{kind.address}/history").json["commits"][0]
    assert (newest["commit"], newest["changes"]) == (broken, None)


def test_a_comparison_of_large_prompts_is_refused_and_their_text_is_not(limited: Callable[..., Client]):
    client = limited(max_parsed=4096)
    one = PROMPT.put(client, "one" * 1000)
    PROMPT.put(client, "two" * 1000)
    assert_error(client.get(f"{PROMPTS}/p/diff?from={one}"), 413, "PAYLOAD_TOO_LARGE", "4096 bytes")
    assert client.get(f"{PROMPTS}/p/diff?from={one}", Accept="text/x-diff").status_code == 200
