"""The base of all schemas: unknown fields are mistakes, and each mistake has a type and a place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import RAISE, Schema, ValidationError

Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake in a request: a stable type, and a sentence for a person."""

    type: str
    message: str


MOST_MISTAKES = 100  # that an answer lists; the others are counted


class InvalidRequest(Exception):
    """A request breaks the contract. The error carries its mistakes, each with its place."""

    def __init__(self, mistakes: list[tuple[Location, Mistake]]) -> None:
        self.mistakes = mistakes
        super().__init__("; ".join(self.sentences))

    @property
    def told(self) -> list[tuple[Location, Mistake]]:
        """The first mistakes, and where there are many, how many more."""
        others = len(self.mistakes) - MOST_MISTAKES
        if others <= 0:
            return self.mistakes
        more = f"Not listed here: {others} more mistake{'' if others == 1 else 's'}"
        whole = self.mistakes[0][0][:1]
        return [*self.mistakes[:MOST_MISTAKES], (whole, Mistake("too_many_mistakes", more))]

    @property
    def sentences(self) -> list[str]:
        """The mistakes for a person, a sentence each, with their places."""
        return [_sentence(*mistake) for mistake in self.told]


def _sentence(location: Location, mistake: Mistake) -> str:
    return f"{'.'.join(map(str, location))}: {mistake.message}" if location else mistake.message


class StrictSchema(Schema):
    """A schema that refuses unknown fields."""

    error_messages = {  # noqa: RUF012 — Marshmallow's own declaration
        "unknown": Mistake("extra_forbidden", "There is no such field"),  # type: ignore[dict-item]
        "type": Mistake("dict_type", "This must be a JSON object"),  # type: ignore[dict-item]
    }

    def load(self, *args: Any, **kwargs: Any) -> Any:
        """Load data as Marshmallow does, and drop the traceback of a ValidationError.

        A frame of Marshmallow refers to its own error, and the error to the data. With the traceback they
        would form a cycle, and stay in memory until the garbage collector runs.

        Marshmallow copies all its errors with each new one. So many unknown fields are refused before it sees them.
        """
        try:
            self._refuse_many_unknown(args[0])
            return super().load(*args, **kwargs)
        except ValidationError as error:
            raise error.with_traceback(None) from None

    def _refuse_many_unknown(self, data: Any) -> None:
        if self.unknown != RAISE or not isinstance(data, dict) or len(data) <= MOST_MISTAKES:
            return
        unknown = data.keys() - self.fields.keys()
        if len(unknown) > MOST_MISTAKES:
            raise ValidationError({name: [self.error_messages["unknown"]] for name in data if name in unknown})


def load(schema: Schema, data: Any, location: Location) -> Any:
    """Load data with a schema; InvalidRequest with every mistake in the data."""
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
