"""`/v1/repo/{repo_name}/targets/batch`: many targets, one commit."""

import re
from typing import Any

import pytest
import yaml
from flask import Flask

from tests.app.api.helpers import MESSAGES, PROMPTS, TARGETS, demo, log, show
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import target

BATCH = f"{TARGETS}/batch"

WRONG_ITEMS: list[tuple[Any, str, str]] = [
    (target("-bad"), "-bad", "target_name: This name must start with a letter"),
    (target("hot", temperature=9), "hot", "overrides.temperature: This must be 2.0 or less"),
    (
        {"target_name": "bare", "x": 1},
        "bare",
        "template: This field is required; x: There is no such field",
    ),
    (target("lost", "nowhere"), "lost", "Template 'nowhere' not found"),
    ({"template": "default"}, "targets[1]", "target_name: This field is required"),
    ({"target_name": 5, "template": "default"}, "targets[1]", "target_name: This must be a string"),
    (5, "targets[1]", "This must be a JSON object"),
    (None, "targets[1]", "This must be a JSON object"),
]


def generators(*contents: str, path: str = "ask.txt") -> list[dict[str, Any]]:
    return [{"type": "custom", "template_path": path, "template_content": content} for content in contents]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_batch_is_one_commit_with_one_line_per_item(app: Flask, alice: Client, method: str):
    alice.post(TARGETS, target("there", temperature=0.5))
    alice.put(f"{PROMPTS}/p", {"messages": MESSAGES})
    before = log(app, "--format=%H").split()
    items = [
        target("base", temperature=1.5),
        target("child", "base", max_tokens=7, u="p"),
        target("there", temperature=0.5),
        {"target_name": "plain", "template": "default"},
    ]
    answer = alice.request(method, BATCH, {"targets": items}, X_Request_Id="req-1")
    assert (answer.status_code, answer.json) == (
        200,
        {
            "created": ["base", "child", "there", "plain"],
            "failed": {},
            "versions": {
                name: demo(app, "rev-parse", f"main:targets/{name}.yml").strip()
                for name in ("base", "child", "there", "plain")
            },
        },
    )
    assert log(app, "--format=%H").split()[1:] == before
    text, _, time = log(app, "-1", "--format=%an%n%B").partition("Time: ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\n\n", time)
    assert text == (
        "Alice\nWrite 3 targets: base, child, plain\n\n"
        "Create base from default: temperature 1.0 → 1.5\n"
        "Create child from base: 2 fields\n"
        '  teacher_prompt: (unset) → "p"\n'
        "  max_tokens: (unset) → 7\n"
        "Create plain from default\n\n"
        "Request-Id: req-1\nUser: alice\nToken: initial\n"
    )
    child = yaml.safe_load(show(app, "targets/child.yml"))
    assert child["template_version"] == alice.get(f"{TARGETS}/base").headers["ETag"].strip('"')
    assert (child["config"]["temperature"], child["config"]["max_tokens"]) == (1.5, 7)
    assert alice.request(method, BATCH, {"targets": items}).json == answer.json
    assert log(app, "--format=%H").split()[1:] == before


def test_a_batch_stores_the_same_files_as_single_requests(app: Flask, alice: Client):
    items = [target("base"), target("child", "base", temperature=0.1, generators=generators("Ask"))]
    alice.post(BATCH, {"targets": items})
    alice.post("/v1/repo", {"repo_name": "single"})
    for item in items:
        assert alice.post("/v1/repo/single/targets", item).status_code == 201
    for name in ("base", "child"):
        one, other = (alice.get(f"/v1/repo/{repo}/targets/{name}") for repo in ("demo", "single"))
        assert (one.json, one.headers["ETag"]) == (other.json, other.headers["ETag"])
    assert show(app, "templates/ask.txt") == "Ask"


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(("item", "name", "why"), WRONG_ITEMS)
def test_a_wrong_item_fails_alone(alice: Client, method: str, item: Any, name: str, why: str):
    answer = alice.request(method, BATCH, {"targets": [target("a"), item, target("b")]})
    assert answer.json["created"] == ["a", "b"]
    assert list(answer.json["failed"]) == [name]
    assert answer.json["failed"][name].startswith(why)
    assert alice.get(TARGETS).json == {"targets": ["a", "b"]}


def test_an_item_whose_template_failed_fails_too(alice: Client):
    items = [target("base", temperature=9), target("child", "base"), target("grandchild", "child")]
    answer = alice.post(BATCH, {"targets": items}).json
    assert (answer["created"], list(answer["failed"])) == ([], ["base", "child", "grandchild"])
    assert answer["failed"]["child"] == "Template 'base' not found"


