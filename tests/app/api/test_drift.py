"""`GET …/targets/{target_name}/drift` and `/descendants`: what today's templates would change in targets."""

from typing import Any

from flask import Flask

from tests.app.api.helpers import DEFAULT, TARGETS, descendants, drift, log, put
from tests.client import Client, assert_error, assert_mistakes

NO_CHANGE: dict[str, list[Any]] = {"operations": [], "changes": []}


def test_a_target_on_todays_template_is_current(alice: Client):
    put(alice, "a", temperature=0.5)
    expected = {
        "target_name": "a",
        "template": "default",
        "state": "current",
        "operations": [],
        "changes": [],
    }
    answer = alice.get(f"{TARGETS}/a/drift")
    assert answer.json == expected
    assert answer.headers["Git-Commit"] == alice.get(f"{TARGETS}/a").headers["Git-Commit"]


def test_drift_shows_what_a_rebase_would_change(app: Flask, alice: Client):
    put(alice, "base", temperature=0.5, max_tokens=5, extra_kwargs={"a": {"b": 1}, "c": 1})
    put(alice, "child", "base", model_name="m", extra_kwargs={"c": 2})
    put(alice, "base", temperature=0.7, teacher_prompt="p", extra_kwargs={"a": {"b": None}, "c": 3})
    commits = log(app, "--format=%H")
    assert drift(alice, "child") == {
        "target_name": "child",
        "template": "base",
        "state": "drifted",
        "operations": [
            {"op": "remove", "path": "/max_tokens"},
            {"op": "replace", "path": "/temperature", "value": 0.7},
            {"op": "remove", "path": "/extra_kwargs/a/b"},
            {"op": "add", "path": "/teacher_prompt", "value": "p"},
        ],
        "changes": [
            {"field": "/max_tokens", "old": 5},
            {"field": "/temperature", "old": 0.5, "new": 0.7},
            {"field": "/extra_kwargs/a/b", "old": 1},
            {"field": "/teacher_prompt", "new": "p"},
        ],
    }
    assert log(app, "--format=%H") == commits


def test_a_field_that_the_overrides_set_does_not_drift(alice: Client):
    put(alice, "base", temperature=0.5)
    put(alice, "child", "base", temperature=0.6)
    put(alice, "base", temperature=0.7)
    found = drift(alice, "child")
    assert (found["state"], found["changes"]) == ("drifted", [])


def test_a_target_is_current_again_once_its_template_is_restored(alice: Client):
    put(alice, "base", temperature=0.5)
    put(alice, "child", "base")
    alice.delete(f"{TARGETS}/base")
    gone = drift(alice, "child")
    assert gone == {"target_name": "child", "template": "base", "state": "template_gone", **NO_CHANGE}
    put(alice, "base", temperature=0.7)
    assert drift(alice, "child")["state"] == "drifted"
    put(alice, "base", temperature=0.5)
    assert drift(alice, "child")["state"] == "current"


def test_drift_ignores_changes_below_the_template(alice: Client):
    put(alice, "base")
    put(alice, "child", "base")
    alice.put(DEFAULT, {"config": {"temperature": 0.3}})
    assert drift(alice, "child")["state"] == "current"
    assert drift(alice, "base")["state"] == "drifted"


def test_a_target_put_on_itself_drifts_from_its_first_template(alice: Client):
    put(alice, "base", temperature=0.5, max_tokens=5)
    put(alice, "a", "base", model_name="m")
    put(alice, "a", "a", max_tokens=6)
    assert (drift(alice, "a")["template"], drift(alice, "a")["state"]) == ("base", "current")
    put(alice, "base", temperature=0.7, max_tokens=7)
    assert drift(alice, "a")["changes"] == [{"field": "/temperature", "old": 0.5, "new": 0.7}]
    alice.delete(f"{TARGETS}/base")
    assert drift(alice, "a")["state"] == "template_gone"


def test_descendants_are_listed_at_any_depth_parents_first(alice: Client):
    for name, template in [
        ("a", "default"),
        ("z", "a"),
        ("b", "z"),
        ("c", "b"),
        ("d", "a"),
        ("x", "default"),
    ]:
        put(alice, name, template, max_tokens=5)
    assert descendants(alice, "a") == [
        ("d", 1, "current"),
        ("z", 1, "current"),
        ("b", 2, "current"),
        ("c", 3, "current"),
    ]
    put(alice, "z", "a", max_tokens=6)
    put(alice, "a", temperature=0.5)
    states = [("d", 1, "drifted"), ("z", 1, "drifted"), ("b", 2, "drifted"), ("c", 3, "current")]
    assert descendants(alice, "a") == states
    assert descendants(alice, "c") == []
    (told, *_) = alice.get(f"{TARGETS}/a/descendants").json["descendants"]
    assert told == {**drift(alice, "d"), "depth": 1}


def test_a_target_put_on_itself_stays_a_descendant_of_its_first_template(alice: Client):
    put(alice, "a")
    put(alice, "b", "a")
    put(alice, "b", "b", temperature=0.5)
    assert descendants(alice, "a") == [("b", 1, "current")]
    assert descendants(alice, "b") == []
    alice.delete(f"{TARGETS}/a")
    assert_error(alice.get(f"{TARGETS}/a/descendants"), 404, "RESOURCE_NOT_FOUND", "Target 'a'")


def test_targets_that_are_templates_of_each_other_are_listed_once(alice: Client):
    put(alice, "a")
    put(alice, "b", "a")
    put(alice, "a", "b", temperature=0.5)
    assert descendants(alice, "a") == [("b", 1, "drifted")]
    assert descendants(alice, "b") == [("a", 1, "current")]


def test_names_that_yaml_reads_as_other_types_have_descendants(alice: Client):
    for name in ("no", "1e3", "2024-01-01", "n" * 100, "null"):
        put(alice, name)
        put(alice, "child", name)
        assert descendants(alice, name) == [("child", 1, "current")]


def test_drift_and_descendants_can_be_read_at_a_ref(alice: Client):
    put(alice, "base", temperature=0.5)
    then = put(alice, "child", "base")
    before = drift(alice, "child")
    put(alice, "base", temperature=0.7)
    put(alice, "other", "base")
    assert drift(alice, "child", f"?ref={then}") == before
    assert descendants(alice, "base", f"?ref={then}") == [("child", 1, "current")]
    assert descendants(alice, "base") == [("child", 1, "drifted"), ("other", 1, "current")]
    alice.delete(f"{TARGETS}/child")
    assert drift(alice, "child", f"?ref={then}") == before


def test_drift_and_descendants_of_unknown_targets_are_refused(alice: Client):
    put(alice, "a")
    for what in ("drift", "descendants"):
        assert_error(alice.get(f"{TARGETS}/b/{what}"), 404, "RESOURCE_NOT_FOUND", "Target 'b'")
        assert_error(alice.get(f"/v1/repo/x/targets/a/{what}"), 404, "RESOURCE_NOT_FOUND", "Repo 'x'")
        assert_error(alice.get(f"{TARGETS}/a/{what}?ref=v1"), 404, "RESOURCE_NOT_FOUND", "'v1'")
        wrong = alice.get(f"{TARGETS}/a/{what}?ref=%20")
        assert_mistakes(wrong, (["query", "ref"], "string_pattern_mismatch"))
