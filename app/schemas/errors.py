"""Answers to refused requests."""

from marshmallow import fields

from app.schemas.base import StrictSchema
from app.schemas.containers import ListOf, Part
from app.schemas.fields import Text


class ErrorSchema(StrictSchema):
    """The reason why a request was refused."""

    message = Text(required=True, metadata={"description": "What is wrong, in a sentence for a person."})
    code = Text(required=True, metadata={"description": "A stable name for the kind of error."})


class MistakeSchema(StrictSchema):
    """One mistake in a request."""

    loc = ListOf(
        fields.Raw(metadata={"type": ["string", "integer"]}),
        required=True,
        metadata={"description": "The place: `body`, `query` or `path`, then names and positions."},
    )
    msg = Text(required=True, metadata={"description": "What is wrong, in a sentence for a person."})
    type = Text(required=True, metadata={"description": "A stable name for the kind of mistake."})


class MistakesSchema(StrictSchema):
    """Every mistake in a request."""

    detail = ListOf(Part(MistakeSchema), required=True, metadata={"description": "All mistakes."})
