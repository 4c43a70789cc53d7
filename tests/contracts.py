"""Compare every answer of an application under test with the contract of its view."""

import json
from pathlib import Path

from flask import Flask, Response, current_app, request

from app.schemas.errors import ErrorSchema, MistakesSchema
from app.wire.contract import Contract, contract_of

_OF_EVERY_ANSWER = {"Cache-Control", "Content-Type", "Content-Length", "X-Content-Type-Options", "X-Request-Id"}
_OF_REFUSALS = _OF_EVERY_ANSWER | {"Retry-After", "WWW-Authenticate", "X-Should-Retry"}


# What no error tells: a path of the server, a stack trace, a class.
_OF_THE_SERVER = (str(Path(__file__).parents[1]), "Traceback", "Error(")


def hold_to_contracts(app: Flask) -> Flask:
    """Have a request raise AssertionError if its answer is not one that `/openapi.json` describes."""
    app.testing = True  # else Flask would answer the AssertionError with 500
    app.after_request(_check)
    return app


def _check(response: Response) -> Response:
    if response.status_code >= 400:
        text = response.get_data(as_text=True)
        leaked = [told for told in (*_OF_THE_SERVER, _data_dir()) if told in text]
        assert not leaked, f"{request.method} {request.path}: the error tells {leaked}"
    contract = request.endpoint and contract_of(current_app.view_functions[request.endpoint])
    if contract and request.method != "OPTIONS":
        problem = _find_problem(contract, response)
        assert problem is None, f"{request.method} {request.path}: {problem}"
    return response


def _data_dir() -> str:
    return str(current_app.extensions["bakehouse"].settings.data_dir)


def _find_problem(contract: Contract, response: Response) -> str | None:
    status, headers = response.status_code, set(response.headers.keys())
    varying = {"Vary"} if len(contract.texts) + len(contract.schemas) > 1 and contract.texts else set()
    if status in contract.statuses:
        schemas, undocumented = contract.schemas, headers - contract.headers.keys() - _OF_EVERY_ANSWER - varying
    elif status in contract.refusals(request.method):
        schemas = (MistakesSchema() if status == 422 else ErrorSchema(),)
        undocumented = headers - _OF_REFUSALS - varying - ({"Location"} if status in (301, 308) else set())
    else:
        return f"@returns does not list the status {status}"
    if undocumented:
        return f"@returns does not list the headers {sorted(undocumented)} for status {status}"
    if status == 304:
        return "an answer with status 304 has a body" if response.data else None
    if response.mimetype in [text.media_type for text in contract.texts]:
        return None
    if response.mimetype != "application/json":
        return f"@returns does not list the media type {response.mimetype}"
    mistakes = [schema.validate(json.loads(response.data)) for schema in schemas]
    return None if {} in mistakes else f"the answer does not fit its schema: {mistakes}"
