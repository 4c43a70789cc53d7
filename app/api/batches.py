"""What batches of targets and prompts share: the address, and items that fail one by one."""

from collections.abc import Iterable
from typing import Any

from marshmallow import Schema
from werkzeug.routing import BaseConverter

from app.schemas.base import MOST_MISTAKES, InvalidRequest, load


class ItemName(BaseConverter):
    """The name of a target or prompt in an address. It is never `batch`, so `GET …/batch` is a 405."""

    regex = "(?!batch$)[^/]+"
    part_isolating = True


def load_each(schema: Schema, items: Iterable[tuple[str, Any]]) -> tuple[list[tuple[str, Any]], dict[str, str]]:
    """Return the valid items, loaded, and the mistakes in the others, by name."""
    loaded: list[tuple[str, Any]] = []
    failed: dict[str, list[str]] = {}
    for name, item in items:
        try:
            loaded.append((name, load(schema, item, ())))
        except InvalidRequest as error:
            failed.setdefault(name, []).append(str(error))
    return loaded, {name: _joined(errors) for name, errors in failed.items()}


def _joined(errors: list[str]) -> str:
    others = len(errors) - MOST_MISTAKES
    return "; ".join([*errors[:MOST_MISTAKES], *([f"and {others} more of this name"] if others > 0 else [])])
