"""Answers to batches of targets or prompts, and to deletions."""

from marshmallow import fields

from app.schemas.base import StrictSchema
from app.schemas.containers import Names, Warnings
from app.schemas.fields import Integer, Text


class BatchSchema(StrictSchema):
    """The result of a batch."""

    created = Names(required=True, metadata={"description": "Names of the items that now exist as requested."})
    failed = fields.Dict(
        keys=Text(),
        values=Text(),
        required=True,
        metadata={"description": "The reasons for the others, by name, or else by `targets[<index>]`."},
    )
    versions = fields.Dict(
        keys=Text(),
        values=Text(),
        required=True,
        metadata={"description": "The versions of the items in `created`, by name: the blob ids of their files."},
    )


class TargetBatchedSchema(BatchSchema):
    """The result of a batch of targets."""

    warnings = Warnings()


class DeletedSchema(StrictSchema):
    """A deletion."""

    message = Text(required=True, metadata={"description": "What was deleted; for a person."})


class DeletedInUseSchema(DeletedSchema):
    """A deletion of something that targets may use still."""

    used_by = Names(
        required=True,
        metadata={"description": "The names of targets, and `default`, that use it still: the first 100, sorted."},
    )
    used_by_count = Integer(0, required=True, metadata={"description": "How many use it still."})
