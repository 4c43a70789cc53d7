"""`POST …/targets/{target_name}/rebase`: resolve again on today's template."""

from typing import Any

import yaml
from flask import Flask

from tests.app.api.helpers import (
    DEFAULT,
    TARGETS,
    count,
    demo,
    descendants,
    drift,
    explain,
    log,
    new_token,
    new_user,
    put,
    show,
)
from tests.client import Client, assert_error, assert_mistakes


def rebase(client: Client, name: str, **body: Any) -> dict[str, Any]:
    """Rebase a target, and return what that changed."""
    answer = client.post(f"{TARGETS}/{name}/rebase", body)
    assert answer.status_code == 200, answer.text
    return answer.json


def config(client: Client, name: str) -> dict[str, Any]:
    """Return a target's config."""
    return client.get(f"{TARGETS}/{name}").json["config"]


def drifted(client: Client) -> str:
    """Make a target `child` of `base`, change `base`, and return the version of the child."""
    put(client, "base", temperature=0.5, max_tokens=5)
    put(client, "child", "base", max_tokens=6)
    put(client, "base", temperature=0.7, model_name="m")
    return client.get(f"{TARGETS}/child").headers["ETag"]


def test_rebase_resolves_a_target_on_todays_template(app: Flask, alice: Client):
    drifted(alice)
    before, told = count(app), drift(alice, "child")
    answer = alice.post(f"{TARGETS}/child/rebase", {}, X_Request_Id="req-1")
    base = demo(app, "rev-parse", "main:targets/base.yml").strip()
    changed = {name: told[name] for name in ("target_name", "template", "operations", "changes")}
    assert answer.json == {"dry_run": False, "targets": [{**changed, "template_version": base}]}
    assert answer.headers["Git-Commit"] == demo(app, "rev-parse", "main").strip()
    assert count(app) == before + 1
    assert config(alice, "child") == {**config(alice, "base"), "max_tokens": 6}
    document = yaml.safe_load(show(app, "targets/child.yml"))
    assert (document["template"], document["template_version"]) == ("base", base)
    assert document["overrides"] == {"max_tokens": 6}
    text = log(app, "-1", "--format=%an%n%B")
    assert text.startswith("Alice\nRebase child on base: 2 fields\n\n")
    assert {"temperature: 0.5 → 0.7", f"Template: base {base}", "Request-Id: req-1"} <= set(text.splitlines())
    assert drift(alice, "child")["state"] == "current"
    assert explain(alice, "child")["fields"]["/temperature"]["beaten"][0]["value"] == 1.0


def test_a_dry_run_answers_the_same_and_writes_nothing(app: Flask, alice: Client):
    drifted(alice)
    put(alice, "grandchild", "child")
    tip, before = demo(app, "rev-parse", "main"), config(alice, "child")
    dry = rebase(alice, "child", dry_run=True, descendants=True)
    assert dry["dry_run"] is True
    assert (demo(app, "rev-parse", "main"), config(alice, "child")) == (tip, before)
    assert drift(alice, "child")["state"] == "drifted"
    demo(app, "fsck", "--strict")
    assert rebase(alice, "child", descendants=True) == {**dry, "dry_run": False}


def test_rebase_with_nothing_to_do_makes_no_commit(app: Flask, alice: Client):
    drifted(alice)
    put(alice, "other", "child")
    rebase(alice, "child", descendants=True)
    before = count(app)
    tip = demo(app, "rev-parse", "main").strip()
    answer = alice.post(f"{TARGETS}/child/rebase", {"descendants": True})
    assert answer.json == {"dry_run": False, "targets": []}
    assert answer.headers["Git-Commit"] == tip
    assert count(app) == before


