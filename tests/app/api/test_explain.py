"""`GET …/targets/{target_name}/explain`: who set each value, when, and what it beat."""

from flask import Flask

from tests.app.api.helpers import TARGETS, demo, explain, log, put, said
from tests.client import Client, assert_error, assert_mistakes


def test_each_field_has_its_value_and_the_layer_that_set_it(alice: Client):
    put(alice, "base", temperature=0.5, max_tokens=10)
    put(alice, "child", "base", temperature=0.7)
    answer = alice.get(f"{TARGETS}/child/explain")
    assert answer.json["target_name"] == "child"
    assert said([{**field, "name": field["field"]} for field in answer.json["fields"]]) == [
        ("default", "/generators", []),
        ("default", "/model_name", "Qwen/Qwen3-32B"),
        ("default", "/num_traj_per_stimulus", 1),
        ("default", "/max_concurrency", 10),
        ("template", "/max_tokens", 10),
        ("overrides", "/temperature", 0.7),
        ("default", "/extra_kwargs", {}),
    ]
    assert answer.json["removed"] == []
    current = alice.get(f"{TARGETS}/child")
    assert [answer.headers[name] == current.headers[name] for name in ("ETag", "Git-Commit")] == [False, True]


def test_layers_have_the_names_and_versions_that_were_resolved(app: Flask, alice: Client):
    commits = [put(alice, "base", temperature=0.5), put(alice, "child", "base")]
    versions = [
        demo(app, "rev-parse", f"main:{path}").strip()
        for path in ("targets/child.yml", "targets/base.yml", "defaults/target.yml")
    ]
    layers = explain(alice, "child")["layers"]
    assert [(layer["layer"], layer["name"]) for layer in layers] == [
        ("overrides", "child"),
        ("template", "base"),
        ("default", "default"),
    ]
    assert [layer["version"] for layer in layers] == versions
    first = log(app, "--reverse", "--format=%H").split()[0]
    assert [layer["commit"] for layer in layers] == [commits[1], commits[0], first]


def test_beaten_values_are_listed_from_the_top_down(alice: Client):
    put(alice, "one", temperature=0.1, max_tokens=None)
    put(alice, "two", "one", temperature=None, max_tokens=7)
    put(alice, "three", "two", temperature=0.3)
    fields = explain(alice, "three")["fields"]
    assert said(fields["/temperature"]["beaten"]) == [
        ("template", "two", None),
        ("template", "one", 0.1),
        ("default", "default", 1.0),
    ]
    assert said([fields["/max_tokens"]]) == [("template", "two", 7)]
    assert said(fields["/max_tokens"]["beaten"]) == [("template", "one", None)]
    assert fields["/model_name"]["beaten"] == []


def test_a_field_removed_by_null_is_listed_as_removed(alice: Client):
    put(alice, "base", temperature=0.5)
    commit = put(alice, "child", "base", temperature=None, max_tokens=None)
    explained = explain(alice, "child")
    assert "/temperature" not in explained["fields"]
    assert list(explained["removed"]) == ["/temperature"]
    removed = explained["removed"]["/temperature"]
    assert said([removed]) == [("overrides", "child", None)]
    assert said(removed["beaten"]) == [("template", "base", 0.5), ("default", "default", 1.0)]
    assert removed["commit"] == commit


def test_generators_are_explained_by_position(alice: Client):
    first, second = {"type": "persona", "numq": 5}, {"type": "custom"}
    put(alice, "base", generators=[first, second])
    put(alice, "child", "base", generators=[{"type": "persona", "numq": 9, "seed": 1}])
    base, child = (explain(alice, name)["fields"] for name in ("base", "child"))
    assert [place for place in base if "generators" in place] == [
        "/generators/0/type",
        "/generators/0/numq",
        "/generators/1/type",
    ]
    assert said(child["/generators/0/numq"]["beaten"]) == [
        ("template", "base", 5),
        ("default", "default", []),
    ]
    assert said(child["/generators/0/seed"]["beaten"]) == [("default", "default", [])]
    assert "/generators/1/type" not in child


def test_objects_in_extra_kwargs_are_explained_leaf_by_leaf(alice: Client):
    put(alice, "base", extra_kwargs={"a": {"b": 1, "c/d~": [1, 2]}, "e": {"f": True}})
    put(alice, "child", "base", extra_kwargs={"a": {"b": 2}, "e": {"f": None}})
    explained = explain(alice, "child")
    fields = {place: field for place, field in explained["fields"].items() if "extra_kwargs" in place}
    assert said(list(fields.values())) == [
        ("overrides", "child", 2),
        ("template", "base", [1, 2]),
        ("overrides", "child", {}),
    ]
    assert list(fields) == ["/extra_kwargs/a/b", "/extra_kwargs/a/c~1d~0", "/extra_kwargs/e"]
    assert said(fields["/extra_kwargs/a/b"]["beaten"]) == [("template", "base", 1)]
    assert list(explained["removed"]) == ["/extra_kwargs/e/f"]


def test_a_value_replaced_by_an_object_is_listed_as_beaten(alice: Client):
    for name, value in (("text", "x"), ("list", [1]), ("empty", [])):
        put(alice, name, extra_kwargs={"a": value})
        put(alice, "child", name, extra_kwargs={"a": {"b": 2}})
        (*_, field) = explain(alice, "child")["fields"].values()
        assert (field["field"], field["value"]) == ("/extra_kwargs/a/b", 2)
        assert said(field["beaten"]) == [("template", name, value)]


def test_an_object_that_nulls_left_empty_is_explained_as_an_empty_object(alice: Client):
    put(alice, "a", extra_kwargs={"gone": None, "b": {"c": None}})
    explained = explain(alice, "a")
    assert explained["fields"]["/extra_kwargs/b"]["value"] == {}
    assert explained["removed"] == {}


def test_explain_of_unknown_targets_and_refs_is_answered_404(alice: Client):
    first = put(alice, "a")
    assert_error(alice.get(f"{TARGETS}/b/explain"), 404, "RESOURCE_NOT_FOUND", "Target 'b'")
    assert_error(alice.get("/v1/repo/x/targets/a/explain"), 404, "RESOURCE_NOT_FOUND", "Repo 'x'")
    put(alice, "b")
    assert_error(alice.get(f"{TARGETS}/b/explain?ref={first}"), 404, "RESOURCE_NOT_FOUND", "Target 'b'")
    assert_error(alice.get(f"{TARGETS}/a/explain?ref=v1"), 404, "RESOURCE_NOT_FOUND", "'v1'")
    assert_mistakes(alice.get(f"{TARGETS}/a/explain?ref=-a"), (["query", "ref"], "string_pattern_mismatch"))
    assert_mistakes(alice.get(f"{TARGETS}/default/explain"), (["path", "target_name"], "string_pattern_mismatch"))


def test_targets_may_be_named_like_the_addresses_of_actions(alice: Client):
    for name in ("preview", "explain", "drift"):
        put(alice, name, temperature=0.5)
        assert explain(alice, name)["fields"]["/temperature"]["layer"] == "overrides"
