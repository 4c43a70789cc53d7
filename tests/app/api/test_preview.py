"""`POST …/targets/preview`: the config that a request would give, explained, without writing."""

from pathlib import Path
from typing import Any

from flask import Flask

from tests.app.api.helpers import TARGETS, demo, explain, new_token, new_user, put, said
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import asking, made, seed_overrides
from tests.storage.repositories import settle

PREVIEW = f"{TARGETS}/preview"
UNWRITTEN = dict.fromkeys(("name", "version", "commit"))


def contents(app: Flask) -> dict[Path, bytes]:
    """Return the state of alice's repo: its refs and all its objects."""
    folder = app.extensions["bakehouse"].settings.data_dir / "repos/alice/demo.git"
    settle(folder)
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fields(explained: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the fields of an answer, by JSON Pointer."""
    return {field["field"]: field for field in explained["fields"]}


def test_preview_resolves_and_explains_without_writing(app: Flask, alice: Client):
    commit = put(alice, "base", temperature=0.5, max_tokens=5)
    before = contents(app)
    answer = alice.post(PREVIEW, made("base", temperature=0.7, max_tokens=None, generators=asking("Ask")))
    assert answer.status_code == 200
    assert contents(app) == before
    assert answer.headers["Git-Commit"] == demo(app, "rev-parse", "main").strip()
    assert answer.json["config"] == {
        "generators": [{"type": "custom", "template_path": "templates/ask.txt"}],
        "model_name": "Qwen/Qwen3-32B",
        "num_traj_per_stimulus": 1,
        "max_concurrency": 10,
        "temperature": 0.7,
        "extra_kwargs": {},
    }
    own, base, default = answer.json["layers"]
    assert own == {"layer": "overrides", **UNWRITTEN}
    assert (base["layer"], base["name"], base["commit"]) == ("template", "base", commit)
    assert (default["layer"], answer.json["commits"][default["commit"]]["author"]["name"]) == ("default", "Alice")
    temperature = fields(answer.json)["/temperature"]
    assert {name: temperature[name] for name in UNWRITTEN} == UNWRITTEN
    assert said(temperature["beaten"]) == [("template", "base", 0.5), ("default", "default", 1.0)]
    (removed,) = answer.json["removed"]
    assert (removed["field"], removed["value"], removed["commit"]) == ("/max_tokens", None, None)
    assert said(removed["beaten"]) == [("template", "base", 5)]


def test_preview_equals_the_target_that_is_then_made(alice: Client):
    put(alice, "base", extra_kwargs={"a": {"b": 1}})
    body = made("base", **seed_overrides(), extra_kwargs={"a": {"c": None}})
    foretold = alice.post(PREVIEW, body).json
    assert alice.put(f"{TARGETS}/child", body).json["config"] == foretold["config"]
    explained = explain(alice, "child")
    settled = fields(foretold)
    assert list(settled) == list(explained["fields"])
    for place, field in explained["fields"].items():
        assert [field[name] for name in ("layer", "value", "beaten")] == [
            settled[place][name] for name in ("layer", "value", "beaten")
        ]
    assert foretold["layers"][1:] == explained["layers"][1:]


def test_preview_needs_no_overrides(alice: Client):
    expected = alice.get("/v1/repo/demo/defaults/target").json["config"]
    for body in ({"template": "default"}, {"template": "default", "overrides": None}):
        answer = alice.post(PREVIEW, body).json
        assert answer["config"] == expected
        assert {field["layer"] for field in answer["fields"]} == {"default"}


def test_preview_needs_read_access_only(app: Flask, master: Client, alice: Client):
    reader = new_token(master, access="read")
    before = contents(app)
    assert reader.post(PREVIEW, made()).status_code == 200
    assert_error(reader.post(TARGETS, {"target_name": "a", **made()}), 403, "FORBIDDEN")
    guest, as_guest = new_user(master, "bob"), {"X_User_Id": "alice"}
    assert_error(guest.post(PREVIEW, made(), **as_guest), 403, "FORBIDDEN")
    assert contents(app) == before
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    assert guest.post(PREVIEW, made(), **as_guest).status_code == 200
    assert_error(Client(app, None).post(PREVIEW, made()), 401, "UNAUTHORIZED")


def test_preview_of_unknown_templates_and_repos_is_answered_404(app: Flask, alice: Client):
    before = contents(app)
    assert_error(alice.post(PREVIEW, made("nope")), 404, "RESOURCE_NOT_FOUND", "Template 'nope'")
    assert_error(alice.post(PREVIEW, made("preview")), 404, "RESOURCE_NOT_FOUND", "Template 'preview'")
    missing = alice.post("/v1/repo/x/targets/preview", made())
    assert_error(missing, 404, "RESOURCE_NOT_FOUND", "Repo 'x'")
    twice = asking("one") + asking("two")
    assert_error(alice.post(PREVIEW, made(generators=twice)), 409, "RESOURCE_CONFLICT", "templates/ask.txt")
    assert contents(app) == before


def test_wrong_bodies_of_a_preview_are_refused(alice: Client):
    for body, location, kind in (
        ({}, ["template"], "missing"),
        (made(temperature=3), ["overrides", "temperature"], "less_than_equal"),
        (made(x=1), ["overrides", "x"], "extra_forbidden"),
        ({**made(), "target_name": "a"}, ["target_name"], "extra_forbidden"),
    ):
        assert_mistakes(alice.post(PREVIEW, body), (["body", *location], kind))


def test_a_target_may_be_called_preview(alice: Client):
    commit = put(alice, "preview", temperature=0.5)
    answer = alice.get(PREVIEW)
    assert (answer.json["target_name"], answer.headers["Git-Commit"]) == ("preview", commit)
    previewed = alice.post(PREVIEW, made("preview", max_tokens=5)).json
    assert (previewed["config"]["temperature"], previewed["config"]["max_tokens"]) == (0.5, 5)
    assert [layer["name"] for layer in previewed["layers"]] == [None, "preview", "default"]
    assert fields(previewed)["/temperature"]["commit"] == commit
    assert alice.get(TARGETS).json == {"targets": ["preview"]}
    assert alice.delete(PREVIEW).status_code == 200
    assert_error(alice.get(PREVIEW), 404, "RESOURCE_NOT_FOUND", "Target 'preview'")
