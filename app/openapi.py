"""`/openapi.json`: the API's document, built from the routes and schemas that serve the requests."""

import re
from collections.abc import Callable, Iterator
from importlib.metadata import version
from inspect import getdoc
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Response, jsonify
from marshmallow import Schema
from werkzeug.routing import Rule

from app.api.contract import Contract, contract_of
from app.registry.names import NAME_PATTERN, USER_ID_PATTERN
from app.schemas.errors import ErrorSchema, MistakesSchema

PATH = "/openapi.json"

_REASONS = {
    200: "Done.",
    201: "Created.",
    304: "Not modified: the client has this version.",
    400: "A header cannot be used.",
    401: "No token, or one that is unknown or was revoked.",
    403: "The token may not do this.",
    404: "There is no such resource.",
    409: "What was asked for contradicts what is there.",
    412: "The version that the request insists on is not the current one.",
    413: "The body is larger than the server takes.",
    422: "The request breaks this contract; every mistake is listed.",
    503: "The storage does not answer, or a repository is damaged.",
}
_CONDITIONS = {
    "If-Match": "Versions in quotes, one of which it must be at; `*`: any, but it must exist.",
    "If-None-Match": "Versions in quotes, at none of which it may be; `*`: it must not exist.",
}
_ACTING_FOR = [
    {
        "name": "X-User-Id",
        "in": "header",
        "description": "The user to act as, for the master key; it wins over `user_id`.",
        "schema": {"type": "string", "pattern": f"^{USER_ID_PATTERN}$"},
    },
    {
        "name": "user_id",
        "in": "query",
        "description": "The user to act as, for the master key.",
        "schema": {"type": "string", "pattern": f"^{USER_ID_PATTERN}$"},
    },
]


def register(app: Flask) -> None:
    """Serve the document of an app whose routes are all there."""
    document = build(app)

    @app.get(PATH)
    def openapi() -> Response:
        return jsonify(document)


def build(app: Flask) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of an app."""
    spec = APISpec(
        title="Bakehouse",
        version=version("bakehouse"),
        openapi_version="3.1.0",
        info={"description": "Target configurations as YAML files in git repositories."},
        plugins=[MarshmallowPlugin(schema_name_resolver=_schema_name)],
        security=[{"token": []}],
    )
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    for rule, view, contract in _views(app):
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            spec.path(path, operations={method.lower(): _operation(rule, view, contract)})
    return spec.to_dict()


def _views(app: Flask) -> Iterator[tuple[Rule, Callable[..., Any], Contract]]:
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        contract = contract_of(view)
        if contract is not None:
            yield rule, view, contract


def _operation(rule: Rule, view: Callable[..., Any], contract: Contract) -> dict[str, Any]:
    summary, _, description = (getdoc(view) or "").partition("\n\n")
    is_open = rule.endpoint.startswith("health.")
    operation: dict[str, Any] = {
        "operationId": view.__name__,
        "tags": [rule.endpoint.partition(".")[0]],
        "summary": summary.rstrip("."),
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": f"The {name.removesuffix('_name')}'s name.",
                "schema": {"type": "string", "pattern": f"^{NAME_PATTERN}$"},
            }
            for name in sorted(rule.arguments)
        ],
        "responses": _responses(contract, is_open),
    }
    if description:
        operation["description"] = description
    if "Deprecated" in summary:
        operation["deprecated"] = True
    if is_open:
        operation["security"] = []
    else:
        operation["parameters"] += _ACTING_FOR
    operation["parameters"] += [
        {"name": name, "in": "header", "description": _CONDITIONS[name], "schema": {"type": "string"}}
        for name in contract.conditions
    ]
    if contract.query is not None:
        operation["parameters"].append({"in": "query", "schema": contract.query})
    if contract.body is not None:
        operation["requestBody"] = {"required": True, "content": _json(contract.body)}
    return operation


def _responses(contract: Contract, is_open: bool) -> dict[str, Any]:
    common = () if is_open else (400, 401, 403, 422, 503)
    errors = {*common, *contract.errors, *([413] if contract.body is not None else [])}
    responses: dict[str, Any] = {}
    for status in contract.statuses:
        responses[str(status)] = {"description": _REASONS[status]}
        if status != 304:
            responses[str(status)]["content"] = _json(*contract.answers)
        if contract.headers:
            responses[str(status)]["headers"] = {
                name: {"description": text, "schema": {"type": "string"}}
                for name, text in contract.headers.items()
                if name != "Location" or status == 201
            }
    for status in sorted(errors):
        schema = MistakesSchema if status == 422 else ErrorSchema
        responses[str(status)] = {"description": _REASONS[status], "content": _json(schema)}
    return responses


def _json(*schemas: Schema | type[Schema]) -> dict[str, Any]:
    schema: Any = schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}
    return {"application/json": {"schema": schema}}


def _schema_name(schema: Schema | type[Schema]) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema")
