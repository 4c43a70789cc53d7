"""`/openapi.json` is valid, and describes what is served."""

import json
import re

from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.domain.names import PATTERNS
from app.errors import CODES
from app.wire.contract import PATH_NAMES
from tests.client import Client
from tests.payloads import target


def test_document_is_valid_openapi(app: Flask):
    response = Client(app, None).get("/openapi.json")
    assert response.json["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(response.json).validate()


def test_every_route_is_in_the_document(app: Flask):
    paths = Client(app, None).get("/openapi.json").json["paths"]
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/v1/")
    }
    assert {(path, method) for path, item in paths.items() for method in item} == served


def test_every_operation_and_field_is_described(app: Flask):
    document = Client(app, None).get("/openapi.json").json
    for item in document["paths"].values():
        for operation in item.values():
            assert operation["summary"]
            assert all(parameter.get("description") for parameter in operation["parameters"])
    for name, schema in document["components"]["schemas"].items():
        for field, described in schema["properties"].items():
            assert described.get("description"), f"{name}.{field}"
    assert "temperature" in json.dumps(document["components"]["schemas"]["Overrides"])


def test_every_error_and_every_body_has_an_example(app: Flask):
    document = Client(app, None).get("/openapi.json").json
    for name, response in document["components"]["responses"].items():
        example, status = response["content"]["application/json"]["example"], int(name[-3:])
        assert example.keys() == ({"detail"} if status == 422 else {"message", "code"})
        assert status == 422 or example["code"] == CODES[status]
    for item in document["paths"].values():
        for operation in item.values():
            if "requestBody" in operation:
                assert all(content["example"] for content in operation["requestBody"]["content"].values())


def test_every_text_is_described(app: Flask):
    document = Client(app, None).get("/openapi.json").json
    texts = {
        media_type: content
        for item in document["paths"].values()
        for operation in item.values()
        for response in operation["responses"].values()
        for media_type, content in response.get("content", {}).items()
        if media_type != "application/json"
    }
    assert "text/x-diff" in texts
    for content in texts.values():
        assert content["schema"]["type"] == "string"
        assert content["schema"]["description"]


# What some examples need before them, and what puts the repo `demo` back behind them: owner, method, path and body.
BEFORE = {
    "undelete": ("admin", "DELETE", "/v1/repo/demo", None),
    "transfer": ("admin", "POST", "/v1/admin/users", {"user_id": "bob"}),
}
BEHIND = {
    "rename": ("admin", "POST", "/v1/repo/nightly/rename", {"name": "demo"}),
}


def test_examples_of_bodies_are_accepted(master: Client):
    paths = master.get("/openapi.json").json["paths"]
    first = ["/v1/admin/users", "/v1/repo"]  # what the others speak of
    last = ["/v1/repo/{repo_name}/transfer"]
    for path in first + sorted(paths.keys() - {*first, *last}) + last:
        address = path
        for name, rule in PATH_NAMES.items():
            address = address.replace(f"{{{name}}}", rule.example)
        user = "alice" if path == "/v1/tokens" else "admin"  # the master key itself has no tokens
        for method in sorted(paths[path].keys() & {"patch", "post", "put"}):
            if path.endswith(("/rotate", "/import", "/stim", "/rollout", "/cancel")):  # takes no body, or no JSON
                continue
            content = paths[path][method]["requestBody"]["content"]["application/json"]
            example = (user, method.upper(), address, content["example"])
            ending = path.rpartition("/")[2]
            for owner, *request in filter(None, (BEFORE.get(ending), example, BEHIND.get(ending))):
                response = master.request(*request, X_User_Id=owner)
                assert response.status_code < 300, response.text


def test_the_first_documented_request_is_the_example(app: Flask):
    document = Client(app, None).get("/openapi.json").json
    body = document["paths"]["/v1/repo/{repo_name}/targets"]["post"]["requestBody"]["content"]
    assert body["application/json"]["example"] == target("coding_target")


NAMES = [
    *("a", "a.b", "demo.", "batch", "batches", "default", "a..b", ".a", "x.lock", "x.Git", "x.gits"),
    *("a@b", "a/b", "batch/a", "a/batch", "x.git/a", "a/b/c", "/a", "", "x" * 100, "x" * 101, "x" * 129),
]


def test_patterns_in_the_document_accept_the_names_that_the_api_accepts():
    for problem, pattern in PATTERNS.items():
        for name in NAMES:
            assert bool(re.search(pattern, name)) == (problem(name) is None), (problem, name)
