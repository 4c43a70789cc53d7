"""What `/openapi.json` says of answers, with real ones as examples: `make answers` keeps them in `answers.json`."""

import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from marshmallow import Schema

from app.schemas.errors import ErrorSchema, MistakesSchema
from app.wire import moved
from app.wire.contract import Contract

_REASONS = {
    200: "Done.",
    201: "Created.",
    304: "Not modified: the client has this version.",
    503: "The server cannot work.",
}
_REFUSALS = {
    **dict.fromkeys((301, 308), "The repo has another name now."),
    400: "A header cannot be used, or the body broke off.",
    401: "No token, or one that is unknown, expired or revoked.",
    402: "The run used as many tokens as the operator allows.",
    403: "The token may not do this.",
    404: "There is no such resource.",
    408: "The body came too slowly.",
    409: "The request contradicts what is stored.",
    412: "The current version is not one that If-Match or If-None-Match allows.",
    413: "The body is larger than the server takes, or the answer larger than it sends.",
    422: "The request breaks this contract; every mistake is listed.",
    429: "The token is used more often than the server allows.",
    503: "The storage does not answer, or a repository is damaged.",
}


class Responses:
    """The responses of a document."""

    def __init__(self) -> None:
        recorded = json.loads((files("app") / "answers.json").read_text("utf-8"))
        self._answers: dict[str, dict[str, dict[str, Any]]] = recorded["answers"]
        self._errors: dict[str, Any] = recorded["errors"]

    def of(self, operation_id: str, contract: Contract, method: str) -> dict[str, Any]:
        """Return the responses of an operation, by their status. A refusal is the name of a response of all."""
        answers = self._answers.get(operation_id, {})
        found: dict[str, Any] = {
            str(status): _response(contract, status, answers.get(str(status), {})) for status in contract.statuses
        }
        return found | {str(status): _name(status) for status in sorted(contract.refusals(method))}

    def of_all(self) -> dict[str, dict[str, Any]]:
        """Return the refusals, by their names in the document."""
        return {_name(status): self._refusal(status, reason) for status, reason in _REFUSALS.items()}

    def _refusal(self, status: int, reason: str) -> dict[str, Any]:
        schema = MistakesSchema if status == 422 else ErrorSchema
        content: dict[str, Any] = {"schema": schema}
        if str(status) in self._errors:
            content["example"] = self._errors[str(status)]
        refusal = {"description": reason, "content": {"application/json": content}}
        return refusal if status >= 400 else refusal | {"headers": _headers(moved.HEADERS.items())}


def _name(status: int) -> str:
    return f"Error{status}" if status >= 400 else f"Moved{status}"


def _response(contract: Contract, status: int, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer of an operation. `answers` are real ones, by their media types."""
    response: dict[str, Any] = {"description": _REASONS[status]}
    if status != 304:
        content: dict[str, dict[str, Any]] = {}
        if contract.schemas:
            content["application/json"] = {"schema": _schema(contract.schemas)}
        for text in contract.texts:
            content[text.media_type] = {"schema": {"type": "string", "description": text.description}}
            if text.example is not None:
                content[text.media_type]["example"] = text.example
        for media_type, answer in answers.items():
            content[media_type]["example"] = answer
        response["content"] = content
    if contract.headers:
        told = contract.headers.items()
        response["headers"] = _headers(item for item in told if item[0] != "Location" or status == 201)
    return response


def _schema(schemas: tuple[Schema, ...]) -> Any:
    return schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}


def _headers(told: Iterable[tuple[str, str]]) -> dict[str, Any]:
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in told}
