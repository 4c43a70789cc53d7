"""Strict fields with others in them: lists, objects, and parts with a schema of their own."""

from collections.abc import Callable
from functools import cached_property
from threading import Lock
from typing import Any, cast

from cachetools import LRUCache
from marshmallow import Schema, ValidationError, fields, missing

from app.domain.names import PATTERNS
from app.schemas.base import Mistake
from app.schemas.fields import Text, messages, new_name_problem


class JsonObject(fields.Dict):
    """Any JSON object, kept as it is."""

    default_error_messages = messages("dict_type", "This must be a JSON object")

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        return value


class ListOf(fields.List[Any]):
    """A list whose items another field describes."""

    default_error_messages = messages("list_type", "This must be a list")


class Names(ListOf):
    """A list of names in an answer. There may be thousands, so they are not dumped one by one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Text(), **kwargs)

    def _serialize(self, value: Any, *_: Any, **__: Any) -> list[str]:
        return list(value)


class Warnings(Names):
    """What the sender of a request should know, though the request was done."""

    def __init__(self) -> None:
        super().__init__(
            metadata={
                "description": "Names that mean nothing in the repo, and what no run takes; left out without any."
            }
        )


class Part(fields.Nested):
    """An object that another schema describes.

    The object is loaded by a schema with only the fields that the object has: most fields are left out,
    and Marshmallow spends as much time on a missing field as on a present one.
    """

    default_error_messages = messages("dict_type", "This must be a JSON object")

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
        """Return the fields that are required or have a default, so that leaving them out matters."""
        fields = self.schema.fields.items()
        return frozenset(name for name, field in fields if field.required or field.load_default is not missing)


class KeptPart(Part):
    """An object that another schema checks, and that is kept exactly as it was sent."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        super()._deserialize(value, *args, **kwargs)
        return value

    def _serialize(self, nested_obj: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:  # type: ignore[override]  # noqa: ARG002
        return nested_obj


class Unchecked(fields.Raw):
    """An item of a batch. The view checks each with `item`, so that a wrong one does not stop the others."""

    def __init__(self, item: fields.Field[Any], **kwargs: Any) -> None:
        super().__init__(allow_none=True, **kwargs)
        self.item = item


class MapOf(fields.Dict):
    """An object of new things by name: `problem` checks the names, and another field the values."""

    default_error_messages = messages("dict_type", "This must be a JSON object")

    def __init__(self, problem: Callable[[str], str | None], value: fields.Field[Any], **kwargs: Any) -> None:
        super().__init__(values=value, **kwargs)
        self.names = {"pattern": PATTERNS[problem]}
        self._problem = problem

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        problems = {name: new_name_problem(self._problem, name) for name in value}
        mistakes = {
            name: [Mistake("string_pattern_mismatch", f"This name {problem}")]
            for name, problem in problems.items()
            if problem
        }
        if mistakes:
            raise ValidationError(mistakes)
        return dict(super()._deserialize(value, *args, **kwargs))  # type: ignore[no-untyped-call]


class Content(fields.Raw):
    """The content of a message: text, a list of objects, or null."""

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
            raise ValidationError([Mistake("string_type", "This must be a string, a list of objects, or null")])
        return value
