"""A clone alone is enough to check the explanations of the API."""

from collections.abc import Sequence
from typing import Any

import pytest
import yaml

from tests.app.registry.layers import fold, same
from tests.e2e.conftest import Git, User, new_user
from tests.payloads import asking, made
from tests.server import Server

TARGETS = "/v1/repo/demo/targets"
ABSENT = object()


def in_clone(git: Git, *arguments: str) -> str:
    """Return what git says of the clone."""
    return git("-C", "clone", *arguments).stdout


def put(user: User, name: str, template: str = "default", owner: User | None = None, **overrides: Any) -> None:
    query = f"?user_id={owner.id}" if owner else ""
    user.call("PUT", f"{TARGETS}/{name}{query}", made(template, **overrides))


def path_of(layer: dict[str, Any]) -> str:
    return "defaults/target.yml" if layer["layer"] == "default" else f"targets/{layer['name']}.yml"


def patch_in(layer: dict[str, Any], text: str) -> dict[str, Any]:
    """Return the patch in the file of a layer."""
    return (yaml.safe_load(text) or {}).get("config" if layer["layer"] == "default" else "overrides", {})


def value_at(document: Any, pointer: str) -> Any:
    """Return what is at a JSON Pointer, or ABSENT."""
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list):
            document = dict(enumerate(document)).get(int(key), ABSENT)
        else:
            document = document.get(key, ABSENT) if isinstance(document, dict) else ABSENT
    return document


def built(fields: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the config that the fields of an explanation make up."""
    config: dict[str, Any] = {}
    for field in fields:
        *outer, last = [key.replace("~1", "/").replace("~0", "~") for key in field["field"].split("/")[1:]]
        place = config
        for key in outer:
            place = place.setdefault(key, {})
        place[last] = field["value"]
    generators = config.get("generators")
    return {**config, "generators": list(generators.values())} if generators else config


@pytest.fixture
def explained(user: User, server: Server) -> dict[str, Any]:
    """The explanation of a target that two users changed, and whose templates are deleted."""
    guest = new_user(server)
    user.call("PUT", f"/v1/repo/demo/grants/{guest.id}", {"access": "write"})
    put(user, "base", temperature=0.5, max_tokens=5, extra_kwargs={"a/b": {"c": 1, "d": [1]}, "no": "no"})
    put(user, "middle", "base", generators=[{"type": "persona", "numq": 5}, *asking("Ask")])
    put(user, "top", "middle", extra_kwargs={"a/b": {"c": 2}})
    as_guest = f"{TARGETS}/top?user_id={user.id}"
    changed = {"extra_kwargs": {"a/b": {"c": 2, "d": None}}, "max_tokens": None}
    guest.call("PUT", as_guest, made("middle", **changed))
    guest.call("PUT", as_guest, made("top", temperature=1.5))
    put(user, "middle")
    user.call("DELETE", f"{TARGETS}/base")
    user.call("PUT", "/v1/repo/demo/defaults/target", {"config": {}})
    return user.call("GET", f"{TARGETS}/top/explain")


def test_layers_of_an_explanation_fold_to_the_config_in_a_clone(user: User, git: Git, explained: dict[str, Any]):
    git("clone", user.clone_url(), "clone")
    layers = explained["layers"]
    assert [layer["name"] for layer in layers] == ["top", "top", "middle", "base", "default"]
    patches = [patch_in(layer, in_clone(git, "cat-file", "-p", layer["version"])) for layer in layers]
    config = yaml.safe_load(in_clone(git, "show", "HEAD:targets/top.yml"))["config"]
    assert same(fold(patches[::-1]), config)
    assert same(built(explained["fields"]), config)
    assert user.call("GET", f"{TARGETS}/top")["config"] == config
    for layer in layers:
        written = in_clone(git, "rev-parse", f"{layer['commit']}:{path_of(layer)}").strip()
        assert written == layer["version"]


def test_the_commit_of_each_explained_field_changed_it(user: User, git: Git, explained: dict[str, Any]):
    git("clone", user.clone_url(), "clone")
    assert [field["field"] for field in explained["removed"]] == ["/max_tokens", "/extra_kwargs/a~1b/d"]
    authors = set()
    for field in [*explained["fields"], *explained["removed"]]:
        commit, path = field["commit"], path_of(field)
        trailers = "%(trailers:key=User,key=Token,key=Time,valueonly)"
        name, email, *told = in_clone(git, "log", "-1", f"--format=%an%n%ae%n{trailers}", commit).split()
        told_about = explained["commits"][commit]
        assert told_about["author"] == {"name": name, "email": email, "user": told[0], "token": told[1]}
        assert told_about["time"] == told[2]
        authors.add(email)
        assert f"+++ b/{path}\n" in in_clone(git, "show", commit)
        after = value_at(patch_in(field, in_clone(git, "show", f"{commit}:{path}")), field["field"])
        assert same(after, field["value"])
        earlier = in_clone(git, "log", "--format=%H", "--skip=1", commit, "--", path).split()
        if earlier:
            before = value_at(patch_in(field, in_clone(git, "show", f"{earlier[0]}:{path}")), field["field"])
            assert before is ABSENT or not same(before, after)
    assert len(authors) == 2


def test_a_clone_has_the_tags_and_the_files_at_each(user: User, git: Git):
    put(user, "x", temperature=0.5)
    user.call("POST", "/v1/repo/demo/tags", {"name": "v1", "message": "First release"})
    put(user, "x", temperature=0.7)
    user.call("POST", "/v1/repo/demo/tags", {"name": "v2"})
    git("clone", user.clone_url(), "clone")
    assert [line.split() for line in in_clone(git, "tag", "-l", "-n").splitlines()] == [
        ["v1", "First", "release"],
        ["v2", "v2"],
    ]
    for name, temperature in (("v1", 0.5), ("v2", 0.7)):
        config = yaml.safe_load(in_clone(git, "show", f"{name}:targets/x.yml"))["config"]
        assert config == user.call("GET", f"{TARGETS}/x?ref={name}")["config"]
        assert config["temperature"] == temperature
        tag = user.call("GET", f"/v1/repo/demo/tags/{name}")
        assert tag["commit"] == in_clone(git, "rev-parse", f"{name}^{{commit}}").strip()
        explained = user.call("GET", f"{TARGETS}/x/explain?ref={name}")
        assert explained["layers"][0]["commit"] == tag["commit"]
    user.call("POST", f"{TARGETS}/x/revert", {"to": "v1"})
    git("-C", "clone", "pull", "--ff-only")
    assert in_clone(git, "rev-parse", "HEAD:targets/x.yml") == in_clone(git, "rev-parse", "v1:targets/x.yml")
