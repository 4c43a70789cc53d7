"""What a request comes to is known before the work is done: refusals say the number, and nothing is written."""

import gzip
import json
import re
from typing import Any

import pytest
from flask import Flask
from marshmallow import Schema

from app.domain import canonical_yaml
from tests.app.api.helpers import DEFAULT, MESSAGES, PROMPTS, TARGETS, Limited, log
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import asking, made, target

TOO_LARGE = (["body"], "too_large")


@pytest.fixture
def dumped(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list of the sizes of all documents that are made from now on, as YAML."""
    sizes: list[int] = []
    join = canonical_yaml.dump

    def dump(document: Any) -> bytes:
        data = join(document)
        sizes.append(len(data))
        return data

    monkeypatch.setattr("app.registry.documents.dump", dump)
    return sizes


def deep(levels: int, items: int) -> dict[str, Any]:
    """Return an object with a list that is so deep and so long."""
    value: Any = [1] * items
    for _ in range(levels):
        value = {"a": value}
    return {"a": value}


def text(size: int) -> dict[str, Any]:
    return {"text": "x" * size}


def test_a_small_body_that_is_deep_and_long_is_refused_before_it_is_written(alice: Client, dumped: list[int]):
    values = {name: deep(90, 90_000) for name in "abcde"}
    packed = gzip.compress(json.dumps(made(extra_kwargs=values)).encode())
    assert len(packed) < 8192
    response = alice.request("PUT", f"{TARGETS}/a", packed, Content_Encoding="gzip")
    assert_mistakes(response, TOO_LARGE)
    assert dumped == []
    message = response.json["detail"][0]["msg"]
    sizes = [int(digits) for digits in re.findall(r"\d{4,}", message)]
    assert (len(sizes), sizes[0] > 100 * 1024 * 1024, sizes[1]) == (2, True, 1024 * 1024)
    assert "'targets/a.yml'" in message


def of_each_kind(size: int) -> list[tuple[str, str, Any]]:
    """Return a request for each kind of file, with a text of so many bytes."""
    return [
        ("PUT", f"{TARGETS}/a", made(extra_kwargs=text(size))),
        ("POST", TARGETS, target("a", extra_kwargs=text(size))),
        ("POST", f"{TARGETS}/batch", {"targets": [target("a", extra_kwargs=text(size))]}),
        ("PUT", f"{TARGETS}/a", made(generators=asking("x" * size))),
        ("PUT", DEFAULT, {"config": {"extra_kwargs": text(size)}}),
        ("PUT", f"{PROMPTS}/a", {"messages": [{"role": "user", "content": "x" * size}]}),
        ("POST", f"{PROMPTS}/batch", {"prompts": {"a": [{"role": "user", "content": "x" * size}]}}),
        ("POST", "/v1/repo", {"repo_name": "other", "base_model": "x" * size}),
        ("POST", "/v1/admin/users", {"user_id": "bob", "user_alias": "x" * size}),
    ]


@pytest.mark.parametrize("number", range(len(of_each_kind(0))))
def test_each_kind_of_file_is_limited(limited: Limited, number: int):
    client = limited(max_document=20_000)
    method, path, body = of_each_kind(20_001)[number]
    response = client.request(method, path, body)
    assert_mistakes(response, TOO_LARGE)
    assert "20000" in response.json["detail"][0]["msg"]
    assert client.get(TARGETS).json == {"targets": []}
    assert client.get("/v1/repo").json["repos"] == ["demo"]
    method, path, body = of_each_kind(8_000)[number]
    assert client.request(method, path, body).status_code in (200, 201)


def test_the_limit_of_a_document_is_exact(limited: Limited):
    prompt = {"messages": [{"role": "user", "content": "x" * 3000}]}
    size = len(canonical_yaml.dump(prompt))
    assert limited(max_document=size).put(f"{PROMPTS}/a", prompt).status_code == 200
    response = limited(max_document=size - 1).put(f"{PROMPTS}/b", prompt)
    assert_mistakes(response, TOO_LARGE)
    assert f" {size} bytes" in response.json["detail"][0]["msg"]


def test_what_is_larger_than_the_limit_stays_readable_and_can_be_deleted(limited: Limited):
    limited().put(f"{PROMPTS}/a", {"messages": [{"role": "user", "content": "x" * 5000}]})
    client = limited(max_document=2000)
    assert client.get(f"{PROMPTS}/a").status_code == 200
    assert client.put(f"{PROMPTS}/a", {"messages": MESSAGES}).status_code == 200
    assert client.delete(f"{PROMPTS}/a").status_code == 200


def test_a_batch_that_multiplies_its_template_is_refused_before_it_is_written(
    app: Flask, alice: Client, dumped: list[int]
):
    lines = [f"question {number} about something" for number in range(7000)]
    alice.post(TARGETS, target("base", generators=[{"type": "hardcoded", "questions": lines}]))
    commits = log(app, "--format=%H")
    made_before = len(dumped)
    for method in ("POST", "PUT"):
        batch = {"targets": [{"target_name": f"t{number}", "template": "base"} for number in range(1000)]}
        response = alice.request(method, f"{TARGETS}/batch", batch)
        assert_mistakes(response, TOO_LARGE)
        size, limit = (int(digits) for digits in re.findall(r"\d{4,}", response.json["detail"][0]["msg"]))
        assert (size > 1000 * 200_000, limit) == (True, 32 * 1024 * 1024)
    assert len(dumped) == made_before
    assert log(app, "--format=%H") == commits
    batch["targets"] = batch["targets"][:100]
    assert len(alice.post(f"{TARGETS}/batch", batch).json["created"]) == 100


def test_what_a_rebase_writes_is_limited_also_in_a_dry_run(limited: Limited):
    client = limited(max_write=50_000)
    client.post(TARGETS, target("base", extra_kwargs={"small": 1}))
    for number in range(6):
        client.post(TARGETS, target(f"child-{number}", "base", temperature=0.5))
    client.put(f"{TARGETS}/base", made(extra_kwargs=text(9001)))
    client.put(DEFAULT, {"config": {"temperature": 0.1}})
    for dry_run in (True, False):
        response = client.post(f"{TARGETS}/base/rebase", {"descendants": True, "dry_run": dry_run})
        assert_mistakes(response, TOO_LARGE)
        assert "50000" in response.json["detail"][0]["msg"]
    assert client.get(f"{TARGETS}/child-0").json["config"]["extra_kwargs"] == {"small": 1}


@pytest.mark.parametrize("value", ["[]", "{}", "0", '{"":0}'])
def test_values_are_counted_before_they_are_read(limited: Limited, monkeypatch: pytest.MonkeyPatch, value: str):
    client = limited(max_values=1000)
    fits = json.dumps(made(extra_kwargs={"text": "[1, 2, {}]," * 10_000, "list": [1] * 900}))
    assert client.put(f"{TARGETS}/a", fits.encode()).status_code == 200
    monkeypatch.setattr("app.wire.json_text.json", None)
    body = '{"template": "default", "overrides": {"extra_kwargs": {"a": [' + ",".join([value] * 2000) + "]}}}"
    response = client.put(f"{TARGETS}/a", body.encode())
    assert_mistakes(response, (["body"], "too_long"))
    assert "1000" in response.json["detail"][0]["msg"]


def count_loads(patch: pytest.MonkeyPatch) -> list[int]:
    """Return a list of how many errors each load of a schema has."""
    errors: list[int] = []
    handle = Schema.handle_error

    def count(self: Schema, error: Any, data: Any, **options: Any) -> None:
        errors.append(len(error.messages))
        handle(self, error, data, **options)

    patch.setattr(Schema, "handle_error", count)
    return errors


def test_mistakes_beyond_a_hundred_are_counted(alice: Client):
    body = {**made(), **dict.fromkeys(map(str, range(5000)))}
    detail = alice.put(f"{TARGETS}/a", body).json["detail"]
    assert [entry["loc"] for entry in detail] == [*(["body", str(number)] for number in range(100)), ["body"]]
    assert (detail[-1]["type"], detail[-1]["msg"]) == ("too_many_mistakes", "Not listed here: 4900 more mistakes")
    messages = [{"role": 1}] * 101
    detail = alice.put(f"{PROMPTS}/a", {"messages": messages}).json["detail"]
    assert detail[-1]["msg"] == "Not listed here: 1 more mistake"
    surrogates = json.dumps(made(extra_kwargs={"a": ["\ud800"] * 300})).encode()
    assert alice.put(f"{TARGETS}/a", surrogates).json["detail"][-1]["msg"] == "Not listed here: 200 more mistakes"


def test_marshmallow_never_sees_many_unknown_fields(alice: Client, monkeypatch: pytest.MonkeyPatch):
    errors = count_loads(monkeypatch)
    alice.put(f"{TARGETS}/a", {**made(), "x": 1})
    assert errors == [1]
    alice.put(f"{TARGETS}/a", {**made(), **dict.fromkeys(map(str, range(90_000)))})
    assert errors == [1]


def test_items_of_one_wrong_name_are_told_a_hundred_times(alice: Client):
    items = [{"target_name": "-bad", "template": "default"}] * 3000
    failed = alice.post(f"{TARGETS}/batch", {"targets": items}).json["failed"]
    sentences = failed["-bad"].split("; ")
    assert (len(sentences), sentences[-1]) == (101, "and 2900 more of this name")
    assert len(failed["-bad"]) < 20_000


def test_a_rebase_with_descendants_counts_what_it_reads_before_it_waits_for_all(limited: Limited):
    client = limited(max_write=100_000)
    noise = {"noise": "x" * 8000}
    client.put(f"{TARGETS}/top", made(extra_kwargs=noise))
    for number in range(12):
        client.put(f"{TARGETS}/t{number}", made("top", extra_kwargs={"own": number}))
    before = client.get("/v1/repo/demo/log").json
    for dry_run in (True, False):
        answer = client.post(f"{TARGETS}/top/rebase", {"descendants": True, "dry_run": dry_run})
        assert_error(answer, 413, "PAYLOAD_TOO_LARGE", "100000 bytes")
    assert client.get("/v1/repo/demo/log").json == before
