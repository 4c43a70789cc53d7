"""What a batch of targets or prompts is answered with."""

from marshmallow import fields

from app.schemas.base import StrictSchema
from app.schemas.containers import Names
from app.schemas.fields import Text


class BatchSchema(StrictSchema):
    """What became of the items of a batch."""

    created = Names(
        required=True, metadata={"description": "Names of the items that are there now, as asked for."}
    )
    failed = fields.Dict(
        keys=Text(),
        values=Text(),
        required=True,
        metadata={"description": "Why the others are not, by name; without a name, by `targets[<index>]`."},
    )


class DeletedSchema(StrictSchema):
    """What was deleted."""

    message = Text(required=True, metadata={"description": "What was deleted; for a person."})
