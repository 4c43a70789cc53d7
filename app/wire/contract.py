"""Decorators that state the contract of a view: what it accepts, what it returns.

They hold at run time, and `openapi` reads them from `view.contract`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, wraps
from http import HTTPStatus
from typing import Any, TypeVar, cast

from flask import Response, current_app, request
from marshmallow import EXCLUDE, Schema

from app.domain.names import name_problem, tag_name_problem, target_name_problem, user_id_problem
from app.schemas.base import InvalidRequest, Location, Mistake, load
from app.schemas.fields import longest_name, new_name_problem
from app.wire.body import read_json
from app.wire.context import readmit_if_slow, services

Answer = tuple[dict[str, Any], int, dict[str, str]]  # payload, status, headers

View = TypeVar("View", bound=Callable[..., Any])

# What a name in a path must be, by the name of the route's variable.
PATH_NAMES = {
    "repo_name": name_problem,
    "target_name": target_name_problem,
    "prompt_name": name_problem,
    "tag_name": tag_name_problem,
    "token_name": name_problem,
    "user_id": user_id_problem,
}
_MADE_BY_PUT = ("target_name", "prompt_name")


@dataclass(slots=True)
class Contract:
    """What a view accepts and returns."""

    body: Schema | None = None
    example: Mapping[str, Any] | None = None  # of the body
    query: Schema | None = None
    answers: tuple[Schema, ...] = ()  # more than one: any of them
    statuses: tuple[int, ...] = ()
    errors: tuple[int, ...] = ()
    text: str | None = None  # the other media type that it can answer with
    headers: dict[str, str] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()  # the request headers that make it conditional


def contract_of(view: Callable[..., Any]) -> Contract | None:
    """Return what the decorators said of a view, or None where there are none."""
    return cast(Contract | None, getattr(view, "contract", None))


def accepts(
    body: type[Schema] | None = None,
    *,
    example: Mapping[str, Any] | None = None,
    query: type[Schema] | None = None,
    conditions: tuple[str, ...] = (),
) -> Callable[[View], View]:
    """Check names in the path, query and body; give the view `body` and `query` as loaded.

    `example` is a body for the document, `conditions` are the headers that the view heeds, such as
    `If-Match`. InvalidRequest tells every mistake in all three. Query parameters that are unknown
    or empty are passed over.
    """
    body_schema = body() if body else None
    query_schema = query(unknown=EXCLUDE) if query else None

    def decorate(view: View) -> View:
        contract = contract_of(view) or Contract()
        contract.body, contract.query, contract.conditions = body_schema, query_schema, conditions
        contract.example = example

        @wraps(view)
        def checked(**arguments: Any) -> Any:
            longest_name.set(services().settings.max_name)
            mistakes = _path_mistakes(arguments)
            for schema, location, read in (
                (query_schema, "query", _load_query),
                (body_schema, "body", _load_body),
            ):
                if schema is not None:
                    try:
                        arguments[location] = read(schema)
                    except InvalidRequest as error:
                        mistakes += error.mistakes
            if mistakes:
                raise InvalidRequest(mistakes)
            return view(**arguments)

        checked.contract = contract  # type: ignore[attr-defined]
        return cast(View, checked)

    return decorate


def returns(
    answer: type[Schema] | tuple[type[Schema], ...],
    *statuses: int,
    errors: tuple[int, ...] = (),
    headers: dict[str, str] | None = None,
    text: str | None = None,
) -> Callable[[View], View]:
    """Answer with what the view returns, through a schema: `(payload, status, headers)`.

    With several schemas, the view returns `(schema, payload)` in the payload's place. `errors`
    are the statuses that this view may be refused with besides those that any may. With `text`, a
    media type, the view may return a response of that type instead. In tests, an answer that is not
    documented fails.
    """
    schemas = tuple(kind() for kind in (answer if isinstance(answer, tuple) else (answer,)))
    by_kind = {type(schema): schema for schema in schemas}

    def decorate(view: View) -> View:
        contract = contract_of(view) or Contract()
        contract.answers, contract.statuses, contract.errors = schemas, statuses, errors
        contract.headers, contract.text = headers or {}, text

        @wraps(view)
        def answered(**arguments: Any) -> Response:
            answer = view(**arguments)
            if isinstance(answer, Response):
                assert answer.mimetype == contract.text, f"{answer.mimetype} is not documented"
                return answer
            payload, status, sent_headers = answer
            if current_app.testing:
                assert status in contract.statuses, f"the status {status} is not documented"
                assert sent_headers.keys() <= contract.headers.keys(), f"{sent_headers} are not documented"
            schema = schemas[0]
            if len(schemas) > 1:
                kind, payload = payload
                schema = by_kind[kind]

            def render() -> bytes:
                content = schema.dump(payload)
                if current_app.testing:
                    assert not schema.validate(content), f"{content} breaks its schema"
                return f"{current_app.json.dumps(content, separators=(',', ':'))}\n".encode()

            if status == HTTPStatus.NOT_MODIFIED:
                body = b""
            elif (
                request.method == "GET" and "If-None-Match" in contract.conditions and "ETag" in sent_headers
            ):
                body = services().answers.get((request.path, sent_headers["ETag"]), render)
            else:
                body = render()
            return Response(body, status, sent_headers, content_type="application/json")

        answered.contract = contract  # type: ignore[attr-defined]
        return cast(View, answered)

    return decorate


def _load_query(schema: Schema) -> dict[str, Any]:
    """Load the query without what is empty: the Node SDK sends a null so."""
    given = {name: value for name, value in request.args.items() if value}
    return load(schema, given, ("query",)) if given else dict(_load_nothing(schema))


@cache
def _load_nothing(schema: Schema) -> dict[str, Any]:
    loaded: dict[str, Any] = load(schema, {}, ("query",))
    return loaded


def _load_body(schema: Schema) -> Any:
    with readmit_if_slow():
        content = read_json()
    return load(schema, content, ("body",))


def _path_mistakes(arguments: dict[str, Any]) -> list[tuple[Location, Mistake]]:
    new = _MADE_BY_PUT if request.method == "PUT" else ()
    problems = {
        name: new_name_problem(PATH_NAMES[name], value) if name in new else PATH_NAMES[name](value)
        for name, value in arguments.items()
        if name in PATH_NAMES
    }
    return [
        (("path", name), Mistake("string_pattern_mismatch", f"This name {problem}"))
        for name, problem in problems.items()
        if problem
    ]
