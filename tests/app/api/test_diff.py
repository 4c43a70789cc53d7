"""`/targets/{target_name}/diff`: two versions or two targets compared, field by field or as git's text."""

from typing import Any

import pytest
from flask import Flask

from tests.app.api.helpers import TARGETS, demo, new_user
from tests.app.domain.helpers import apply
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import seed_overrides, target
from tests.storage.repositories import off_the_branch, two_alike
from tests.timeline import ELEVEN, TEN, TWELVE, demo_repository, put_target, refs, set_clock, tip

DIFF = f"{TARGETS}/a/diff"
TEXT = {"Accept": "text/x-diff"}


def text_of(client: Client, query: str, accept: str = "text/x-diff") -> str:
    """Return the text that is answered."""
    answer = client.get(f"{DIFF}?{query}", Accept=accept)
    assert (answer.status_code, answer.content_type) == (200, "text/x-diff; charset=utf-8")
    return answer.text


def version(client: Client, commit: str, name: str = "a") -> dict[str, Any]:
    """Return what one side of a comparison should tell."""
    blob = demo(client.app, "rev-parse", f"{commit}:targets/{name}.yml").strip()
    entry = client.get(f"{TARGETS}/{name}/history?ref={commit}").json["commits"][0]
    changed = {part: entry[part] for part in ("commit", "author", "time", "subject", "reason")}
    return {"target_name": name, "commit": commit, "version": blob, "changed": changed}


def test_diff_compares_a_target_field_by_field(alice: Client):
    first = put_target(alice, "a", temperature=0.5, max_tokens=5, extra_kwargs={"a/b": [1, 2]})
    second = put_target(alice, "a", temperature=0.75, v="p", extra_kwargs={"a/b": [1]})
    assert alice.get(f"{DIFF}?from={first}&to={second}").json == {
        "from": version(alice, first),
        "to": version(alice, second),
        "operations": [
            {"op": "remove", "path": "/max_tokens"},
            {"op": "replace", "path": "/temperature", "value": 0.75},
            {"op": "remove", "path": "/extra_kwargs/a~1b/1"},
            {"op": "add", "path": "/student_prompt", "value": "p"},
        ],
        "changes": [
            {"field": "/max_tokens", "old": 5},
            {"field": "/temperature", "old": 0.5, "new": 0.75},
            {"field": "/extra_kwargs/a~1b/1", "old": 2},
            {"field": "/student_prompt", "new": "p"},
        ],
    }


def test_operations_turn_the_old_config_into_the_new(alice: Client):
    overrides = seed_overrides()
    first = put_target(alice, "a", **overrides)
    overrides["generators"] = [{**overrides["generators"][1], "numq": 1}, overrides["generators"][3]]
    second = put_target(alice, "a", **overrides, extra_kwargs={"~": {"/": None, "": [{}]}})
    old, new = (alice.get(f"{TARGETS}/a?ref={commit}").json["config"] for commit in (first, second))
    assert apply(old, alice.get(f"{DIFF}?from={first}&to={second}").json["operations"]) == new
    assert apply(new, alice.get(f"{DIFF}?from={second}&to={first}").json["operations"]) == old
    assert old != new


def test_from_and_to_take_every_kind_of_ref(alice: Client, monkeypatch: pytest.MonkeyPatch):
    made = []
    for number, moment in enumerate((TEN, ELEVEN, TWELVE)):
        set_clock(monkeypatch, moment)
        made.append(put_target(alice, "a", max_tokens=number + 1))
    alice.post("/v1/repo/demo/tags", {"name": "v1", "ref": made[0]})
    for query, old, new in (
        ("from=v1", 1, 3),
        ("from=v1&to=", 1, 3),
        ("from=v1&to=main", 1, 3),
        (f"from={TEN}&to={ELEVEN}", 1, 2),
        (f"from={made[1][:12]}&to=v1", 2, 1),
        (f"from=HEAD&to={made[1]}", 3, 2),
    ):
        answer = alice.get(f"{DIFF}?{query}").json
        assert answer["changes"] == [{"field": "/max_tokens", "old": old, "new": new}]
        assert [answer["from"]["commit"], answer["to"]["commit"]] == [made[old - 1], made[new - 1]]


def test_text_diff_is_the_output_of_git_diff(app: Flask, alice: Client):
    first = put_target(alice, "a", temperature=0.5, extra_kwargs={"greeting": "Grüß Gott\nand more"})
    second = put_target(alice, "a", temperature=0.75, extra_kwargs={"greeting": "Grüß dich\nand more"})
    expected = demo(app, "diff", f"{first}:targets/a.yml", f"{second}:targets/a.yml")
    assert "+  temperature: 0.75\n" in expected
    assert "Grüß dich" in expected
    for accept in ("text/x-diff", "text/x-diff, application/json;q=0.5"):
        assert text_of(alice, f"from={first}&to={second}", accept) == expected
    for accept in ("application/json", "*/*", "application/json, text/x-diff;q=0.5", "text/html", ""):
        assert alice.get(f"{DIFF}?from={first}&to={second}", Accept=accept).json["changes"] != []


def test_a_target_that_did_not_change_has_an_empty_diff(alice: Client):
    first = put_target(alice, "a", temperature=0.5)
    put_target(alice, "b", temperature=0.75)
    answer = alice.get(f"{DIFF}?from={first}").json
    assert (answer["operations"], answer["changes"]) == ([], [])
    assert answer["from"]["version"] == answer["to"]["version"]
    assert text_of(alice, f"from={first}") == ""


