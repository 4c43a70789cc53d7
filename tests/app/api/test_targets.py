"""`/v1/repo/{repo_name}/targets`: create, read, replace, list."""

import threading

import pytest
import yaml
from flask import Flask

from tests.app.api.helpers import TARGETS, demo, log, show
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import seed_overrides, target


def test_the_page_that_started_the_project(alice: Client):
    created = alice.post(TARGETS, target("coding_target"))
    assert created.status_code == 201
    assert created.headers["Location"] == f"{TARGETS}/coding_target"
    expected = {**seed_overrides(), "extra_kwargs": {}}
    assert created.json == {"target_name": "coding_target", "config": expected}
    again = alice.post(TARGETS, target("coding_target"))
    assert (again.status_code, again.json) == (200, created.json)
    assert "Location" not in again.headers
    other = alice.post(TARGETS, target("coding_target", temperature=0.1))
    assert_error(
        other, 409, "RESOURCE_CONFLICT", "Target 'coding_target' already exists with different config"
    )
    assert alice.get(f"{TARGETS}/coding_target").json == created.json


def test_a_target_is_a_readable_file(app: Flask, alice: Client):
    alice.post(TARGETS, target("base", temperature=1.5, max_tokens=10))
    alice.post(TARGETS, target("child", "base", max_tokens=None))
    base_id = demo(app, "rev-parse", "main:targets/base.yml")
    document = yaml.safe_load(show(app, "targets/child.yml"))
    assert document["template"] == "base"
    assert document["template_version"] == base_id.strip()
    assert document["overrides"] == {"max_tokens": None}
    assert document["config"] == {
        "generators": [],
        "model_name": "Qwen/Qwen3-32B",
        "num_traj_per_stimulus": 1,
        "max_concurrency": 10,
        "temperature": 1.5,
        "extra_kwargs": {},
    }


def test_the_log_tells_who_when_from_which_template_with_what(app: Flask, alice: Client):
    alice.post(TARGETS, target("a", temperature=0.7), X_Request_Id="req-1")
    text = log(app, "-1", "--format=%an <%ae>%n%cn%n%B", "--", "targets/a.yml")
    assert text.startswith(
        "Alice <alice@example.org>\nBakehouse\nCreate target a\n\ntemperature: 1.0 → 0.7\n\n"
    )
    assert "Template: default " in text
    assert "Request-Id: req-1\n" in text
    assert "On-Behalf-Of" not in text


def test_the_master_key_acts_for_a_user_and_says_so(app: Flask, master: Client, alice: Client):
    for number, headers in enumerate([{"X_User_Id": "alice"}, {}]):
        query = "" if headers else "?user_id=alice"
        answer = master.post(f"{TARGETS}{query}", target(f"t{number}", temperature=0.5), **headers)
        assert answer.status_code == 201
    text = log(app, "-2", "--format=%an%n%B")
    assert text.count("Alice\n") == text.count("On-Behalf-Of: alice\n") == 2
    assert alice.get(TARGETS).json == {"targets": ["t0", "t1"]}


def test_a_snapshot_does_not_follow_its_template(alice: Client):
    alice.post(TARGETS, target("base", temperature=1.5))
    alice.post(TARGETS, target("child", "base", max_tokens=7))
    alice.put(f"{TARGETS}/base", {"template": "default"})
    assert alice.get(f"{TARGETS}/child").json["config"]["temperature"] == 1.5


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ({"temperature": 1}, {"temperature": 1.0}, 200),
        ({"temperature": 0.5}, {"temperature": 0.5, "model_name": "Qwen/Qwen3-32B"}, 200),
        ({"extra_kwargs": {"a": 1, "b": 2}}, {"extra_kwargs": {"b": 2, "a": 1}}, 200),
        ({"u": "p"}, {"teacher_prompt": "p"}, 200),
        ({"generators": [{"type": "persona", "seed": None}]}, {"generators": [{"type": "persona"}]}, 200),
        ({"extra_kwargs": {"a": 1}}, {"extra_kwargs": {"a": True}}, 409),
        ({"extra_kwargs": {"a": 1}}, {"extra_kwargs": {"a": 1.0}}, 409),
        ({"extra_kwargs": {"a": "1"}}, {"extra_kwargs": {"a": 1}}, 409),
    ],
)
def test_what_counts_as_the_same(alice: Client, first, second, status):
    assert alice.post(TARGETS, target("a", **first)).status_code == 201
    assert alice.post(TARGETS, target("a", **second)).status_code == status


