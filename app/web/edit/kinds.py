"""Values of fields as texts that a person types, and back, by the kind of the field."""

import json
import re
from collections.abc import Sequence
from typing import Any

from app.schemas.base import InvalidRequest
from app.wire import json_text

NUMBERS = (int, int | float)
JSON = (dict, list)

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,4000})(?P<rest>(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)")


class InvalidText(ValueError):
    """A text is not what a field of this kind takes; `sentences` say why."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


def read(kind: Any, text: str) -> Any:
    """Return the value that a text means; a text that means none stays one, so that the schema says what is wrong.

    Raises InvalidText for what should be JSON and is not.
    """
    if kind in JSON:
        return read_json(text)
    if kind in NUMBERS:
        return _number(text.strip())
    if kind is bool:
        return {"true": True, "false": False}.get(text.strip(), text)
    return text


def write(value: Any) -> str:
    """Return a value as a text that `read` understands."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def read_json(text: str) -> Any:
    """Return the value of JSON; InvalidText by the rules for bodies of requests."""
    try:
        return json_text.parse(text.encode(), "This")
    except InvalidRequest as error:
        raise InvalidText([_told(location, mistake.message) for location, mistake in error.told]) from None


def read_lines(text: str) -> list[str]:
    """Return the texts of a list that has one on each line."""
    return [line.strip() for line in text.split("\n") if line.strip()]


def are_lines(value: Any) -> bool:
    """Tell whether a list is what `read_lines` reads from its entries, written one on each line."""
    return bool(value) and all(isinstance(item, str) and _is_line(item) for item in value)


def _is_line(text: str) -> bool:
    return "\r" not in text and read_lines(text) == [text]  # a browser makes an end of a line of a CR


def _number(text: str) -> Any:
    found = _NUMBER.fullmatch(text)
    if found is None:
        return text
    return float(text) if found["rest"] else int(text)


def _told(location: tuple[str | int, ...], message: str) -> str:
    place = ".".join(str(part) for part in location[1:] if not message.startswith("This is not JSON"))
    return f"{place}: {message}" if place else message
