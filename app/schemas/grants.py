"""Requests and answers about grants."""

from app.domain.tokens import Access
from app.schemas.base import StrictSchema
from app.schemas.containers import ListOf, Part
from app.schemas.fields import Choice, Text

_ACCESS = "`read`: read and clone the repo; `write`: also change what is in it."


class GrantPutSchema(StrictSchema):
    """The access that a user gets."""

    access = Choice(tuple(Access), required=True, metadata={"description": _ACCESS})


class GrantSchema(StrictSchema):
    """A user, and the access that they have."""

    user_id = Text(required=True, metadata={"description": "The user whom the repo is shared with."})
    access = Choice(tuple(Access), required=True, metadata={"description": _ACCESS})


class GrantListSchema(StrictSchema):
    """The users whom a repo is shared with."""

    grants = ListOf(Part(GrantSchema), required=True, metadata={"description": "The grants, by user id."})
