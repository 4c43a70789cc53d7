"""The order of targets by one column: their name, their template, their last change, or a field of their configs."""

from dataclasses import dataclass
from typing import Any

from app.domain import canonical_json, field_paths
from app.domain.differences import MISSING
from app.domain.field_paths import FieldPath

NAME, TEMPLATE, CHANGED = "target_name", "template", "changed"  # columns that are no fields of configs
_DOWN = "-"

Key = tuple[int, Any, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """A column, and whether the greatest value comes first; `path` is None for a column that is no field."""

    column: str = NAME
    path: FieldPath | None = None
    is_descending: bool = False

    @property
    def text(self) -> str:
        """How an address has it."""
        return f"{_DOWN if self.is_descending else ''}{self.column}"


def read(text: str) -> Order:
    """Return the order that a text means, such as `template`, or `-temperature`; UnknownField where it means none."""
    column = text.removeprefix(_DOWN)
    path = None if column in (NAME, TEMPLATE, CHANGED) else field_paths.read(column)
    return Order(column, path, text.startswith(_DOWN))


def key(value: Any) -> Key | None:
    """Return what a value is sorted by: numbers come before texts, and these before all else.

    None where there is no value: such a target comes last, whichever value comes first.
    """
    if value is MISSING or value is None:
        return None
    if isinstance(value, bool):
        return 2, value, ""
    if isinstance(value, int | float):
        return 0, value, ""
    if isinstance(value, str):
        return 1, value.casefold(), value
    return 3, canonical_json.dump(value), ""
