"""Keys of endpoints are nowhere but in requests to endpoints, and users reach nothing but what runs are for."""

import json
import logging
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask

from tests.app.api.helpers import TARGETS, demo
from tests.app.api.runs import ROLLOUT, STIM, make_target, perform_all, serve_models, start
from tests.client import Client, assert_error
from tests.faulty_proxy import FaultyProxy
from tests.replies import CALLS, Reply, completion, failure, redirect

VARIABLE = "BAKERY_KEY"
KEYS = ["sk-planted-0123456789abcdef", 'sk-planted/"quoted"\\+&=0123456789']


def echoes(key: str) -> list[Reply]:
    """Return answers of an endpoint that tells its key wherever an answer has a place for text."""
    header = (("X-Key", key), ("Set-Cookie", f"key={key}"))
    calls = [{**CALLS[0], "id": key, "function": {"name": key, "arguments": json.dumps({"key": key})}}]
    good = [
        completion(f"Your key is {key}."),
        completion(None, reasoning_content=f"The key is {key}", annotations=[{"key": key}]),
        completion(None, "tool_calls", tool_calls=calls),
        completion(None, refusal=f"Not with {key}"),
        completion(key, key),
        completion(**{key: "a name"}),
        Reply(200, completion("KEY").body.replace(b"KEY", "".join(f"\\u{ord(char):04X}" for char in key).encode())),
    ]
    strange = [
        Reply(status, completion(key).body.decode().encode(code))
        for status in (200, 400)
        for code in ("utf-16", "utf-32")
    ]
    bad = [
        failure(422, f"Bearer {key} may not.", key),
        failure(400, key),
        Reply(404, f"<html>{key}</html>".encode(), header),
        failure(500, f"The key {key} broke."),
        Reply(200, f'{{"choices": "{key}"'.encode()),
    ]
    return [
        *(Reply(reply.status, reply.body, (*reply.headers, *header)) for reply in (*good, *strange, *bad)),
        failure(401, key),
    ]


def forms(key: str) -> list[bytes]:
    """Return how a text may tell a key."""
    texts = {key, json.dumps(key)[1:-1], quote(key), key.replace("/", "\\/"), " ".join(key)}
    escapes = "".join(f"\\u{ord(char):04X}" for char in key)
    return [*(form.encode() for form in (*texts, escapes)), key.encode("utf-16-le"), key.encode("utf-16-be")]


def stored(data_dir: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield all that is on disk, objects of git unpacked, and the ledger also as SQLite reads it."""
    for path in data_dir.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            yield path, data
            if data[:1] == b"x":  # a loose object
                yield path, zlib.decompressobj().decompress(data)
    with sqlite3.connect(data_dir / "runs.sqlite") as ledger:
        yield data_dir / "runs.sqlite", "\n".join(ledger.iterdump()).encode()
    ledger.close()


def reads() -> list[tuple[str, str]]:
    """Return the addresses where runs are read, with the format that is asked for."""
    plain = ["", "/output?limit=1000", "/rows", "/rows?body=true", "/rows?format=batch", "/rows?format=openai"]
    return [
        *((f"{kind}{place}", "*/*") for kind in (STIM, ROLLOUT) for place in plain),
        *((f"{ROLLOUT}/rows?body=true", accept) for accept in ("text/csv", "application/vnd.apache.parquet")),
        *((address, "*/*") for address in (f"{TARGETS}/a/runs", "/v1/repo/demo/runs", "/v1/repo/demo/log")),
        *((address, "*/*") for address in ("/v1/repo/demo/bundle", "/openapi.json", f"{TARGETS}/a", "/metrics")),
    ]


@pytest.mark.parametrize("key", KEYS)
def test_the_key_of_an_endpoint_is_told_by_nobody(
    app: Flask,
    alice: Client,
    proxy: FaultyProxy,
    key: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setenv(VARIABLE, key)
    caplog.set_level(logging.INFO)
    serve_models(app, proxy.url, api_key_env=VARIABLE)
    make_target(alice, num_traj_per_stimulus=20, max_concurrency=1)
    start(alice, STIM)
    start(alice, ROLLOUT)
    answers = [alice.get(ROLLOUT)]
    sent = echoes(key)
    proxy.replies(*sent)
    perform_all(app)
    status = alice.get(ROLLOUT).json
    assert (status["status"], status["error_type"]) == ("failed", "endpoint")
    assert "[key]" in status["error"]
    assert {seen.headers["authorization"] for seen in proxy.seen} == {f"Bearer {key}"}
    assert len(proxy.seen) >= len(sent)
    for last in (redirect(f"http://{quote(key)}@example.org/{quote(key)}"), None):
        if last is not None:
            proxy.replies(last)
        answers += [alice.get(address, Accept=accept) for address, accept in reads()]
        answers.append(alice.post(ROLLOUT, None))
        perform_all(app)
    assert alice.get(ROLLOUT).json["status"] == "complete"
    answers += [alice.get(address, Accept=accept) for address, accept in reads()]
    told = [(answer.request.path, answer.data + str(answer.headers).encode()) for answer in answers]
    told += stored(app.extensions["bakehouse"].settings.data_dir)
    told += [("log", caplog.text.encode()), ("git", demo(app, "log", "-p", "--all").encode())]
    assert len(told) > 50
    assert [place for place, data in told if any(form in data for form in forms(key))] == []


def test_users_name_models_and_no_addresses(app: Flask, alice: Client, proxy: FaultyProxy):
    serve_models(app, proxy.url, models=["m"])
    with FaultyProxy() as other:
        for extra in ({"base_url": other.url}, {"api_base": other.url}, {"extra_body": {"base_url": other.url}}):
            make_target(alice, extra_kwargs=extra)
            start(alice, STIM)
            assert_error(alice.post(ROLLOUT, None), 400, "INVALID_INPUT", "extra_kwargs.", "the operator's endpoint")
        for model in (other.url, f"m@{other.url}", "../m", "M"):
            make_target(alice, model_name=model)
            assert_error(alice.post(ROLLOUT, None), 400, "INVALID_INPUT", "No endpoint serves", "'m'")
        make_target(alice, extra_kwargs={"user": other.url, "metadata": {"callback": other.url}})
        start(alice, ROLLOUT)
        perform_all(app)
        assert (len(proxy.seen), other.seen) == (6, [])
    assert {seen.path for seen in proxy.seen} == {"/v1/chat/completions"}


@pytest.mark.parametrize(
    "reach",
    ["${numq.__class__}", "${prompt_u.__init__}", "$environ", "${__builtins__}", "{numq.mro}", "%(numq)s"],
)
def test_a_template_reaches_nothing_but_its_two_names(app: Flask, alice: Client, proxy: FaultyProxy, reach: str):
    serve_models(app, proxy.url)
    template = f"Ask ${{numq}} about ${{prompt_u}}.\n{reach}"
    generator = {"type": "custom", "model": "m", "numq": 1, "template_content": template}
    make_target(alice, generators=[generator])
    answer = alice.post(STIM, None)
    if "$" in reach:
        assert_error(answer, 400, "INVALID_INPUT", "line 2", "${numq}", "${prompt_u}")
        assert proxy.seen == []
    else:
        proxy.rule = lambda _: completion("1. Why?")
        perform_all(app)
        assert reach in json.dumps(proxy.bodies()[0]["messages"])