def test_the_same_request_is_the_same_after_its_template_changed(app: Flask, alice: Client):
    alice.post(TARGETS, target("base", temperature=1.5))
    created = alice.post(TARGETS, target("child", "base", max_tokens=7))
    alice.put(f"{TARGETS}/base", {"template": "default", "overrides": {"temperature": 0.1}})
    commits = log(app, "--format=%H")
    again = alice.post(TARGETS, target("child", "base", max_tokens=7))
    assert (again.status_code, again.json) == (200, created.json)
    assert again.headers["ETag"] == created.headers["ETag"]
    assert log(app, "--format=%H") == commits


def test_unknown_templates_and_repos(alice: Client):
    assert_error(alice.post(TARGETS, target("a", "nope")), 404, "RESOURCE_NOT_FOUND", "Template 'nope'")
    assert_error(alice.post(TARGETS, target("a", "a")), 404, "RESOURCE_NOT_FOUND", "Template 'a'")
    assert_error(alice.put(f"{TARGETS}/a", {"template": "nope"}), 404, "RESOURCE_NOT_FOUND", "'nope'")
    assert_error(alice.get(f"{TARGETS}/a"), 404, "RESOURCE_NOT_FOUND", "Target 'a'")
    assert_error(alice.post("/v1/repo/x/targets", target()), 404, "RESOURCE_NOT_FOUND", "Repo 'x'")
    assert alice.get(TARGETS).json == {"targets": []}


def test_names_that_differ_in_case_only(alice: Client):
    alice.post(TARGETS, target("alpha"))
    assert_error(alice.post(TARGETS, target("Alpha")), 409, "RESOURCE_CONFLICT", "Alpha", "alpha")
    assert_error(alice.put(f"{TARGETS}/ALPHA", {"template": "default"}), 409, "RESOURCE_CONFLICT", "'alpha'")
    for name, path in (("one", "ask.txt"), ("two", "Ask.txt")):
        generator = {"type": "custom", "template_path": path, "template_content": "x"}
        response = alice.post(TARGETS, target(name, generators=[generator]))
    assert_error(response, 409, "RESOURCE_CONFLICT", "'Ask.txt'", "'ask.txt'")
    assert alice.get(TARGETS).json == {"targets": ["alpha", "one"]}


def test_put_creates_replaces_and_builds_on_itself(app: Flask, alice: Client):
    path = f"{TARGETS}/a"
    assert alice.put(path, {"template": "default", "overrides": {"max_tokens": 5}}).status_code == 200
    answer = alice.put(path, {"template": "a", "overrides": {"temperature": 0.5}})
    assert (answer.json["config"]["max_tokens"], answer.json["config"]["temperature"]) == (5, 0.5)
    assert log(app, "-1", "--format=%B").startswith("Update target a\n\ntemperature: 1.0 → 0.5\n")
    replaced = alice.put(path, {"template": "default", "overrides": None})
    assert "max_tokens" not in replaced.json["config"]
    commits = log(app, "--format=%H")
    assert alice.put(path, {"template": "default"}).headers["ETag"] == replaced.headers["ETag"]
    assert log(app, "--format=%H") == commits


