"""Strict fields: nothing is converted, and each mistake has a type."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial
from typing import Any

from marshmallow import ValidationError, fields

from app.domain.names import PATTERNS, REVISION
from app.schemas.base import Mistake

_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]"
    r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[-+ ][0-9]{2}:[0-9]{2})"
)
FARTHEST = 1_000_000_000  # the largest offset of a page
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,4000}")  # Python reads no longer ones
_FLAGS = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(("false", "0", "no", "off"), False)


_longest_name: ContextVar[int] = ContextVar("longest_name", default=100)


@contextmanager
def new_names_up_to(length: int) -> Iterator[None]:
    """Refuse new names of more than `length` characters while the block runs."""
    token = _longest_name.set(length)
    try:
        yield
    finally:
        _longest_name.reset(token)


def new_name_problem(find_problem: Callable[[str], str | None], name: str) -> str | None:
    """Return what is wrong with the name of something new, or None. Existing things keep longer names."""
    longest = _longest_name.get()
    return f"may have {longest} characters at most" if len(name) > longest else find_problem(name)


def messages(type_: str, sentence: str) -> dict[str, Any]:
    """Return a field's mistakes by Marshmallow's keys; null is a mistake of type, too."""
    wrong = [Mistake(type_, sentence)]
    return {"required": [Mistake("missing", "This field is required")], "null": wrong, "invalid": wrong}


class Text(fields.String):
    """A string; not the empty one where it must be `filled`."""

    default_error_messages = messages("string_type", "This must be a string")

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

    def __init__(
        self, problem: Callable[[str], str | None], *, empty: bool = False, new: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        pattern = PATTERNS[problem]
        self.metadata = {"pattern": f"^$|{pattern}" if empty else pattern, **self.metadata}
        self._find_problem = partial(new_name_problem, problem) if new else problem
        self._empty = empty

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs)
        problem = None if self._empty and not text else self._find_problem(text)
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
            raise ValidationError([Mistake("literal_error", f"This must be one of {', '.join(self._choices)}")])
        return text


class Matching(Text):
    """A string that a pattern describes, read alike by Python and ECMA 262; `sentence` says it in words."""

    def __init__(self, pattern: str, sentence: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.metadata = {"pattern": f"^{pattern}$", **self.metadata}
        self._pattern = re.compile(pattern)
        self._sentence = sentence

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs)
        if not self._pattern.fullmatch(text):
            raise ValidationError([Mistake("string_pattern_mismatch", self._sentence)])
        return text


class Timestamp(Text):
    """A moment as RFC 3339 writes it: with date, time and offset; one still to come where it must be.

    A whole second means its beginning, or its end where the time is the end of a range (`to_end`).
    """

    def __init__(self, *, future: bool = False, to_end: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.metadata = {"format": "date-time", **self.metadata}
        self._future = future
        self._to_end = to_end

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> datetime:  # type: ignore[override]
        moment = parse_time(super()._deserialize(value, *args, **kwargs), to_end=self._to_end)
        if moment is None:
            message = "This must be a time with an offset, such as 2027-01-31T12:00:00Z"
            raise ValidationError([Mistake("datetime_parsing", message)])
        if self._future and moment <= datetime.now(UTC):
            raise ValidationError([Mistake("datetime_future", "This must be in the future")])
        return moment


class Reference(Text):
    """A tag, a label, a commit's id or the start of one, or a time. A whole second means its end."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        kinds = [{"pattern": f"^{REVISION}$"}, {"format": "date-time"}]
        self.metadata = {"anyOf": kinds, **self.metadata}

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str | datetime:  # type: ignore[override]
        text = super()._deserialize(value, *args, **kwargs)
        found = text if re.fullmatch(REVISION, text) else parse_time(text, to_end=True)
        if found is None:
            message = "This must be a commit, a tag, a label, or a time with an offset, such as 2026-11-23T10:00:00Z"
            raise ValidationError([Mistake("string_pattern_mismatch", message)])
        return found


def parse_time(text: str, *, to_end: bool = False) -> datetime | None:
    """Return the moment that RFC 3339 writes so, in UTC, or None.

    A space before the offset is a `+` that a query lost. With `to_end` a time without a fraction is the last
    microsecond of its second, so that the second is covered as a whole.
    """
    if not _TIMESTAMP.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(re.sub(r" (?=..:..$)", "+", text.upper())).astimezone(UTC)
    except (ValueError, OverflowError):  # no such day, or one beyond the calendar's end
        return None
    return moment.replace(microsecond=999_999) if to_end and "." not in text else moment


class Integer(fields.Integer):
    """A whole number, and nothing that could be taken for one."""

    default_error_messages = messages("int_type", "This must be a whole number")

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

    default_error_messages = messages("float_type", "This must be a number")

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

    default_error_messages = messages("bool_type", "This must be true or false")

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
