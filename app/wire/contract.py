"""Decorators that state the contract of a view: which requests it accepts, which answers it returns.

Requests are checked by it, `app/openapi.py` documents it, and the tests compare every answer with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial, wraps
from inspect import signature
from typing import Any, cast

from flask import Flask, Response, request
from marshmallow import Schema

from app.domain.names import (
    file_name_problem,
    label_name_problem,
    name_problem,
    run_key_problem,
    tag_name_problem,
    target_name_problem,
    user_id_problem,
)
from app.schemas.base import InvalidRequest, Location, Mistake, StrictSchema, load
from app.schemas.fields import new_name_problem, new_names_up_to
from app.wire import write_headers
from app.wire.body import read_json
from app.wire.context import READING, readmit_if_slow, services
from app.wire.query import load_query
from app.wire.sending import Answer as Answer
from app.wire.sending import TextFormat as TextFormat
from app.wire.sending import respond

View = Callable[..., Response]


@dataclass(frozen=True, slots=True)
class PathName:
    """A name in the path of a route: its rule, and what the document says about it."""

    find_problem: Callable[[str], str | None]
    description: str
    example: str


PATH_NAMES = {
    "repo_name": PathName(name_problem, "The repo's name.", "demo"),
    "target_name": PathName(target_name_problem, "The target's name.", "coding_target"),
    "prompt_name": PathName(name_problem, "The prompt's name.", "system_prompt_v1"),
    "file_name": PathName(file_name_problem, "The name of the file in `templates/`.", "questions.txt"),
    "tag_name": PathName(tag_name_problem, "The tag's name.", "release-1"),
    "label_name": PathName(label_name_problem, "The label's name.", "production"),
    "token_name": PathName(name_problem, "The token's name.", "nightly"),
    "run_key": PathName(run_key_problem, "The run's key.", "0123456789abcdef" * 4),
    "user_id": PathName(user_id_problem, "The user's id.", "alice"),
}
_CREATED_BY_PUT = ("target_name", "prompt_name", "label_name")


@dataclass(frozen=True, slots=True)
class Contract:
    """What a view accepts and returns."""

    schemas: tuple[Schema, ...]  # a JSON answer fits one of them
    statuses: tuple[int, ...]
    errors: tuple[int, ...]
    headers: Mapping[str, str]  # of answers: what each says
    texts: tuple[TextFormat, ...]  # what it can be instead, the first unless the payload says which
    body: Schema | None = None
    example: Mapping[str, Any] | None = None  # of the body
    query: Schema | None = None
    conditions: tuple[str, ...] = ()  # request headers
    upload: str | None = None  # the media type of a body that the view reads itself
    takes_no_fields: bool = False  # a body may be there, and is empty or `{}`
    is_open: bool = False
    in_repo: bool = False  # the path names a repo, which may have another name by now

    def refusals(self, method: str) -> set[int]:
        """Return every status that a request may be refused with, also those that lead to another address."""
        of_all = (422,) if self.is_open else (400, 401, 403, 422, 429, 503)
        has_body = self.body is not None or self.upload is not None or self.takes_no_fields
        of_bodies = (408, 413) if has_body else ()
        of_moved = ((301, 409) if method in READING else (409,)) if self.in_repo else ()
        return {*of_all, *of_bodies, *of_moved, *self.errors}


def contract_of(view: Callable[..., Any]) -> Contract | None:
    """Return the contract that the decorators gave a view, or None where one of them is missing."""
    return cast(Contract | None, getattr(view, "contract", None))


def accepts(
    body: type[Schema] | None = None,
    *,
    example: Mapping[str, Any] | None = None,
    query: type[Schema] | None = None,
    conditions: tuple[str, ...] = (),
    upload: str | None = None,
    takes_no_fields: bool = False,
    is_open: bool = False,
) -> Callable[[View], View]:
    """Check the names in the path, the query and the body; pass `query` and `body` to the view as loaded.

    `example` is a body for the document, `conditions` are the request headers that the view obeys, such
    as `If-Match`, `upload` is the type of a body that is no JSON, a view that `takes_no_fields` refuses a body with
    any, and `is_open` views need no token.
    InvalidRequest lists every mistake. A write with another condition is refused: it must not be done as if
    there were none.
    """
    if body is not None and example is None:
        raise TypeError(f"@accepts({body.__name__}): give an `example` of the body, see app/api/examples.py.")
    body_schema = body() if body else None
    query_schema = query() if query else None
    loaders: dict[str, Callable[[], Any]] = {
        "query": partial(load_query, query_schema or StrictSchema(), is_open=is_open)
    }
    if body_schema:
        loaders["body"] = partial(_load_body, body_schema)
    elif takes_no_fields:
        loaders["body"] = partial(_load_body, StrictSchema(), may_be_empty=True)

    def decorate(view: View) -> View:
        returned = getattr(view, "returned", None)
        if returned is None:
            raise TypeError(f"{view.__name__}: put @returns between @accepts and the view.")

        @wraps(view)
        def checked(**arguments: Any) -> Response:
            if request.method not in READING:
                write_headers.check(conditions)
            with new_names_up_to(services().settings.max_name):
                mistakes = _path_mistakes(arguments)
                for location, load_part in loaders.items():
                    try:
                        arguments[location] = load_part()
                    except InvalidRequest as error:
                        mistakes += error.mistakes
                if mistakes:
                    raise InvalidRequest(mistakes)
                if query_schema is None:
                    del arguments["query"]
                if takes_no_fields:
                    del arguments["body"]
                return view(**arguments)

        checked.contract = replace(  # type: ignore[attr-defined]
            returned,
            body=body_schema,
            example=example,
            query=query_schema,
            conditions=conditions,
            upload=upload,
            takes_no_fields=takes_no_fields,
            is_open=is_open,
            in_repo="repo_name" in signature(view).parameters,
        )
        return checked

    return decorate


def returns(
    answer: type[Schema] | tuple[type[Schema], ...],
    *statuses: int,
    errors: tuple[int, ...] = (),
    headers: Mapping[str, str] | None = None,
    text: TextFormat | tuple[TextFormat, ...] = (),
) -> Callable[[Callable[..., Answer]], View]:
    """Send what the view returns: a payload as JSON of its schema, a string or pieces as `text`.

    `answer` is () if the view answers only with text.
    `errors` are the statuses of refusals that not every view has.
    """
    if not statuses and not errors:
        raise TypeError("@returns: give the statuses of the answers, such as 200.")
    schemas = tuple(kind() for kind in (answer if isinstance(answer, tuple) else (answer,)))
    texts = text if isinstance(text, tuple) else (text,)
    contract = Contract(schemas, statuses, errors, headers or {}, texts)

    def decorate(view: Callable[..., Answer]) -> View:
        @wraps(view)
        def answered(**arguments: Any) -> Response:
            return respond(contract.schemas, contract.statuses, contract.texts, *view(**arguments))

        answered.returned = contract  # type: ignore[attr-defined]
        return answered

    return decorate


def check_routes(app: Flask) -> None:
    """Raise TypeError if requests to a route of the API would not be checked in full."""
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/v1/"):
            continue
        contract = contract_of(app.view_functions[rule.endpoint])
        if contract is None:
            raise TypeError(f"{rule.endpoint}: put @accepts and @returns, in this order, below the route.")
        if rule.arguments - PATH_NAMES.keys():
            raise TypeError(f"{rule.endpoint}: add each name in '{rule.rule}' to PATH_NAMES.")
        blueprint = rule.endpoint.rpartition(".")[0]
        authorize = "`blueprint.before_request(context.authorize)`"
        if not contract.is_open and not app.before_request_funcs.get(blueprint):
            raise TypeError(f"{rule.endpoint} needs no token: add {authorize}, or set is_open=True.")


def _load_body(schema: Schema, *, may_be_empty: bool = False) -> Any:
    with readmit_if_slow():
        content = read_json(may_be_empty=may_be_empty)
    return load(schema, content, ("body",))


def _path_mistakes(names: dict[str, Any]) -> list[tuple[Location, Mistake]]:
    mistakes: list[tuple[Location, Mistake]] = []
    for variable, name in names.items():
        find_problem = PATH_NAMES[variable].find_problem
        is_new = request.method == "PUT" and variable in _CREATED_BY_PUT
        problem = new_name_problem(find_problem, name) if is_new else find_problem(name)
        if problem:
            mistake = Mistake("string_pattern_mismatch", f"This name {problem}")
            mistakes.append((("path", variable), mistake))
    return mistakes
