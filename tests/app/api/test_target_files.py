"""Question templates: files that a target brings with it, in the same commit."""

from pathlib import Path

import yaml
from flask import Flask

from tests.app.api.helpers import TARGETS, demo, log, show
from tests.client import Client, assert_error
from tests.payloads import target
from tests.storage.repositories import git
from tests.timeline import demo_repository


def test_a_question_template_is_committed_with_its_target(app: Flask, alice: Client):
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
    assert_error(alice.post(TARGETS, target("b", generators=clash)), 409, "RESOURCE_CONFLICT", "templates/ask.txt")
    put = alice.put(f"{TARGETS}/a", {"template": "default", "overrides": {"generators": clash}})
    assert put.status_code == 200
    assert show(app, "templates/ask.txt") == "Other"


def test_other_content_of_a_question_template_is_a_conflict(alice: Client):
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


def test_the_version_of_a_target_covers_its_question_templates(app: Flask, alice: Client):
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


def test_a_question_template_added_to_an_equal_target_is_not_ignored(app: Flask, alice: Client):
    generator = {"type": "custom", "template_path": "templates/ask.txt"}
    alice.post(TARGETS, target("a", generators=[generator]))
    brings = target("a", generators=[generator | {"template_content": "Ask"}])
    assert_error(alice.post(TARGETS, brings), 409, "RESOURCE_CONFLICT", "'a' already exists")
    assert alice.put(f"{TARGETS}/a", {name: brings[name] for name in ("template", "overrides")}).status_code == 200
    assert show(app, "templates/ask.txt") == "Ask"
    assert alice.post(TARGETS, brings).status_code == 200


def test_a_clone_that_converts_line_ends_holds_the_blobs_that_files_names(app: Flask, alice: Client, tmp_path: Path):
    texts = ["Ask:\r\n{topic}\r\n", "Ask:\n{topic}\n", "a\r\nb\n"]
    alice.post(TARGETS, target("a", generators=[{"type": "custom", "template_content": text} for text in texts]))
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--config", "core.autocrlf=true", str(demo_repository(app).path), str(clone))
    files = yaml.safe_load((clone / "targets/a.yml").read_text())["files"]
    assert [(clone / path).read_bytes().decode() for path in files] == texts
    assert [git(clone, "hash-object", "--no-filters", path).strip() for path in files] == [*files.values()]
    assert git(clone, "status", "--porcelain") == ""
