"""Strict fields: nothing is converted, and each mistake has a type."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from threading import Lock
from typing import Any, cast

from cachetools import LRUCache
from marshmallow import Schema, ValidationError, fields, missing

from app.registry.names import PATTERNS
from app.schemas.base import Mistake

_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]"
    r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[-+][0-9]{2}:[0-9]{2})"
)
_FAMILIAR = 8192  # characters of JSON; nothing longer is remembered
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")
_FLAGS = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(("false", "0", "no", "off"), False)


def _messages(type_: str, sentence: str) -> dict[str, Any]:
    """Return a field's mistakes by Marshmallow's keys; null is a mistake of type, too."""
    wrong = [Mistake(type_, sentence)]
    return {"required": [Mistake("missing", "This field is required")], "null": wrong, "invalid": wrong}


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
        pattern = PATTERNS[problem]
        self.metadata = {"pattern": f"^$|{pattern}" if empty else pattern, **self.metadata}
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


class Timestamp(Text):
    """A moment still to come, as RFC 3339 writes it: with date, time and offset."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.metadata = {"format": "date-time", **self.metadata}

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> datetime:  # type: ignore[override]
        text = super()._deserialize(value, *args, **kwargs)
        try:
            moment = datetime.fromisoformat(text).astimezone(UTC) if _TIMESTAMP.fullmatch(text) else None
        except (ValueError, OverflowError):  # no such day, or one beyond the calendar's end
            moment = None
        if moment is None:
            message = "This must be a time with an offset, such as 2027-01-31T12:00:00Z"
            raise ValidationError([Mistake("datetime_parsing", message)])
        if moment <= datetime.now(UTC):
            raise ValidationError([Mistake("datetime_future", "This must be in the future")])
        return moment


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


class FamiliarList(ListOf):
    """A list that was often sent before: what was right once is not checked item by item again.

    Nobody may change what this returns.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lock = Lock()
        self._known: LRUCache[str, list[Any]] = LRUCache(512)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        key = json.dumps(value)  # unlike the value itself, it tells 1, 1.0 and true apart
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = super()._deserialize(value, *args, **kwargs)
            if len(key) <= _FAMILIAR:
                with self._lock:
                    self._known[key] = known
        return known


class Names(ListOf):
    """A list of names to answer with: thousands of them, so each is not looked at again."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Text(), **kwargs)

    def _serialize(self, value: Any, *_: Any, **__: Any) -> list[str]:
        return list(value)


class Part(fields.Nested):
    """An object that another schema describes.

    It is loaded by a schema of only the fields that it has: Marshmallow takes as long for a field
    that is left out as for one that is there, and most are left out.
    """

    default_error_messages = _messages("dict_type", "This must be a JSON object")

    def __init__(self, nested: type[Schema], **kwargs: Any) -> None:
        super().__init__(nested, **kwargs)
        self._narrow: LRUCache[frozenset[str], Schema] = LRUCache(256)
        self._lock = Lock()

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        return self._schema_for(frozenset(value)).load(value)

    def _schema_for(self, names: frozenset[str]) -> Schema:
        wanted = names & self._known | self._always
        with self._lock:
            schema = self._narrow.get(wanted)
            if schema is None:
                schema = self._narrow[wanted] = cast(type[Schema], self.nested)(only=wanted)
        return schema

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.schema.fields)

    @cached_property
    def _always(self) -> frozenset[str]:
        """Return the fields that say something when they are left out."""
        fields = self.schema.fields.items()
        return frozenset(
            name for name, field in fields if field.required or field.load_default is not missing
        )


class KeptPart(Part):
    """An object that another schema checks, and that is kept as it came: fields, order and all."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        super()._deserialize(value, *args, **kwargs)
        return value

    def _serialize(self, nested_obj: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:  # type: ignore[override]  # noqa: ARG002
        return nested_obj


class Unchecked(fields.Raw):
    """An item of a batch: what `item` describes, checked one by one so that a wrong one stops no other."""

    def __init__(self, item: fields.Field[Any], **kwargs: Any) -> None:
        super().__init__(allow_none=True, **kwargs)
        self.item = item


class MapOf(fields.Dict):
    """An object whose names `problem` finds nothing wrong with, and whose values another field describes."""

    default_error_messages = _messages("dict_type", "This must be a JSON object")

    def __init__(self, problem: Callable[[str], str | None], value: fields.Field[Any], **kwargs: Any) -> None:
        super().__init__(values=value, **kwargs)
        self.names = {"pattern": PATTERNS[problem]}
        self._problem = problem

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        problems = {name: self._problem(name) for name in value}
        mistakes = {
            name: [Mistake("string_pattern_mismatch", f"This name {problem}")]
            for name, problem in problems.items()
            if problem
        }
        if mistakes:
            raise ValidationError(mistakes)
        return dict(super()._deserialize(value, *args, **kwargs))  # type: ignore[no-untyped-call]


class Content(fields.Raw):
    """What a message says: text, a list of objects, or null."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_none=True, **kwargs)
        parts = {"type": "array", "items": {"type": "object"}}
        self.metadata = {"anyOf": [{"type": "string"}, parts, {"type": "null"}], **self.metadata}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if isinstance(value, list):
            wrong = [Mistake("dict_type", "This must be a JSON object")]
            mistakes = {index: wrong for index, part in enumerate(value) if not isinstance(part, dict)}
            if mistakes:
                raise ValidationError(mistakes)
        elif not isinstance(value, str):
            raise ValidationError(
                [Mistake("string_type", "This must be a string, a list of objects, or null")]
            )
        return value
