"""`GET …/targets/{target_name}/explain` of long chains and large targets: in pages, and in linear work."""

import itertools
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app import create_app
from app.registry.audit import layers
from app.registry.audit.layers import Layer, Value
from app.settings import Settings
from tests.app.api.helpers import TARGETS, put
from tests.client import Client
from tests.contracts import hold_to_contracts
from tests.payloads import made, target
from tests.seams import count_parses, count_processes
from tests.server import MASTER_KEY
from tests.timeline import demo_repository


def walk(client: Client, name: str) -> list[dict[str, Any]]:
    """Return all pages of an explanation, each as `next` of the one before tells."""
    found = [client.get(f"{TARGETS}/{name}/explain").json]
    while found[-1]["next"] is not None:
        following = found[-1]["next"]
        path = f"{TARGETS}/{following['target_name']}/explain?ref={following['ref']}&offset={following['offset']}"
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        found.append(answer.json)
    return found


def grow(client: Client, count: int, **overrides: Any) -> list[str]:
    """Put a target on itself many times, and return the commits."""
    first = put(client, "a", temperature=0.5, **overrides)
    return [first, *(put(client, "a", "a", max_tokens=number + 1) for number in range(count))]


def test_a_chain_longer_than_a_page_goes_on_at_the_layer_below(alice: Client):
    commits = grow(alice, 250)
    pages = walk(alice, "a")
    assert [len(page["layers"]) for page in pages] == [100, 100, 52]
    layers = [layer for page in pages for layer in page["layers"]]
    assert [layer["commit"] for layer in layers[:-1]] == commits[::-1]
    assert layers[-1]["layer"] == "default"
    values: dict[str, list[Any]] = defaultdict(list)
    for page in pages:
        for field in page["fields"]:
            values[field["field"]] += [field["value"], *(beaten["value"] for beaten in field["beaten"])]
    assert values["/max_tokens"] == [number + 1 for number in reversed(range(250))]
    assert values["/temperature"] == [0.5, 1.0]
    assert pages[0]["fields"][0]["field"] == "/max_tokens"


def test_a_long_chain_asks_git_and_parses_each_version_once(app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch):
    grow(alice, 250, model_name="once")
    demo_repository(app).checkpoint()
    commands, sizes = count_processes(monkeypatch), count_parses(monkeypatch)
    assert len(walk(alice, "a")) == 3
    assert len([command for command in commands if "log" in command]) <= 2  # for the target, and for the default
    assert len(sizes) < 250 + 20


def test_many_layers_need_few_processes(app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch):
    names = ["default", *(f"t{number}" for number in range(80))]
    batch = [target(name, below, max_tokens=5) for below, name in itertools.pairwise(names)]
    assert alice.post(f"{TARGETS}/batch", {"targets": batch}).json["failed"] == {}
    demo_repository(app).checkpoint()
    commands = count_processes(monkeypatch)
    explained = alice.get(f"{TARGETS}/t79/explain").json
    assert [layer["name"] for layer in explained["layers"]] == names[::-1]
    assert len({layer["commit"] for layer in explained["layers"][:-1]}) == 1
    assert len([command for command in commands if "log" in command]) == 1


class Bounded:
    """What a server whose answers are bounded is asked."""

    def __init__(self, tmp_path: Path, **limits: int) -> None:
        app = create_app(Settings(tmp_path / "data", MASTER_KEY, **limits))
        self.client = Client(hold_to_contracts(app), MASTER_KEY)
        self.client.post("/v1/repo", {"repo_name": "demo"})