def test_diff_compares_two_targets(app: Flask, alice: Client):
    alice.post(TARGETS, target("b", temperature=0.25))
    first = put_target(alice, "a", temperature=0.5)
    alice.put(f"{TARGETS}/b", {"template": "default", "overrides": {"temperature": 0.125}})
    now = tip(app)
    for query, commits, old in (
        ("against=b", (now, now), 0.125),
        (f"against=b&from={first}", (first, now), 0.25),
        (f"against=b&to={first}", (first, first), 0.25),
        (f"against=b&from={now}&to={first}", (now, first), 0.125),
        (f"against=b&from={first}&to={first}", (first, first), 0.25),
    ):
        answer = alice.get(f"{DIFF}?{query}").json
        assert answer["changes"] == [{"field": "/temperature", "old": old, "new": 0.5}]
        assert answer["operations"] == [{"op": "replace", "path": "/temperature", "value": 0.5}]
        assert answer["from"] == version(alice, commits[0], "b")
        assert answer["to"] == version(alice, commits[1], "a")
        sides = (f"{commits[0]}:targets/b.yml", f"{commits[1]}:targets/a.yml")
        assert text_of(alice, query) == demo(app, "diff", *sides) != ""


def test_comparing_a_commit_with_itself_is_refused(app: Flask, alice: Client):
    commit = put_target(alice, "a", temperature=0.5)
    alice.post("/v1/repo/demo/tags", {"name": "v1"})
    before = refs(app)
    for query in ("from=HEAD", f"from={commit}&to={commit[:12]}", "from=v1&to=main", f"from=v1&to={TWELVE}"):
        for headers in ({}, TEXT):
            assert_mistakes(alice.get(f"{DIFF}?{query}", **headers), (["query", "to"], "value_error"))
    assert refs(app) == before


def test_diff_needs_from_or_against(app: Flask, alice: Client):
    commit = put_target(alice, "a", temperature=0.5)
    before = refs(app)
    for query in ("", f"to={commit}", "from=", "against=&from="):
        assert_mistakes(alice.get(f"{DIFF}?{query}"), (["query", "from"], "missing"))
    mistakes = [(["query", name], "string_pattern_mismatch") for name in ("from", "to", "against")]
    assert_mistakes(alice.get(f"{DIFF}?from=a~1&to=..&against=default"), *mistakes)
    assert refs(app) == before


def test_a_version_that_does_not_exist_cannot_be_compared(app: Flask, alice: Client):
    start = tip(app)
    with_a = put_target(alice, "a", temperature=0.5)
    with_both = put_target(alice, "b", temperature=0.5)
    gone = alice.delete(f"{TARGETS}/a").headers["Git-Commit"]
    stray = off_the_branch(demo_repository(app))
    before = refs(app)
    for query, mention in (
        (f"from={start}&to={with_a}", "Target 'a'"),
        (f"from={with_a}&to={start}", "Target 'a'"),
        (f"from={with_a}&to={gone}", "Target 'a'"),
        (f"from={with_a}", "Target 'a'"),
        ("against=b", "Target 'a'"),
        (f"against=b&to={with_a}", "Target 'b'"),
        (f"against=b&from={with_a}&to={with_both}", "Target 'b'"),
        (f"against=c&to={with_both}", "Target 'c'"),
        (f"from=nope&to={with_a}", "'nope'"),
        (f"from={with_a}&to=nope", "'nope'"),
        (f"from={stray}&to={with_a}", stray),
        (f"from={with_a}&to={stray[:12]}", stray[:12]),
        (f"from=2001-01-01T00:00:00Z&to={with_a}", "2001-01-01"),
    ):
        for headers in ({}, TEXT):
            assert_error(alice.get(f"{DIFF}?{query}", **headers), 404, "RESOURCE_NOT_FOUND", mention)
    answer = alice.get("/v1/repo/nope/targets/a/diff?from=main")
    assert_error(answer, 404, "RESOURCE_NOT_FOUND", "Repo 'nope'")
    assert alice.get(f"{DIFF}?from={with_a}&to={with_both}").json["changes"] == []
    assert refs(app) == before


def test_an_ambiguous_abbreviation_is_a_conflict(app: Flask, alice: Client):
    put_target(alice, "a", temperature=0.5)
    one, other = demo_repository(app).transact(two_alike)
    for query in (f"from={one[:4]}", f"from={one}&to={one[:4]}", f"against=a&to={other[:4]}"):
        assert_error(alice.get(f"{DIFF}?{query}"), 409, "RESOURCE_CONFLICT", f"'{one[:4]}'")


def test_diff_needs_read_access(master: Client, alice: Client):
    bob = new_user(master, "bob")
    first = put_target(alice, "a", temperature=0.5)
    put_target(alice, "a", temperature=0.75)
    for headers in ({}, TEXT):
        assert_error(bob.get(f"{DIFF}?from={first}", **headers), 404, "RESOURCE_NOT_FOUND", "Repo 'demo'")
        answer = bob.get(f"{DIFF}?from={first}", X_User_Id="alice", **headers)
        assert_error(answer, 403, "FORBIDDEN", "'alice'")
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    assert bob.get(f"{DIFF}?from={first}", X_User_Id="alice").json["changes"] != []


def test_each_side_tells_the_commit_that_wrote_its_version_and_why(alice: Client):
    """Which may be older than the commit that is compared."""
    body = {"template": "default", "overrides": {"temperature": 0.5}}
    first = alice.put(f"{TARGETS}/a", body, X_Change_Reason="Too wild").headers["Git-Commit"]
    later = put_target(alice, "b")
    second = put_target(alice, "a", temperature=0.6)
    answer = alice.get(f"{DIFF}?from={later}").json
    told = [(answer[side]["changed"]["commit"], answer[side]["changed"]["reason"]) for side in ("from", "to")]
    assert told == [(first, "Too wild"), (second, None)]
