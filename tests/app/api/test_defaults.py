"""`/v1/repo/{repo_name}/defaults/target`: the template called `default`."""

import yaml
from flask import Flask

from tests.app.api.helpers import DEFAULT, TARGETS, demo, log, show
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import target

FIRST = {
    "generators": [],
    "model_name": "Qwen/Qwen3-32B",
    "num_traj_per_stimulus": 1,
    "max_concurrency": 10,
    "temperature": 1.0,
    "extra_kwargs": {},
}


def test_a_new_repo_has_a_default(app: Flask, alice: Client):
    answer = alice.get(DEFAULT)
    assert answer.json == {"config": FIRST}
    assert answer.headers["ETag"] == f'"{demo(app, "rev-parse", "main:defaults/target.yml").strip()}"'
    assert alice.get(DEFAULT, If_None_Match=answer.headers["ETag"]).status_code == 304
    assert_error(alice.get("/v1/repo/nope/defaults/target"), 404, "RESOURCE_NOT_FOUND", "Repo 'nope'")


def test_targets_start_from_the_default_and_keep_their_config(app: Flask, alice: Client):
    alice.post(TARGETS, target("before", max_tokens=5))
    config = {
        "temperature": 0.5,
        "v": "",
        "model_name": None,
        "extra_kwargs": {"b": 1, "a": None},
        "generators": [{"type": "custom", "seed": None, "template_content": "Ask"}],
    }
    expected = {
        "student_prompt": "",
        "generators": [{"type": "custom", "template_path": "templates/default-0.txt"}],
        "temperature": 0.5,
        "extra_kwargs": {"b": 1},
    }
    answer = alice.put(DEFAULT, {"config": config})
    assert (answer.status_code, answer.json) == (200, {"config": expected})
    assert alice.get(DEFAULT).json == {"config": expected}
    files = {"templates/default-0.txt": demo(app, "rev-parse", "main:templates/default-0.txt").strip()}
    assert yaml.safe_load(show(app, "defaults/target.yml")) == {"files": files, "config": expected}
    assert show(app, "templates/default-0.txt") == "Ask"
    text = log(app, "-1", "--format=%an%n%B")
    assert text.startswith("Alice\ndefault: 8 fields\n\n")
    assert "temperature: 1.0 → 0.5\n" in text
    assert 'model_name: "Qwen/Qwen3-32B" → (unset)\n' in text
    assert alice.post(TARGETS, target("after", max_tokens=5)).json["config"] == {**expected, "max_tokens": 5}
    assert alice.get(f"{TARGETS}/before").json["config"] == {**FIRST, "max_tokens": 5}
    recorded = yaml.safe_load(show(app, "targets/after.yml"))["template_version"]
    assert answer.headers["ETag"] == f'"{recorded}"'


def test_putting_the_same_default_makes_no_commit(app: Flask, alice: Client):
    before = log(app, "--format=%H")
    assert alice.put(DEFAULT, {"config": FIRST}).status_code == 200
    assert log(app, "--format=%H") == before


def test_put_of_the_default_heeds_if_match_and_if_none_match(alice: Client):
    etag = alice.get(DEFAULT).headers["ETag"]
    assert_error(alice.put(DEFAULT, {"config": {}}, If_None_Match="*"), 412, "PRECONDITION_FAILED")
    assert_error(alice.put(DEFAULT, {"config": {}}, If_Match='"x"'), 412, "PRECONDITION_FAILED")
    assert alice.put(DEFAULT, {"config": {}}, If_Match=etag).json == {"config": {}}
    assert_error(alice.put(DEFAULT, {"config": {}}, If_Match=etag), 412, "PRECONDITION_FAILED")


def test_the_default_is_validated_like_overrides(app: Flask, alice: Client):
    before = log(app, "--format=%H")
    assert_mistakes(
        alice.put(DEFAULT, {"config": {"temperature": 3, "x": 1, "generators": [{"type": "hardcoded"}]}}),
        (["body", "config", "temperature"], "less_than_equal"),
        (["body", "config", "x"], "extra_forbidden"),
        (["body", "config", "generators", 0, "questions"], "missing"),
    )
    assert_mistakes(alice.put(DEFAULT, {}), (["body", "config"], "missing"))
    assert_mistakes(alice.put(DEFAULT, {"config": None}), (["body", "config"], "dict_type"))
    assert log(app, "--format=%H") == before


def test_two_contents_for_one_question_template_are_a_conflict(app: Flask, alice: Client):
    before = log(app, "--format=%H")
    brings = {"type": "custom", "template_path": "ask.txt", "template_content": "one"}
    config = {"generators": [brings, brings | {"template_content": "two"}]}
    assert_error(alice.put(DEFAULT, {"config": config}), 409, "RESOURCE_CONFLICT", "templates/ask.txt")
    assert log(app, "--format=%H") == before
    alice.put(DEFAULT, {"config": {"generators": [brings]}})
    etag = alice.get(DEFAULT).headers["ETag"]
    changed = alice.put(DEFAULT, {"config": {"generators": [brings | {"template_content": "two"}]}})
    assert changed.headers["ETag"] != etag
    assert 'templates/ask.txt: "' in log(app, "-1", "--format=%B")
    other_case = {"config": {"generators": [brings | {"template_path": "Ask.txt"}]}}
    assert_error(alice.put(DEFAULT, other_case), 409, "RESOURCE_CONFLICT", "'Ask.txt'", "'ask.txt'")
