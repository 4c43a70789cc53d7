"""Requests and answers about grants."""

from app.domain.tokens import Access
from app.schemas.base import StrictSchema
from app.schemas.containers import ListOf, Part
from app.schemas.fields import Choice, Matching, QueryInteger, Text

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


class SharedQuerySchema(StrictSchema):
    """The page of shared repos to list."""

    limit = QueryInteger(1, 100, load_default=50, metadata={"description": "How many repos at most, 1 to 100."})
    after = Matching(
        r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}/[A-Za-z0-9][A-Za-z0-9._-]{0,99}",
        "This must be an owner and a repo, such as alice/demo",
        load_default="",
        metadata={"description": "Only repos behind this one: `next` of the page before."},
    )


class SharedRepoSchema(StrictSchema):
    """A repo of another user that is shared with the caller."""

    owner = Text(required=True, metadata={"description": "Whose repo it is: name this user in `X-User-Id`."})
    repo_name = Text(required=True, metadata={"description": "The repo's name."})
    access = Choice(
        tuple(Access), required=True, metadata={"description": f"What you may do there with this token. {_ACCESS}"}
    )
    base_model = Text(required=True, metadata={"description": "The base model."})
    clone_url = Text(required=True, metadata={"description": "The URL for `git clone`."})


class SharedListSchema(StrictSchema):
    """The repos of others that are shared with the caller."""

    repos = ListOf(
        Part(SharedRepoSchema),
        required=True,
        metadata={"description": "The repos, by owner and name; fewer than `limit`, or none, where a page ends early."},
    )
    next = Text(
        required=True,
        allow_none=True,
        metadata={"description": "What to give as `after` for the next page; null: there is none."},
    )