def test_versions_and_conditions(app: Flask, alice: Client):
    path = f"{TARGETS}/a"
    first = alice.put(path, {"template": "default"}, If_None_Match="*")
    blob = demo(app, "rev-parse", "main:targets/a.yml").strip()
    assert first.headers["ETag"] == f'"{blob}"'
    assert first.headers["Git-Commit"] == log(app, "-1", "--format=%H").strip()
    etag = first.headers["ETag"]

    fresh = alice.get(path, If_None_Match=etag)
    assert (fresh.status_code, fresh.data, fresh.headers["ETag"]) == (304, b"", etag)
    assert alice.get(path, If_None_Match='"other"').status_code == 200

    change = {"template": "a", "overrides": {"temperature": 0.5}}
    assert_error(alice.put(path, change, If_None_Match="*"), 412, "PRECONDITION_FAILED", "'a'")
    assert_error(alice.put(path, change, If_None_Match=etag), 412, "PRECONDITION_FAILED")
    assert_error(alice.put(path, change, If_Match='"other"'), 412, "PRECONDITION_FAILED", blob)
    assert_error(alice.put(path, change, If_Match=f"W/{etag}"), 412, "PRECONDITION_FAILED")
    assert_error(
        alice.put(f"{TARGETS}/b", change, If_Match="*"), 412, "PRECONDITION_FAILED", "does not exist"
    )
    assert alice.get(path).headers["ETag"] == etag
    changed = alice.put(path, change, If_Match=f'"other", {etag}')
    assert changed.status_code == 200
    assert_error(alice.put(path, change, If_Match=etag), 412, "PRECONDITION_FAILED")
    assert alice.put(path, change, If_Match="*").status_code == 200
    now = alice.get(path).headers["ETag"]
    assert_error(alice.put(path, change, If_None_Match=f"W/{now}"), 412, "PRECONDITION_FAILED")
    assert_error(alice.put(path, change, If_Match='"*"'), 412, "PRECONDITION_FAILED")
    now = alice.put(path, change, If_None_Match='"*"').headers["ETag"]
    assert alice.get(path, If_None_Match=f'"other", W/{now}').status_code == 304
    assert alice.get(path, If_None_Match="*").status_code == 304


def test_of_two_with_the_same_condition_one_wins(alice: Client):
    path = f"{TARGETS}/a"
    etag = alice.put(path, {"template": "default"}).headers["ETag"]
    statuses: list[int] = []

    def write(number: int) -> None:
        body = {"template": "default", "overrides": {"max_tokens": number}}
        statuses.append(alice.put(path, body, If_Match=etag).status_code)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [412] * 7


def test_a_template_file_is_committed_with_its_target(app: Flask, alice: Client):
    generators = [
        {"type": "custom", "template_path": "../x/ask.txt", "template_content": "Ask:\n{topic}"},
        {"type": "custom", "template_content": "Two"},
    ]
    answer = alice.post(TARGETS, target("a", generators=generators))
    assert answer.json["config"]["generators"] == [
        {"type": "custom", "template_path": "templates/ask.txt"},
        {"type": "custom", "template_path": "templates/a-1.txt"},
    ]
    assert show(app, "templates/ask.txt") == "Ask:\n{topic}"
    assert show(app, "templates/a-1.txt") == "Two"
    assert log(app, "-1", "--name-only", "--format=").split() == [
        "targets/a.yml",
        "templates/a-1.txt",
        "templates/ask.txt",
    ]
    clash = [{"type": "custom", "template_path": "ask.txt", "template_content": "Other"}]
    assert_error(
        alice.post(TARGETS, target("b", generators=clash)), 409, "RESOURCE_CONFLICT", "templates/ask.txt"
    )
    put = alice.put(f"{TARGETS}/b", {"template": "default", "overrides": {"generators": clash}})
    assert put.status_code == 200
    assert show(app, "templates/ask.txt") == "Other"


def test_other_content_of_a_template_file_is_another_target(alice: Client):
    def body(*contents: str) -> dict:
        generators = [
            {"type": "custom", "template_path": f"{number}/ask.txt", "template_content": content}
            for number, content in enumerate(contents)
        ]
        return target("a", generators=generators)

    assert_error(alice.post(TARGETS, body("one", "two")), 409, "RESOURCE_CONFLICT", "templates/ask.txt")
    assert alice.post(TARGETS, body("one", "one")).status_code == 201
    assert alice.post(TARGETS, body("one", "one")).status_code == 200
    assert_error(alice.post(TARGETS, body("two", "two")), 409, "RESOURCE_CONFLICT", "templates/ask.txt")


def test_the_files_of_a_target_are_of_its_version(app: Flask, alice: Client):
    def body(content: str) -> dict:
        return {
            "template": "default",
            "overrides": {"generators": [generator | {"template_content": content}]},
        }

    generator = {"type": "custom", "template_path": "ask.txt"}
    path = f"{TARGETS}/a"
    first = alice.put(path, body("one"))
    recorded = yaml.safe_load(show(app, "targets/a.yml"))["files"]
    assert recorded == {"templates/ask.txt": demo(app, "rev-parse", "main:templates/ask.txt").strip()}
    second = alice.put(path, body("two"), If_Match=first.headers["ETag"])
    assert (second.status_code, second.json) == (200, first.json)
    assert second.headers["ETag"] != first.headers["ETag"]
    assert 'templates/ask.txt: "' in log(app, "-1", "--format=%B")
    assert_error(alice.put(path, body("three"), If_Match=first.headers["ETag"]), 412, "PRECONDITION_FAILED")
    assert show(app, "templates/ask.txt") == "two"
    assert demo(app, "show", recorded["templates/ask.txt"]) == "one"


