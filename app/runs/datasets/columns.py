"""Which column of a data set has the questions, and what a question must be."""

from collections.abc import Collection
from typing import Any

from app.domain.names import enumerated
from app.runs.datasets.problems import Unusable

NAMES = ("question", "prompt", "instruction", "input", "text")
_MOST_BYTES = 1024 * 1024  # of a question
_LONGEST_SHOWN = 100  # characters of a column's name


def choose(there: Collection[str], wanted: str | None) -> str:
    """Return the column `wanted`, or else the first of those that have questions; Unusable if there is none."""
    for name in NAMES if wanted is None else (wanted,):
        if name in there:
            return name
    missing = f"none of the columns {enumerated(NAMES)}" if wanted is None else f"no column '{wanted}'"
    found = enumerated(name[:_LONGEST_SHOWN] for name in there) or "no column"
    raise Unusable(f"has {missing}, but {found}: name one in its .yml file, as `column: …`.")


def text_of(value: Any, column: str, place: str) -> str:
    """Return a question; Unusable unless it is a text that says something. `place` is `line 3` or `row 3`."""
    if not isinstance(value, str):
        raise Unusable(f"has no text as '{column}' in {place}.")
    if not value.strip():
        raise Unusable(f"has an empty '{column}' in {place}.")
    if "\0" in value:
        raise Unusable(f"has a NUL character in '{column}' in {place}.")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise Unusable(f"has half a character, a lone surrogate, in '{column}' in {place}.") from None
    if size > _MOST_BYTES:
        raise Unusable(f"has more than {_MOST_BYTES} bytes as '{column}' in {place}.")
    return value