def test_all_descendants_are_rebased_in_one_commit_parents_first(app: Flask, alice: Client):
    put(alice, "root", max_tokens=1)
    tree = [("y", "root"), ("c", "y"), ("a", "c"), ("b", "root")]
    for name, template in [*tree, ("apart", "default")]:
        put(alice, name, template, extra_kwargs={name: 1})
    alice.put(DEFAULT, {"config": {"temperature": 0.3}})
    before, apart = count(app), show(app, "targets/apart.yml")
    found = rebase(alice, "root", descendants=True)["targets"]
    assert [target["target_name"] for target in found] == ["root", "b", "y", "c", "a"]
    assert count(app) == before + 1
    assert config(alice, "a") == {
        "max_tokens": 1,
        "temperature": 0.3,
        "extra_kwargs": {"a": 1, "c": 1, "y": 1},
    }
    for name, template in tree:
        recorded = yaml.safe_load(show(app, f"targets/{name}.yml"))["template_version"]
        assert recorded == demo(app, "rev-parse", f"main:targets/{template}.yml").strip()
    assert {state for *_, state in descendants(alice, "root")} == {"current"}
    assert show(app, "targets/apart.yml") == apart
    assert log(app, "-1", "--format=%s") == "Rebase root and 4 more: 26 fields\n"
    assert "Rebase a on c: 5 fields\n  temperature: 1.0 → 0.3\n" in log(app, "-1", "--format=%b")
    written = log(app, "-1", "--name-only", "--format=").split()
    assert written == [f"targets/{name}.yml" for name in ("a", "b", "c", "root", "y")]
    commit, default = demo(app, "rev-parse", "main", "main^").split()
    assert [layer["commit"] for layer in explain(alice, "a")["layers"]] == [commit] * 4 + [default]


def test_rebase_leaves_descendants_alone_by_default(app: Flask, alice: Client):
    drifted(alice)
    put(alice, "grandchild", "child")
    before = show(app, "targets/grandchild.yml")
    assert len(rebase(alice, "child")["targets"]) == 1
    assert show(app, "targets/grandchild.yml") == before
    assert drift(alice, "grandchild")["state"] == "drifted"
    assert len(rebase(alice, "child", descendants=True)["targets"]) == 1
    assert drift(alice, "grandchild")["state"] == "current"


def test_a_target_put_on_itself_is_rebased_on_its_first_template(app: Flask, alice: Client):
    put(alice, "base", temperature=0.5, extra_kwargs={"a": 1, "b": {"c": 1}})
    put(alice, "x", "base", max_tokens=5, extra_kwargs={"a": 2})
    put(alice, "x", "x", max_tokens=None, extra_kwargs={"b": None})
    put(alice, "x", "x", extra_kwargs={"b": {"d": 1}})
    put(alice, "base", temperature=0.7, max_tokens=9, extra_kwargs={"e": 1, "b": {"c": 1}})
    rebase(alice, "x")
    document = yaml.safe_load(show(app, "targets/x.yml"))
    assert document["template"] == "base"
    assert document["template_version"] == demo(app, "rev-parse", "main:targets/base.yml").strip()
    assert document["overrides"] == {
        "max_tokens": None,
        "extra_kwargs": {"a": 2, "b": {"c": None, "d": 1}},
    }
    merged = {"a": 2, "b": {"d": 1}, "e": 1}
    assert config(alice, "x") == {
        **{name: value for name, value in config(alice, "base").items() if name != "max_tokens"},
        "extra_kwargs": merged,
    }
    assert [layer["name"] for layer in explain(alice, "x")["layers"]] == ["x", "base", "default"]


def test_rebase_leaves_the_author_of_unchanged_fields(master: Client, alice: Client):
    drifted(alice)
    before = explain(alice, "child")["fields"]["/max_tokens"]["commit"]
    bob = new_user(master, "bob")
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    assert bob.post(f"{TARGETS}/child/rebase", {}, X_User_Id="alice").status_code == 200
    after = explain(alice, "child")
    authors = {commit: told["author"]["name"] for commit, told in after["commits"].items()}
    assert authors[after["layers"][0]["commit"]] == "bob"
    assert (after["fields"]["/max_tokens"]["commit"], authors[before]) == (before, "Alice")
    assert authors[after["fields"]["/temperature"]["commit"]] == "Alice"


