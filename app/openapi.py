"""`/openapi.json`: the API's description, built from the routes, contracts and schemas of the server."""

import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib.metadata import version
from inspect import getdoc
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Flask, Response, jsonify
from marshmallow import Schema
from marshmallow.fields import Field
from werkzeug.routing import Rule

from app.domain import reasons
from app.domain.names import PATTERNS, user_id_problem
from app.openapi_responses import Responses
from app.schemas.containers import MapOf, Unchecked
from app.wire import versions
from app.wire.context import READING
from app.wire.contract import PATH_NAMES, Contract, contract_of

PATH = "/openapi.json"

_CONDITIONS = {
    "If-Match": "Versions in quotes: the current one must be among them. `*`: it must exist.",
    "If-None-Match": "Versions in quotes: the current one must not be among them. `*`: it must not exist.",
}
_REASON_PARAMETER = {
    "name": "X-Change-Reason",
    "in": "header",
    "description": f"Why: one line of at most {reasons.LONGEST} characters, in UTF-8, percent-encoded or not, or as "
    "RFC 8187 has it (`UTF-8''per%20cent`). The commit, or the tag, tells it. Where nothing changes, nobody does.",
    "schema": {"type": "string", "pattern": r"^[^\x00-\x1f\x7f]*$"},
}
_OWNER_PARAMETERS = [
    {
        "name": "X-User-Id",
        "in": "header",
        "description": "The user whose repos to use: any user for the master key, else one who shared. "
        "Takes precedence over `user_id`.",
        "schema": {"type": "string", "pattern": PATTERNS[user_id_problem]},
    },
    {
        "name": "user_id",
        "in": "query",
        "description": "The user whose repos to use, like `X-User-Id`; empty: the caller.",
        "schema": {"type": "string", "pattern": PATTERNS[user_id_problem]},
    },
]


def register(app: Flask) -> None:
    """Serve the document of an app; the first request builds it."""
    document = cache(partial(build, app))

    @app.get(PATH)
    def openapi() -> Response:
        return jsonify(document())


def build(app: Flask) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of an app."""
    marshmallow = MarshmallowPlugin(schema_name_resolver=_schema_name)
    spec = APISpec(
        title="Bakehouse",
        version=version("bakehouse"),
        openapi_version="3.1.0",
        info={"description": "Target configurations as YAML files in git repositories."},
        servers=[{"url": app.extensions["bakehouse"].settings.public_url or "/"}],
        plugins=[marshmallow],
        security=[{"token": []}],
    )
    assert marshmallow.converter is not None
    marshmallow.converter.add_attribute_function(_describe)  # type: ignore[no-untyped-call]
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    responses = Responses()
    for name, response in responses.of_all().items():
        spec.components.response(name, response)
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        contract = contract_of(view)
        if contract is None:  # a page, or git's protocol
            continue
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            operation = _operation(rule, view, contract)
            operation["responses"] = responses.of(view.__name__, contract, method)
            if method not in READING:
                operation["parameters"].append(_REASON_PARAMETER)
            spec.path(path, operations={method.lower(): operation})
    document: dict[str, Any] = spec.to_dict()
    for (kind, *_), name in marshmallow.converter.refs.items():
        document["components"]["schemas"][name] |= getattr(kind, "json_schema", {})
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                if parameter["in"] == "query":
                    parameter["schema"] = _in_query(parameter["schema"])
    return document


def _operation(rule: Rule, view: Callable[..., Any], contract: Contract) -> dict[str, Any]:
    summary, _, description = (getdoc(view) or "").partition("\n\n")
    operation: dict[str, Any] = {
        "operationId": view.__name__,
        "tags": [rule.endpoint.partition(".")[0]],
        "summary": summary.rstrip("."),
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": PATH_NAMES[name].description,
                "example": PATH_NAMES[name].example,
                "schema": {"type": "string", "pattern": PATTERNS[PATH_NAMES[name].find_problem]},
            }
            for name in sorted(rule.arguments)
        ],
    }
    if description:
        operation["description"] = description
    if "Deprecated" in summary:
        operation["deprecated"] = True
    if contract.is_open:
        operation["security"] = []
    else:
        operation["parameters"] += _OWNER_PARAMETERS
    operation["parameters"] += [
        {"name": name, "in": "header", "description": _CONDITIONS[name], "schema": _condition(rule)}
        for name in contract.conditions
    ]
    if contract.query is not None:
        operation["parameters"].append({"in": "query", "schema": contract.query})
    if contract.body is not None:
        content = {"schema": contract.body, "example": contract.example}
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    if contract.upload is not None:
        raw = {"schema": {"type": "string", "format": "binary"}, "example": "# v2 git bundle"}
        operation["requestBody"] = {"required": True, "content": {contract.upload: raw}}
    return operation


def _condition(rule: Rule) -> dict[str, Any]:
    """Return the schema of a header with versions. A malformed one stops a write, and is passed over by a GET."""
    is_read = "GET" in (rule.methods or ())
    return {"type": "string"} | ({} if is_read else {"pattern": versions.VERSIONS})


def _in_query(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of a text in a query: never null. An empty text counts as left out."""
    if "string" not in schema["type"]:
        return schema
    rules = {name: rule for name, rule in schema.items() if name not in ("type", "default")}
    return {"type": "string", "anyOf": [{"const": ""}, rules]}


def _describe(converter: OpenAPIConverter, field: Field[Any], **_: Any) -> dict[str, Any]:
    """Describe the fields of ours that apispec does not know."""
    if isinstance(field, Unchecked):
        return {"anyOf": [converter.field2property(field.item), {}]}
    if isinstance(field, MapOf):
        return {"propertyNames": field.names}
    return {}


def _schema_name(schema: Schema | type[Schema]) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema")
