"""What batches of targets and prompts share: the address, and items that fail one by one."""

from collections.abc import Iterable
from typing import Any

from marshmallow import Schema
from werkzeug.routing import BaseConverter

from app.schemas.base import InvalidRequest, load


class ItemName(BaseConverter):
    """The name of a target or prompt in an address. It is never `batch`, so `GET …/batch` is a 405."""

    regex = "(?!batch$)[^/]+"
    part_isolating = True


def load_each(schema: Schema, items: Iterable[tuple[str, Any]]) -> tuple[list[tuple[str, Any]], dict[str, str]]:
    """Return the valid items, loaded, and the mistakes in the others, by name."""
    loaded: list[tuple[str, Any]] = []
    failed: dict[str, str] = {}
    for name, item in items:
        try:
            loaded.append((name, load(schema, item, ())))
        except InvalidRequest as error:
            failed[name] = f"{failed[name]}; {error}" if name in failed else str(error)
    return loaded, failed