def test_rebase_heeds_if_match(app: Flask, alice: Client):
    etag, path = drifted(alice), f"{TARGETS}/child/rebase"
    before = count(app)
    for body in ({}, {"dry_run": True}):
        assert_error(alice.post(path, body, If_Match='"x"'), 412, "PRECONDITION_FAILED", "'child'", etag)
    assert count(app) == before
    assert alice.post(path, {}, If_Match=etag).status_code == 200
    assert_error(alice.post(path, {}, If_Match=etag), 412, "PRECONDITION_FAILED", "'child'")
    assert count(app) == before + 1


def test_rebase_on_a_deleted_template_is_a_conflict(app: Flask, alice: Client):
    drifted(alice)
    put(alice, "grandchild", "child")
    put(alice, "child", "base", max_tokens=7)
    alice.delete(f"{TARGETS}/base")
    before = demo(app, "rev-parse", "main")
    for body in ({}, {"descendants": True}, {"dry_run": True}):
        refused = alice.post(f"{TARGETS}/child/rebase", body)
        assert_error(refused, 409, "RESOURCE_CONFLICT", "'base'", "'child'")
    assert demo(app, "rev-parse", "main") == before
    assert drift(alice, "grandchild")["state"] == "drifted"
    put(alice, "base", temperature=0.1)
    assert len(rebase(alice, "child", descendants=True)["targets"]) == 2


def test_wrong_bodies_of_a_rebase_are_refused(app: Flask, alice: Client):
    drifted(alice)
    before = count(app)
    for body, location, kind in (
        ({"dryrun": True}, ["dryrun"], "extra_forbidden"),
        ({"dry_run": "true"}, ["dry_run"], "bool_type"),
        ({"descendants": 1}, ["descendants"], "bool_type"),
        ({"descendants": None}, ["descendants"], "bool_type"),
        ([], [], "dict_type"),
    ):
        assert_mistakes(alice.post(f"{TARGETS}/child/rebase", body), (["body", *location], kind))
    assert count(app) == before


def test_rebase_needs_write_access_and_an_existing_target(app: Flask, master: Client, alice: Client):
    drifted(alice)
    before = count(app)
    reader = new_token(master, access="read")
    assert_error(reader.post(f"{TARGETS}/child/rebase", {}), 403, "FORBIDDEN")
    assert_error(reader.post(f"{TARGETS}/child/rebase", {"dry_run": True}), 403, "FORBIDDEN")
    assert_error(alice.post(f"{TARGETS}/nope/rebase", {}), 404, "RESOURCE_NOT_FOUND", "Target 'nope'")
    assert_error(alice.post("/v1/repo/x/targets/a/rebase", {}), 404, "RESOURCE_NOT_FOUND", "Repo 'x'")
    assert_mistakes(alice.post(f"{TARGETS}/default/rebase", {}), (["path", "target_name"], "string_pattern_mismatch"))
    assert count(app) == before


def test_rebase_keeps_the_question_templates_of_a_target(app: Flask, alice: Client):
    put(alice, "a", generators=[{"type": "oneshot_qs", "template_content": "Ask.\n"}])
    before = yaml.safe_load(show(app, "targets/a.yml"))["files"]
    put(alice, "a", "a", temperature=0.5)
    alice.put(DEFAULT, {"config": {"temperature": 0.1}})
    rebase(alice, "a")
    rebased = yaml.safe_load(show(app, "targets/a.yml"))
    assert rebased["files"] == before == {"templates/a-0.txt": rebased["files"]["templates/a-0.txt"]}
    put(alice, "a", generators=[])
    alice.put(DEFAULT, {"config": {"temperature": 0.2}})
    put(alice, "a", "a", generators=[{"type": "persona"}])
    put(alice, "a", "a", temperature=0.7)
    alice.put(DEFAULT, {"config": {"temperature": 0.3}})
    rebase(alice, "a")
    assert "files" not in yaml.safe_load(show(app, "targets/a.yml"))  # none is used any more
