"""Refs, commits and tags, as requests ask for them and answers show them."""

from app.domain.names import tag_name_problem
from app.schemas.base import StrictSchema
from app.schemas.containers import ListOf, Part
from app.schemas.fields import Matching, Name, Reference, Text

_LONGEST_MESSAGE = 10_000
_TIME = {"format": "date-time"}


class RefQuerySchema(StrictSchema):
    """At which commit to read."""

    ref = Reference(
        load_default=None,
        metadata={
            "description": "A commit, a tag, or a time: the answer as it was then. Left out: as it is now."
        },
    )


class PersonSchema(StrictSchema):
    """Who did something, as git tells."""

    name = Text(required=True, metadata={"description": "The name."})
    email = Text(required=True, metadata={"description": "The address."})


class TagCreateSchema(StrictSchema):
    """A new tag."""

    name = Name(tag_name_problem, new=True, required=True, metadata={"description": "The tag's name."})
    ref = Reference(
        allow_none=True,
        load_default=None,
        metadata={"description": "The commit, another tag on it, or a time; null: what is there now."},
    )
    message = Matching(
        rf"[^\x00]{{0,{_LONGEST_MESSAGE}}}",
        f"This must have at most {_LONGEST_MESSAGE} characters, and no NUL",
        allow_none=True,
        load_default=None,
        metadata={"description": "What the tag says of itself; null: its name."},
    )


class TagSchema(StrictSchema):
    """A tag."""

    name = Text(required=True, metadata={"description": "The tag's name."})
    commit = Text(required=True, metadata={"description": "The commit that it is on."})
    message = Text(
        required=True,
        allow_none=True,
        metadata={"description": "What it says; null: somebody made it by hand."},
    )
    tagger = Part(PersonSchema, required=True, allow_none=True, metadata={"description": "Who made it."})
    time = Text(required=True, allow_none=True, metadata={**_TIME, "description": "When it was made."})


class TagListSchema(StrictSchema):
    """The tags of a repo."""

    tags = ListOf(Part(TagSchema), required=True, metadata={"description": "The tags, by name."})
