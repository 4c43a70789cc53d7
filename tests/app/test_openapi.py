"""`/openapi.json` is valid, and tells of what is served."""

import json
import re

from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.api.contract import contract_of
from tests.client import Client


def test_it_is_valid_openapi(app: Flask):
    response = Client(app, None).get("/openapi.json")
    assert response.json["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(response.json).validate()


def test_every_route_of_the_api_is_in_it(app: Flask):
    paths = Client(app, None).get("/openapi.json").json["paths"]
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/v1/")
    }
    assert {(path, method) for path, item in paths.items() for method in item} == served


def test_every_view_of_the_api_has_a_contract(app: Flask):
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/v1/"):
            contract = contract_of(app.view_functions[rule.endpoint])
            assert contract is not None, rule
            assert contract.statuses, rule


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
