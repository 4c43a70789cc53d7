"""What all schemas share: strict fields whose mistakes have a type, and where each mistake is."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")
_FLAGS = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(("false", "0", "no", "off"), False)

Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong with a request: a stable type, and a sentence for a person."""

    type: str
    message: str


class InvalidRequest(Exception):
    """A request that breaks the contract: every mistake in it, and where it is."""

    def __init__(self, mistakes: list[tuple[Location, Mistake]]) -> None:
        super().__init__(f"{len(mistakes)} mistakes in the request")
        self.mistakes = mistakes


def _messages(type_: str, sentence: str) -> dict[str, Any]:
    """Return a field's mistakes by Marshmallow's keys; null is a mistake of type, too."""
    wrong = [Mistake(type_, sentence)]
    return {"required": [Mistake("missing", "This field is required")], "null": wrong, "invalid": wrong}


class StrictSchema(Schema):
    """A schema that takes unknown fields for mistakes."""

    error_messages = {  # noqa: RUF012 — Marshmallow's own declaration
        "unknown": Mistake("extra_forbidden", "There is no such field"),  # type: ignore[dict-item]
        "type": Mistake("dict_type", "This must be a JSON object"),  # type: ignore[dict-item]
    }


class Text(fields.String):
    """A string; not the empty one where it must be `filled`."""

    default_error_messages = _messages("string_type", "This must be a string")

    def __init__(self, *, filled: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if filled:
            self.metadata = {"minLength": 1, **self.metadata}
        self._filled = filled

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if self._filled and not value:
            raise ValidationError([Mistake("string_too_short", "This must not be empty")])
        return value


class Name(Text):
    """A string that `problem` finds nothing wrong with; the empty one where that is allowed."""

    def __init__(self, problem: Callable[[str], str | None], *, empty: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._problem = problem
        self._empty = empty

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs)
        problem = None if self._empty and not text else self._problem(text)
        if problem:
            raise ValidationError([Mistake("string_pattern_mismatch", f"This name {problem}")])
        return text


class Choice(Text):
    """One of some strings."""

    def __init__(self, choices: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.metadata = {"enum": list(choices), **self.metadata}
        self._choices = choices

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs)
        if text not in self._choices:
            raise ValidationError(
                [Mistake("literal_error", f"This must be one of {', '.join(self._choices)}")]
            )
        return text


class Integer(fields.Integer):
    """A whole number, and nothing that could be taken for one."""

    default_error_messages = _messages("int_type", "This must be a whole number")

    def __init__(self, least: int | None = None, most: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        bounds = {"minimum": least, "maximum": most}
        given = {name: bound for name, bound in bounds.items() if bound is not None}
        self.metadata = {**given, **self.metadata}
        self._least, self._most = least, most

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if type(value) is not int:
            raise self.make_error("invalid")
        if self._least is not None and value < self._least:
            raise ValidationError([Mistake("greater_than_equal", f"This must be {self._least} or more")])
        if self._most is not None and value > self._most:
            raise ValidationError([Mistake("less_than_equal", f"This must be {self._most} or less")])
        return value


class QueryInteger(Integer):
    """A whole number in a query, where all is text."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if not _WHOLE_NUMBER.fullmatch(value):
            raise ValidationError([Mistake("int_parsing", "This must be a whole number")])
        return super()._deserialize(int(value), *args, **kwargs)


class Number(fields.Float):
    """A number between two bounds, which may be reached."""

    default_error_messages = _messages("float_type", "This must be a number")

    def __init__(self, least: float, most: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.metadata = {"minimum": least, "maximum": most, **self.metadata}
        self._least, self._most = least, most

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        if type(value) not in (int, float):
            raise self.make_error("invalid")
        if value < self._least:
            raise ValidationError([Mistake("greater_than_equal", f"This must be {self._least} or more")])
        if value > self._most:
            raise ValidationError([Mistake("less_than_equal", f"This must be {self._most} or less")])
        return float(value)


class Flag(fields.Boolean):
    """True or false."""

    default_error_messages = _messages("bool_type", "This must be true or false")

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class QueryFlag(Flag):
    """True or false in a query, where all is text."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if value.lower() not in _FLAGS:
            raise ValidationError([Mistake("bool_parsing", "This must be true or false")])
        return _FLAGS[value.lower()]


class JsonObject(fields.Dict):
    """Any JSON object, kept as it is."""

    default_error_messages = _messages("dict_type", "This must be a JSON object")

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        return value


class ListOf(fields.List[Any]):
    """A list of what another field describes."""

    default_error_messages = _messages("list_type", "This must be a list")


class Part(fields.Nested):
    """An object that another schema describes."""

    default_error_messages = _messages("dict_type", "This must be a JSON object")


def load(schema: Schema, data: Any, location: Location) -> Any:
    """Return what a schema makes of some data; InvalidRequest with every mistake in it."""
    try:
        return schema.load(data)
    except ValidationError as error:
        raise InvalidRequest(list(_locate(error.messages, location))) from error


def _locate(messages: Any, location: Location) -> Iterator[tuple[Location, Mistake]]:
    if isinstance(messages, Mapping):
        for key, nested in messages.items():
            of_the_whole = key == "_schema" and nested != [StrictSchema.error_messages["unknown"]]
            yield from _locate(nested, location if of_the_whole else (*location, key))
    else:
        for message in messages:
            yield location, message
