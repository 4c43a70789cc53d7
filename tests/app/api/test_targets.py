"""`/v1/repo/{repo_name}/targets`: create, read, replace, list."""

import pytest
import yaml
from flask import Flask

from tests.app.api.helpers import MESSAGES, PROMPTS, TARGETS, demo, log, show
from tests.client import Client, assert_error
from tests.payloads import seed_overrides, target


def test_the_first_documented_request_creates_a_target(alice: Client):
    for name in ("system_prompt_v1", "user_prompt_v1"):
        alice.put(f"{PROMPTS}/{name}", {"messages": MESSAGES})
    created = alice.post(TARGETS, target("coding_target"))
    assert created.status_code == 201
    assert created.headers["Location"] == f"{TARGETS}/coding_target"
    expected = {**seed_overrides(), "extra_kwargs": {}}
    assert created.json == {"target_name": "coding_target", "config": expected}
    again = alice.post(TARGETS, target("coding_target"))
    assert (again.status_code, again.json) == (200, created.json)
    assert "Location" not in again.headers
    other = alice.post(TARGETS, target("coding_target", temperature=0.1))
    assert_error(other, 409, "RESOURCE_CONFLICT", "Target 'coding_target' already exists with different config")
    assert alice.get(f"{TARGETS}/coding_target").json == created.json


def test_a_target_is_stored_as_readable_yaml(app: Flask, alice: Client):
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


def test_a_commit_message_has_author_template_fields_and_request_id(app: Flask, alice: Client):
    alice.post(TARGETS, target("a", temperature=0.7), X_Request_Id="req-1")
    text = log(app, "-1", "--format=%an <%ae>%n%cn%n%B", "--", "targets/a.yml")
    assert text.startswith(
        "Alice <alice@example.org>\nBakehouse\n"
        "Create a from default: temperature 1.0 → 0.7\n\ntemperature: 1.0 → 0.7\n\nTemplate: default "
    )
    assert "Request-Id: req-1\n" in text
    assert "On-Behalf-Of" not in text


def test_a_commit_by_the_master_key_names_the_user_it_acts_for(app: Flask, master: Client, alice: Client):
    for number, headers in enumerate([{"X_User_Id": "alice"}, {}]):
        query = "" if headers else "?user_id=alice"
        answer = master.post(f"{TARGETS}{query}", target(f"t{number}", temperature=0.5), **headers)
        assert answer.status_code == 201
    text = log(app, "-2", "--format=%an%n%B")
    assert text.count("Alice\n") == text.count("On-Behalf-Of: alice\n") == 2
    assert alice.get(TARGETS).json == {"targets": ["t0", "t1"]}


def test_a_target_does_not_follow_later_changes_of_its_template(alice: Client):
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
def test_creating_an_equal_target_again_is_200_and_another_409(alice: Client, first, second, status):
    assert alice.post(TARGETS, target("a", **first)).status_code == 201
    assert alice.post(TARGETS, target("a", **second)).status_code == status


def test_creating_a_target_again_is_200_after_its_template_changed(app: Flask, alice: Client):
    alice.post(TARGETS, target("base", temperature=1.5))
    created = alice.post(TARGETS, target("child", "base", max_tokens=7))
    alice.put(f"{TARGETS}/base", {"template": "default", "overrides": {"temperature": 0.1}})
    commits = log(app, "--format=%H")
    again = alice.post(TARGETS, target("child", "base", max_tokens=7))
    assert (again.status_code, again.json) == (200, created.json)
    assert again.headers["ETag"] == created.headers["ETag"]
    assert log(app, "--format=%H") == commits


def test_put_creates_replaces_and_takes_the_target_as_its_template(app: Flask, alice: Client):
    path = f"{TARGETS}/a"
    assert alice.put(path, {"template": "default", "overrides": {"max_tokens": 5}}).status_code == 200
    answer = alice.put(path, {"template": "a", "overrides": {"temperature": 0.5}})
    assert (answer.json["config"]["max_tokens"], answer.json["config"]["temperature"]) == (5, 0.5)
    assert log(app, "-1", "--format=%B").startswith("a: temperature 1.0 → 0.5\n\ntemperature: 1.0 → 0.5\n")
    replaced = alice.put(path, {"template": "default", "overrides": None})
    assert "max_tokens" not in replaced.json["config"]
    commits = log(app, "--format=%H")
    assert alice.put(path, {"template": "default"}).headers["ETag"] == replaced.headers["ETag"]
    assert log(app, "--format=%H") == commits


def test_delete_removes_a_target_and_heeds_if_match(app: Flask, alice: Client):
    path = f"{TARGETS}/base"
    etag = alice.post(TARGETS, target("base", temperature=0.5)).headers["ETag"]
    child = alice.post(TARGETS, target("child", "base", max_tokens=5))
    assert_error(alice.delete(path, If_Match='"x"'), 412, "PRECONDITION_FAILED", "'base'")
    deleted = alice.delete(path, If_Match=etag)
    assert (deleted.status_code, deleted.json["message"]) == (200, "Target 'base' deleted")
    assert deleted.headers["Git-Commit"] == log(app, "-1", "--format=%H").strip()
    assert log(app, "-1", "--format=%an: %s") == "Alice: Delete base\n"
    assert_error(alice.get(path), 404, "RESOURCE_NOT_FOUND", "Target 'base'")
    assert_error(alice.delete(path, If_Match=etag), 404, "RESOURCE_NOT_FOUND", "Target 'base'")
    assert_error(alice.post(TARGETS, target("b", "base")), 404, "RESOURCE_NOT_FOUND", "Template 'base'")
    assert alice.get(f"{TARGETS}/child").json == child.json
    template_version = yaml.safe_load(show(app, "targets/child.yml"))["template_version"]
    assert "temperature: 0.5" in demo(app, "show", template_version)
    assert alice.post(TARGETS, target("base", temperature=0.1)).status_code == 201


def test_the_last_target_can_be_deleted(alice: Client):
    alice.post(TARGETS, target("a"))
    assert alice.delete(f"{TARGETS}/a").status_code == 200
    assert alice.get(TARGETS).json == {"targets": []}


def test_list_of_targets_is_sorted_and_has_an_etag(app: Flask, alice: Client):
    empty = alice.get(TARGETS)
    assert empty.json == {"targets": []}
    for name in ("b", "a.b", "a", "B2"):
        alice.post(TARGETS, target(name))
    listed = alice.get(TARGETS)
    assert listed.json == {"targets": sorted(["b", "a.b", "a", "B2"])}
    assert listed.headers["ETag"] == f'"{demo(app, "rev-parse", "main:targets").strip()}"'
    assert alice.get(TARGETS, If_None_Match=listed.headers["ETag"]).status_code == 304
    assert alice.get(TARGETS, If_None_Match=empty.headers["ETag"]).status_code == 200


def test_extra_kwargs_takes_any_json(alice: Client):
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
