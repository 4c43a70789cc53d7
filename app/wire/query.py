"""Read the query of a request strictly: a parameter that is unknown, or given twice, is a mistake."""

from collections.abc import Collection
from difflib import get_close_matches
from functools import cache
from typing import Any

from flask import request
from marshmallow import Schema

from app.schemas.base import InvalidRequest, Location, Mistake, load

_OWNER = "user_id"  # every request that needs a token takes it, see `app/wire/context.py`
_TWICE = Mistake("value_error", "This parameter is given more than once")


def load_query(schema: Schema, *, is_open: bool) -> dict[str, Any]:
    """Load the query of the request; InvalidRequest lists every mistake.

    Empty values are left out: the Node SDK sends null as one. A request that needs no token has no owner.
    """
    if not request.args:
        return dict(_load_nothing(schema))
    names = {field.data_key or name for name, field in schema.fields.items()}
    mistakes = find_mistakes(names if is_open else names | {_OWNER})
    given = {name: value for name, value in request.args.items() if value and name in names}
    try:
        loaded: dict[str, Any] = load(schema, given, ("query",))
    except InvalidRequest as error:
        mistakes += error.mistakes
    if mistakes:
        raise InvalidRequest(mistakes)
    return loaded


def find_mistakes(names: Collection[str]) -> list[tuple[Location, Mistake]]:
    """Return the mistakes in the names of the query's parameters, which may be those of `names`."""
    mistakes: list[tuple[Location, Mistake]] = []
    for name, values in request.args.lists():
        if name not in names:
            mistakes.append((("query", name), Mistake("extra_forbidden", _unknown(name, names))))
        elif len(values) > 1:
            mistakes.append((("query", name), _TWICE))
    return mistakes


def _unknown(name: str, names: Collection[str]) -> str:
    near = get_close_matches(name[:100].lower(), names, n=1)
    if near:
        return f"There is no such parameter; did you mean '{near[0]}'?"
    known = ", ".join(f"'{known}'" for known in sorted(names))
    return f"There is no such parameter; here are {known}" if known else "There is no such parameter; here are none"


@cache
def _load_nothing(schema: Schema) -> dict[str, Any]:
    loaded: dict[str, Any] = load(schema, {}, ("query",))
    return loaded
