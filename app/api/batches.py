"""Checking the items of a batch one by one: a wrong one does not stop the others."""

from collections.abc import Iterable
from typing import Any

from marshmallow import Schema

from app.schemas.base import InvalidRequest, load


def load_each(
    schema: Schema, items: Iterable[tuple[str, Any]]
) -> tuple[list[tuple[str, Any]], dict[str, str]]:
    """Return the items that a schema accepts, as loaded, and what is wrong with the others, by name."""
    loaded, failed = [], {}
    for name, item in items:
        try:
            loaded.append((name, load(schema, item, ())))
        except InvalidRequest as error:
            failed[name] = str(error)
    return loaded, failed