def test_an_item_with_two_contents_for_one_file_fails_alone(alice: Client):
    answer = alice.post(BATCH, {"targets": [target("a", generators=generators("1", "2")), target("b")]}).json
    assert answer["created"] == ["b"]
    assert "templates/ask.txt" in answer["failed"]["a"]


@pytest.mark.parametrize(
    ("items", "mention"),
    [
        ([target("there", temperature=0.1)], "Target 'there'"),
        ([target("new", temperature=0.1), target("new", temperature=0.2)], "'new' is in the batch twice"),
        ([target("one", generators=generators("1")), target("two", generators=generators("2"))], "'two'"),
        ([target("There")], "'There'"),
        ([target("one"), target("ONE", temperature=0.1)], "'ONE'"),
        ([target("new", generators=generators("Other"))], "'templates/ask.txt'"),
    ],
)
def test_a_conflict_writes_nothing_of_the_batch(app: Flask, alice: Client, items, mention):
    alice.post(TARGETS, target("there", generators=generators("Ask")))
    before = log(app, "--format=%H")
    response = alice.post(BATCH, {"targets": [target("first"), *items, target("last")]})
    assert_error(response, 409, "RESOURCE_CONFLICT", mention)
    assert log(app, "--format=%H") == before
    assert alice.get(TARGETS).json == {"targets": ["there"]}
    assert alice.post(TARGETS, target("first")).status_code == 201


def test_put_batch_replaces_existing_targets(app: Flask, alice: Client):
    alice.post(TARGETS, target("there", generators=generators("Ask")))
    alice.post(TARGETS, target("as-it-is", generators=generators("Same", path="same.txt")))
    items = [
        target("there", "there", temperature=0.1, generators=generators("Other")),
        target("as-it-is", generators=generators("Same", path="same.txt")),
    ]
    assert alice.put(BATCH, {"targets": items}).json["created"] == ["there", "as-it-is"]
    assert alice.get(f"{TARGETS}/there").json["config"]["temperature"] == 0.1
    assert show(app, "templates/ask.txt") == "Other"
    assert log(app, "-1", "--format=%B").startswith(
        'there: 2 fields\n\ntemperature: 1.0 → 0.1\ntemplates/ask.txt: "d61c404bf25f82a8bc18101c469944e7f1f7b658" → "'
    )


def test_a_name_twice_in_a_batch_is_a_conflict(app: Flask, alice: Client):
    """Otherwise `b` would record a version of `a` that the commit of the batch does not contain."""
    items = [target("a", temperature=1.5), target("b", "a"), target("a", temperature=0.5)]
    for method in ("POST", "PUT"):
        response = alice.request(method, BATCH, {"targets": items})
        assert_error(response, 409, "RESOURCE_CONFLICT", "'a' is in the batch twice")
    assert alice.put(BATCH, {"targets": items[:2]}).status_code == 200
    assert "dangling" not in demo(app, "fsck")


def test_an_item_with_an_unknown_template_and_a_conflicting_file_fails_alone(alice: Client):
    alice.post(TARGETS, target("there", generators=generators("Ask")))
    items = [target("lost", "nowhere", generators=generators("Other")), target("good")]
    answer = alice.post(BATCH, {"targets": items}).json
    assert (answer["created"], list(answer["failed"])) == (["good"], ["lost"])


def test_a_batch_of_500_targets_is_one_commit(app: Flask, alice: Client):
    before = len(log(app, "--format=%H").split())
    items = [target(f"t{number}", temperature=number / 250) for number in range(500)]
    assert len(alice.post(BATCH, {"targets": items}).json["created"]) == 500
    assert len(alice.get(TARGETS).json["targets"]) == 500
    assert len(log(app, "--format=%H").split()) == before + 1
    assert alice.get(f"{TARGETS}/t499").json["config"]["temperature"] == 499 / 250


def test_bodies_that_are_not_a_batch_are_refused(alice: Client):
    assert_mistakes(alice.post(BATCH, {}), (["body", "targets"], "missing"))
    assert_mistakes(alice.put(BATCH, {"targets": {}}), (["body", "targets"], "list_type"))
    assert alice.post(BATCH, {"targets": []}).json == {"created": [], "failed": {}, "versions": {}}
    missing = alice.post("/v1/repo/nope/targets/batch", {"targets": []})
    assert_error(missing, 404, "RESOURCE_NOT_FOUND", "Repo 'nope'")
    response = alice.get(BATCH)
    assert_error(response, 405, "METHOD_NOT_ALLOWED", "GET")
    assert set(response.headers["Allow"].split(", ")) == {"OPTIONS", "POST", "PUT"}
