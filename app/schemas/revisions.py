"""Requests and answers about refs, commits and tags."""

from app.domain.names import tag_name_problem
from app.schemas.base import StrictSchema
from app.schemas.containers import ListOf, Part
from app.schemas.fields import Matching, Name, Reference, Text

_LONGEST_MESSAGE = 10_000
_TIME = {"format": "date-time"}
REASON = "Why it was made, as `X-Change-Reason` told; null where it told nothing."


class RefQuerySchema(StrictSchema):
    """The commit to read at."""

    ref = Reference(
        load_default=None, metadata={"description": "The commit, tag, label or time to read at. Left out: the tip."}
    )


class PersonSchema(StrictSchema):
    """A person, as git shows them."""

    name = Text(required=True, metadata={"description": "The name."})
    email = Text(required=True, metadata={"description": "The address."})
    user = Text(
        required=True,
        allow_none=True,
        metadata={"description": "The user's id; null where a commit or tag does not tell, as one made by hand."},
    )
    token = Text(
        required=True,
        allow_none=True,
        metadata={"description": "The name of the user's token; null for the master key and for commands, too."},
    )


class TagCreateSchema(StrictSchema):
    """A new tag."""

    name = Name(tag_name_problem, new=True, required=True, metadata={"description": "The tag's name."})
    ref = Reference(
        allow_none=True,
        load_default=None,
        metadata={"description": "The commit, a tag or label on it, or a time; null: the tip."},
    )
    message = Matching(
        rf"[^\x00]{{0,{_LONGEST_MESSAGE}}}",
        f"This must have at most {_LONGEST_MESSAGE} characters, and no NUL",
        allow_none=True,
        load_default=None,
        metadata={"description": "The message of the tag; null: its name."},
    )


class TagSchema(StrictSchema):
    """A tag."""

    name = Text(required=True, metadata={"description": "The tag's name."})
    commit = Text(required=True, metadata={"description": "The commit that it is on."})
    message = Text(
        required=True,
        allow_none=True,
        metadata={"description": "The message; null where somebody made the tag by hand, without one."},
    )
    tagger = Part(PersonSchema, required=True, allow_none=True, metadata={"description": "Its author."})
    time = Text(required=True, allow_none=True, metadata={**_TIME, "description": "When it was made."})
    reason = Text(required=True, allow_none=True, metadata={"description": REASON})


class TagListSchema(StrictSchema):
    """The tags of a repo."""

    tags = ListOf(Part(TagSchema), required=True, metadata={"description": "The tags, by name."})
