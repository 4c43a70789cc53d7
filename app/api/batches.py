"""What batches of targets and prompts share: their address, and that a wrong item stops no other."""

from collections.abc import Iterable
from typing import Any

from marshmallow import Schema
from werkzeug.routing import BaseConverter

from app.schemas.base import InvalidRequest, load


class ItemName(BaseConverter):
    """The name of a target or prompt in an address. `batch` is no name: what it does not know is 405."""

    regex = "(?!batch$)[^/]+"
    part_isolating = True


def load_each(
    schema: Schema, items: Iterable[tuple[str, Any]]
) -> tuple[list[tuple[str, Any]], dict[str, str]]:
    """Return the items that a schema accepts, as loaded, and what is wrong with the others, by name."""
    loaded: list[tuple[str, Any]] = []
    failed: dict[str, str] = {}
    for name, item in items:
        try:
            loaded.append((name, load(schema, item, ())))
        except InvalidRequest as error:
            failed[name] = f"{failed[name]}; {error}" if name in failed else str(error)
    return loaded, failed
