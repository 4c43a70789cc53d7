"""Malformed bodies: each is answered 422, and nothing is written."""

import pytest
from flask import Flask

from app.settings import Settings
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import target

TARGETS = "/v1/repo/demo/targets"
DEEPEST = Settings.max_depth


def extra(text: str) -> bytes:
    """Return a valid body with this text as its extra_kwargs."""
    return f'{{"target_name": "a", "template": "default", "overrides": {{"extra_kwargs": {text}}}}}'.encode()


BAD_JSON = {
    "cut off": b'{"target_name": "a"',
    "no JSON": b"target_name=a",
    "two values": b"{} {}",
    "single quotes": b"{'target_name': 'a'}",
    "not UTF-8": b'{"target_name": "\xff"}',
    "UTF-16": '{"target_name": "a"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"target_name": "a"}',
    "a field twice": b'{"target_name": "a", "target_name": "b", "template": "default"}',
    "one of many fields twice": extra("{" + ",".join(f'"{n}": 1' for n in [*range(50_000), 49_999]) + "}"),
    "a nested field twice": extra('{"a": {"b": 1, "b": 1}}'),
    "NaN": extra('{"a": NaN}'),
    "Infinity": extra('{"a": -Infinity}'),
    "a float without bounds": extra('{"a": 1e999}'),
    "5,000 digits": extra('{"a": ' + "9" * 5000 + "}"),
    "10,000 brackets": b"[" * 10_000,
    "10,000 brackets that close": extra("[" * 10_000 + "]" * 10_000),
    "10,000 objects": extra('{"a":' * 10_000 + "1" + "}" * 10_000),
    "more levels than are kept": extra("[" * DEEPEST + "]" * DEEPEST),
}


@pytest.mark.parametrize("what", BAD_JSON)
def test_bad_json_is_refused_with_422(alice: Client, what: str):
    response = alice.post(TARGETS, BAD_JSON[what])
    assert response.status_code == 422
    (mistake,) = response.json["detail"]
    assert (mistake["loc"][0], mistake["type"]) == ("body", "json_invalid")
    assert len(mistake["msg"]) < 200
    assert alice.get(TARGETS).json == {"targets": []}


def test_a_body_may_have_as_many_levels_as_promised(alice: Client):
    levels = DEEPEST - 2
    assert alice.post(TARGETS, extra('{"a":' * levels + "1" + "}" * levels)).status_code == 201


@pytest.mark.parametrize("text", ["\\ud800", "a\\udc00b", "\\udc00\\ud800"])
def test_a_lone_surrogate_is_refused(alice: Client, text: str):
    response = alice.post(TARGETS, extra(f'{{"a": ["x", "{text}"]}}'))
    assert_mistakes(response, (["body", "overrides", "extra_kwargs", "a", 1], "string_unicode"))
    response = alice.post(TARGETS, extra(f'{{"{text}": 1}}'))
    assert_mistakes(response, (["body", "overrides", "extra_kwargs"], "string_unicode"))
    assert alice.post(TARGETS, extra('{"a": "\\ud83d\\ude00"}')).status_code == 201


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"5", b"true"])
def test_json_that_is_not_an_object_is_refused(alice: Client, body: bytes):
    assert_mistakes(alice.post(TARGETS, body), (["body"], "dict_type"))


def test_an_empty_body_or_another_content_type_is_refused(alice: Client):
    assert_mistakes(alice.request("POST", TARGETS, b"", Content_Type="application/json"), (["body"], "missing"))
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/yaml"):
        response = alice.request("POST", TARGETS, target(), Content_Type=kind)
        assert_mistakes(response, (["body"], "content_type"))
    response = alice.request("POST", TARGETS, target(), Content_Type="application/json; charset=utf-8")
    assert response.status_code == 201


def test_a_body_over_the_limit_is_answered_413(app: Flask, alice: Client):
    limit = app.extensions["bakehouse"].settings.max_body
    response = alice.post(TARGETS, extra('{"a": "' + "x" * limit + '"}'))
    assert_error(response, 413, "PAYLOAD_TOO_LARGE", str(limit))
    assert alice.get(TARGETS).json == {"targets": []}
    almost = extra('{"a": 1}')
    assert alice.post(TARGETS, almost + b" " * (limit - len(almost))).status_code == 201
