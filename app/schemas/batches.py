"""Answers to batches of targets or prompts, and to deletions."""

from marshmallow import fields

from app.schemas.base import StrictSchema
from app.schemas.containers import Names
from app.schemas.fields import Text


class BatchSchema(StrictSchema):
    """The result of a batch."""

    created = Names(required=True, metadata={"description": "Names of the items that now exist as requested."})
    failed = fields.Dict(
        keys=Text(),
        values=Text(),
        required=True,
        metadata={"description": "The reasons for the others, by name, or else by `targets[<index>]`."},
    )


class DeletedSchema(StrictSchema):
    """A deletion."""

    message = Text(required=True, metadata={"description": "What was deleted; for a person."})