def test_no_file_is_passed_over(app: Flask, alice: Client):
    generator = {"type": "custom", "template_path": "templates/ask.txt"}
    alice.post(TARGETS, target("a", generators=[generator]))
    brings = target("a", generators=[generator | {"template_content": "Ask"}])
    assert_error(alice.post(TARGETS, brings), 409, "RESOURCE_CONFLICT", "'a' already exists")
    assert (
        alice.put(f"{TARGETS}/a", {name: brings[name] for name in ("template", "overrides")}).status_code
        == 200
    )
    assert show(app, "templates/ask.txt") == "Ask"
    assert alice.post(TARGETS, brings).status_code == 200


def test_delete(app: Flask, alice: Client):
    path = f"{TARGETS}/base"
    etag = alice.post(TARGETS, target("base", temperature=0.5)).headers["ETag"]
    child = alice.post(TARGETS, target("child", "base", max_tokens=5))
    assert_error(alice.delete(path, If_Match='"x"'), 412, "PRECONDITION_FAILED", "'base'")
    deleted = alice.delete(path, If_Match=etag)
    assert (deleted.status_code, deleted.json) == (200, {"message": "Target 'base' deleted"})
    assert deleted.headers["Git-Commit"] == log(app, "-1", "--format=%H").strip()
    assert log(app, "-1", "--format=%an: %s") == "Alice: Delete target base\n"
    assert_error(alice.get(path), 404, "RESOURCE_NOT_FOUND", "Target 'base'")
    assert_error(alice.delete(path, If_Match=etag), 404, "RESOURCE_NOT_FOUND", "Target 'base'")
    assert_error(alice.post(TARGETS, target("b", "base")), 404, "RESOURCE_NOT_FOUND", "Template 'base'")
    assert alice.get(f"{TARGETS}/child").json == child.json
    template_version = yaml.safe_load(show(app, "targets/child.yml"))["template_version"]
    assert "temperature: 0.5" in demo(app, "show", template_version)
    assert alice.post(TARGETS, target("base", temperature=0.1)).status_code == 201


def test_the_last_target_can_go(alice: Client):
    alice.post(TARGETS, target("a"))
    assert alice.delete(f"{TARGETS}/a").status_code == 200
    assert alice.get(TARGETS).json == {"targets": []}


def test_lists_are_sorted_and_have_versions(app: Flask, alice: Client):
    empty = alice.get(TARGETS)
    assert empty.json == {"targets": []}
    for name in ("b", "a.b", "a", "B2"):
        alice.post(TARGETS, target(name))
    listed = alice.get(TARGETS)
    assert listed.json == {"targets": sorted(["b", "a.b", "a", "B2"])}
    assert listed.headers["ETag"] == f'"{demo(app, "rev-parse", "main:targets").strip()}"'
    assert alice.get(TARGETS, If_None_Match=listed.headers["ETag"]).status_code == 304
    assert alice.get(TARGETS, If_None_Match=empty.headers["ETag"]).status_code == 200


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


def test_all_mistakes_are_told_at_once(alice: Client):
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
    assert_mistakes(
        alice.post(TARGETS, {}), (["body", "target_name"], "missing"), (["body", "template"], "missing")
    )


@pytest.mark.parametrize("name", ["default", "batch", "a..b", "x.lock", ".a", "a b", "a\n", "", 5, None])
def test_bad_target_names(alice: Client, name):
    kind = "string_pattern_mismatch" if isinstance(name, str) else "string_type"
    assert_mistakes(alice.post(TARGETS, {**target(), "target_name": name}), (["body", "target_name"], kind))


def test_anything_goes_in_extra_kwargs(alice: Client):
    odd = {
        "null": [None],
        "no": "no",
        "1": 1e22,
        "deep": {"x": {"y": [{}]}},
        "é": "😀\u0000\n",
        "n": 10**4000,
    }
    assert alice.post(TARGETS, target("a", extra_kwargs=odd)).status_code == 201
    assert alice.get(f"{TARGETS}/a").json["config"]["extra_kwargs"] == odd
