"""Grants, as requests ask for them and answers show them."""

from app.domain.tokens import Access
from app.schemas.base import StrictSchema
from app.schemas.containers import ListOf, Part
from app.schemas.fields import Choice, Text

_ACCESS = "`read`: read and clone the repo; `write`: change what lies in it, too."


class GrantPutSchema(StrictSchema):
    """What a user is to be allowed."""

    access = Choice(tuple(Access), required=True, metadata={"description": _ACCESS})


class GrantSchema(StrictSchema):
    """What a user is allowed."""

    user_id = Text(required=True, metadata={"description": "The user whom the repo is shared with."})
    access = Choice(tuple(Access), required=True, metadata={"description": _ACCESS})


class GrantListSchema(StrictSchema):
    """Whom a repo is shared with."""

    grants = ListOf(Part(GrantSchema), required=True, metadata={"description": "The grants, by user id."})
