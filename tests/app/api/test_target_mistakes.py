"""Wrong requests about targets: each mistake is named, and nothing is written."""

import pytest
from flask import Flask

from tests.app.api.helpers import TARGETS, log
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import target

BAD_FIELDS = [
    ({"temperature": True}, ["temperature"], "float_type"),
    ({"temperature": "1"}, ["temperature"], "float_type"),
    ({"temperature": -0.1}, ["temperature"], "greater_than_equal"),
    ({"temperature": 2.1}, ["temperature"], "less_than_equal"),
    ({"max_tokens": 0}, ["max_tokens"], "greater_than_equal"),
    ({"max_tokens": 1.0}, ["max_tokens"], "int_type"),
    ({"max_tokens": True}, ["max_tokens"], "int_type"),
    ({"max_tokens": "5"}, ["max_tokens"], "int_type"),
    ({"model_name": 5}, ["model_name"], "string_type"),
    ({"teacher_prompt": ""}, ["teacher_prompt"], "string_pattern_mismatch"),
    ({"v": "../x"}, ["v"], "string_pattern_mismatch"),
    ({"extra_kwargs": []}, ["extra_kwargs"], "dict_type"),
    ({"generators": {}}, ["generators"], "list_type"),
    ({"generators": ["x"]}, ["generators", 0], "dict_type"),
    ({"generators": [{}]}, ["generators", 0, "type"], "missing"),
    ({"generators": [{"type": "other"}]}, ["generators", 0, "type"], "literal_error"),
    ({"generators": [{"type": None}]}, ["generators", 0, "type"], "string_type"),
    ({"generators": [{"type": "persona", "numq": 0}]}, ["generators", 0, "numq"], "greater_than_equal"),
    ({"generators": [{"type": "persona", "x": 1}]}, ["generators", 0, "x"], "extra_forbidden"),
    ({"generators": [{"type": "hardcoded"}]}, ["generators", 0, "questions"], "missing"),
    (
        {"generators": [{"type": "hardcoded", "questions": [1]}]},
        ["generators", 0, "questions", 0],
        "string_type",
    ),
    ({"generators": [{"type": "from_dataset", "dataset": None}]}, ["generators", 0, "dataset"], "missing"),
    (
        {"generators": [{"type": "custom", "template_content": "é" * 600_000}]},
        ["generators", 0, "template_content"],
        "string_too_long",
    ),
    (
        {"generators": [{"type": "custom", "template_content": "a", "template_path": "x/.."}]},
        ["generators", 0, "template_path"],
        "string_pattern_mismatch",
    ),
    ({"unknown": 1}, ["unknown"], "extra_forbidden"),
    ({"_schema": 1}, ["_schema"], "extra_forbidden"),
]


@pytest.mark.parametrize(("overrides", "location", "kind"), BAD_FIELDS)
def test_each_wrong_field_is_named(app: Flask, alice: Client, overrides, location, kind):
    before = log(app, "--format=%H")
    assert_mistakes(alice.post(TARGETS, target("a", **overrides)), (["body", "overrides", *location], kind))
    put = alice.put(f"{TARGETS}/a", {"template": "default", "overrides": overrides})
    assert_mistakes(put, (["body", "overrides", *location], kind))
    assert log(app, "--format=%H") == before


def test_all_mistakes_are_reported_at_once(alice: Client):
    body = {"target_name": "-x", "template": "a/b", "overrides": {"temperature": 3, "x": 1}, "y": 1}
    assert_mistakes(
        alice.post("/v1/repo/-bad/targets", body),
        (["path", "repo_name"], "string_pattern_mismatch"),
        (["body", "target_name"], "string_pattern_mismatch"),
        (["body", "template"], "string_pattern_mismatch"),
        (["body", "overrides", "temperature"], "less_than_equal"),
        (["body", "overrides", "x"], "extra_forbidden"),
        (["body", "y"], "extra_forbidden"),
    )
    assert_mistakes(alice.post(TARGETS, {}), (["body", "target_name"], "missing"), (["body", "template"], "missing"))


@pytest.mark.parametrize("name", ["default", "batch", "a..b", "x.lock", ".a", "a b", "a\n", "", 5, None])
def test_bad_target_names_are_refused(alice: Client, name):
    kind = "string_pattern_mismatch" if isinstance(name, str) else "string_type"
    assert_mistakes(alice.post(TARGETS, {**target(), "target_name": name}), (["body", "target_name"], kind))


def test_unknown_templates_targets_and_repos_are_answered_404(alice: Client):
    assert_error(alice.post(TARGETS, target("a", "nope")), 404, "RESOURCE_NOT_FOUND", "Template 'nope'")
    assert_error(alice.post(TARGETS, target("a", "a")), 404, "RESOURCE_NOT_FOUND", "Template 'a'")
    assert_error(alice.put(f"{TARGETS}/a", {"template": "nope"}), 404, "RESOURCE_NOT_FOUND", "'nope'")
    assert_error(alice.get(f"{TARGETS}/a"), 404, "RESOURCE_NOT_FOUND", "Target 'a'")
    assert_error(alice.post("/v1/repo/x/targets", target()), 404, "RESOURCE_NOT_FOUND", "Repo 'x'")
    assert alice.get(TARGETS).json == {"targets": []}


def test_names_that_differ_only_in_case_are_a_conflict(alice: Client):
    alice.post(TARGETS, target("alpha"))
    assert_error(alice.post(TARGETS, target("Alpha")), 409, "RESOURCE_CONFLICT", "Alpha", "alpha")
    assert_error(alice.put(f"{TARGETS}/ALPHA", {"template": "default"}), 409, "RESOURCE_CONFLICT", "'alpha'")
    for name, path in (("one", "ask.txt"), ("two", "Ask.txt")):
        generator = {"type": "custom", "template_path": path, "template_content": "x"}
        response = alice.post(TARGETS, target(name, generators=[generator]))
    assert_error(response, 409, "RESOURCE_CONFLICT", "'Ask.txt'", "'ask.txt'")
    assert alice.get(TARGETS).json == {"targets": ["alpha", "one"]}