def test_a_large_target_comes_in_pages(tmp_path: Path):
    client = Bounded(tmp_path, max_page=20_000).client
    generators = [{"type": "hardcoded", "questions": [f"What is {number}?"]} for number in range(200)]
    put(client, "base", generators=[{"type": "persona"}])
    put(client, "a", "base", generators=generators, model_name=None, temperature=None)
    pages = walk(client, "a")
    assert len(pages) > 5
    fields = [field["field"] for page in pages for field in page["fields"]]
    assert fields[:2] == ["/generators/0/type", "/generators/0/questions"]
    assert len(fields) == len(set(fields)) == 400 + 3
    removed = [field["field"] for page in pages for field in page["removed"]]
    assert sorted(removed) == ["/model_name", "/temperature"]
    written = {field["field"]: field for page in pages for field in page["fields"]}
    assert [beaten["value"] for beaten in written["/generators/0/type"]["beaten"]] == ["persona", []]
    for offset in range(0, 400, 100):
        assert len(client.get(f"{TARGETS}/a/explain?offset={offset}").data) < 21_000
    preview = client.post(f"{TARGETS}/preview", made("a", temperature=0.5))
    following = preview.json["next"]
    assert following == {"target_name": None, "ref": None, "offset": len(preview.json["fields"])}
    rest = client.post(f"{TARGETS}/preview?offset={following['offset']}", made("a", temperature=0.5))
    assert rest.json["fields"][0]["field"] not in {field["field"] for field in preview.json["fields"]}


def test_a_long_value_is_cut_unless_it_is_wanted_in_full(tmp_path: Path):
    client = Bounded(tmp_path).client
    put(client, "base", extra_kwargs={"a": "x" * 5000})
    put(client, "a", "base", extra_kwargs={"a": "y" * 5000})
    [short] = [field for field in client.get(f"{TARGETS}/a/explain").json["fields"] if field["field"][-2:] == "/a"]
    [whole] = [
        field for field in client.get(f"{TARGETS}/a/explain?full=true").json["fields"] if field["field"][-2:] == "/a"
    ]
    assert (short["value_cut"]["length"], "value" in short) == (5002, False)
    assert [beaten["value_cut"]["length"] for beaten in short["beaten"]] == [5002]
    assert (whole["value"], whole["beaten"][0]["value"]) == ("y" * 5000, "x" * 5000)


def test_what_explain_parses_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    client = Bounded(tmp_path, max_parsed=100_000).client
    kept = {"keep": "x" * 8000}
    for number in range(30):
        last = put(client, "a", extra_kwargs={**kept, "number": number})
    sizes = count_parses(monkeypatch)
    fields = {field["field"]: field for field in client.get(f"{TARGETS}/a/explain").json["fields"]}
    assert sum(sizes) <= 100_000 + 20_000
    assert fields["/extra_kwargs/keep"]["may_be_older"] is True
    assert "may_be_older" not in fields["/extra_kwargs/number"]
    assert fields["/extra_kwargs/number"]["commit"] == last
    for number in range(30):
        put(client, "b", "b" if number else "default", extra_kwargs={"keep": f"{number}" * 8000})
    sizes.clear()
    page = client.get(f"{TARGETS}/b/explain").json
    assert 1 <= len(page["layers"]) < 20
    assert sum(sizes) <= 100_000 + 20_000
    assert sum(len(page["layers"]) for page in walk(client, "b")) == 31


@pytest.mark.slow
def test_many_generators_on_many_layers_are_looked_at_a_page_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    client = Bounded(tmp_path, max_page=100_000).client
    put(client, "a", max_tokens=1)
    for number in range(60):
        put(client, "a", "a", generators=[], max_tokens=number + 2)
    put(client, "b", "a", generators=[{"type": "persona"}] * 20_000)
    made_of: list[Layer] = []
    monkeypatch.setattr(layers, "Value", lambda layer, value: made_of.append(layer) or Value(layer, value))
    answer = client.get(f"{TARGETS}/b/explain")
    assert len(answer.data) < 130_000
    assert len(answer.json["fields"][0]["beaten"]) == 61
    assert client.get(f"{TARGETS}/b/explain?offset=20003").json["fields"][0]["field"] == "/max_tokens"
    assert len(made_of) < 20_000
