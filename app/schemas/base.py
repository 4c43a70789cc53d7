"""What all schemas share: unknown fields are mistakes, and each mistake has a type and a place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError

Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong with a request: a stable type, and a sentence for a person."""

    type: str
    message: str


class InvalidRequest(Exception):
    """A request that breaks the contract: every mistake in it, and where it is."""

    def __init__(self, mistakes: list[tuple[Location, Mistake]]) -> None:
        super().__init__("; ".join(_sentence(*mistake) for mistake in mistakes))
        self.mistakes = mistakes


def _sentence(location: Location, mistake: Mistake) -> str:
    return f"{'.'.join(map(str, location))}: {mistake.message}" if location else mistake.message


class StrictSchema(Schema):
    """A schema that takes unknown fields for mistakes."""

    error_messages = {  # noqa: RUF012 — Marshmallow's own declaration
        "unknown": Mistake("extra_forbidden", "There is no such field"),  # type: ignore[dict-item]
        "type": Mistake("dict_type", "This must be a JSON object"),  # type: ignore[dict-item]
    }

    def load(self, *args: Any, **kwargs: Any) -> Any:
        """Load some data, as Marshmallow does; its ValidationError comes without a traceback.

        A frame of Marshmallow's holds the error that it raises, which holds the data: with its traceback,
        all of that would wait for the garbage collector.
        """
        try:
            return super().load(*args, **kwargs)
        except ValidationError as error:
            raise error.with_traceback(None) from None


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
