"""Requests and answers about users and their tokens."""

from typing import Any, ClassVar

from marshmallow import ValidationError, post_load, validates_schema

from app.domain.names import name_problem, new_user_id_problem, token_repo_problem
from app.domain.tokens import Access, TokenRequest
from app.schemas.base import Mistake, StrictSchema
from app.schemas.containers import ListOf, Part
from app.schemas.fields import FARTHEST, Choice, Flag, Integer, Name, QueryInteger, Text, Timestamp


def _not_empty(repos: list[str]) -> None:
    if not repos:
        raise ValidationError([Mistake("too_short", "Name a repo, or null for all of them")])


class UserCreateSchema(StrictSchema):
    """A new user."""

    user_id = Name(new_user_id_problem, required=True, metadata={"description": "The user's id."})
    user_alias = Text(allow_none=True, metadata={"description": "The name that commits show."})
    user_email = Text(allow_none=True, metadata={"description": "The address that commits show."})
    password = Text(allow_none=True, metadata={"description": "Accepted and ignored: users have tokens."})


def _warnings() -> ListOf:
    what = "A sentence for each other user whose commits show the same name and address."
    return ListOf(Text(), required=True, metadata={"description": what})


class UserCreatedSchema(StrictSchema):
    """A user who was just created."""

    user_id = Text(required=True, metadata={"description": "The user's id."})
    api_key = Text(required=True, metadata={"description": "The user's token. It is shown only now."})
    warnings = _warnings()


class UserPatchSchema(StrictSchema):
    """What to change of a user: what is left out stays."""

    json_schema: ClassVar[dict[str, Any]] = {"minProperties": 1}

    user_alias = Text(
        allow_none=True, metadata={"description": "The name that commits show from now on; null: the id."}
    )
    user_email = Text(
        allow_none=True, metadata={"description": "The address that commits show from now on; null: none."}
    )

    @validates_schema
    def _refuse_nothing(self, data: dict[str, Any], **_: Any) -> None:
        if not data:
            raise ValidationError([Mistake("missing", "Give user_alias, user_email, or both")])


class UserSchema(StrictSchema):
    """A user."""

    user_id = Text(required=True, metadata={"description": "The user's id."})
    user_alias = Text(
        required=True, allow_none=True, metadata={"description": "The name that commits show; null: the id."}
    )
    user_email = Text(required=True, allow_none=True, metadata={"description": "The address that commits show."})
    tokens = Integer(
        0,
        required=True,
        allow_none=True,
        metadata={"description": "How many tokens there are; null where the user's file is damaged."},
    )


class UserChangedSchema(UserSchema):
    """A user whose alias or email was changed."""

    warnings = _warnings()


class UserListQuerySchema(StrictSchema):
    """The page of users to list."""

    q = Text(
        load_default=None, metadata={"description": "Only users whose id, alias or email contains this, in any case."}
    )
    offset = QueryInteger(0, FARTHEST, load_default=0, metadata={"description": "How many to skip, 0 to a billion."})
    limit = QueryInteger(1, 1000, load_default=50, metadata={"description": "How many at most, 1 to 1000."})


class UserPageSchema(StrictSchema):
    """Some of the users."""

    users = ListOf(
        Part(UserSchema), required=True, metadata={"description": "The users, by id; fewer than `limit` where long."}
    )
    offset = Integer(0, required=True, metadata={"description": "How many come before these."})
    limit = Integer(1, required=True, metadata={"description": "How many were asked for."})
    has_more = Flag(required=True, metadata={"description": "Whether more come after these."})
    total = Integer(0, required=True, metadata={"description": "How many there are, of those that `q` finds."})


class TokenCreateSchema(StrictSchema):
    """A new token."""

    name = Name(name_problem, new=True, required=True, metadata={"description": "The token's name."})
    access = Choice(
        tuple(Access),
        load_default=str(Access.WRITE),
        metadata={"description": "`read`: for reading only; `write`: for all that its user may do."},
    )
    repos = ListOf(
        Name(token_repo_problem),
        allow_none=True,
        load_default=None,
        validate=_not_empty,
        metadata={"description": "The repos it is for: names of the user's own, or `<owner>/<repo>`; null: all."},
    )
    expires_at = Timestamp(
        future=True,
        allow_none=True,
        load_default=None,
        metadata={"description": "When it expires (RFC 3339), in the future; null: never."},
    )

    @post_load
    def _make_request(self, data: dict[str, Any], **_: Any) -> TokenRequest:
        repos = data["repos"]
        return TokenRequest(
            data["name"], Access(data["access"]), None if repos is None else tuple(repos), data["expires_at"]
        )


class TokenSchema(StrictSchema):
    """A token, without its secret."""

    name = Text(required=True, metadata={"description": "The token's name."})
    access = Choice(
        tuple(Access), required=True, metadata={"description": "`read`: for reading only; `write`: for all."}
    )
    repos = ListOf(Text(), required=True, allow_none=True, metadata={"description": "The repos it is for; null: all."})
    created_at = Text(required=True, metadata={"format": "date-time", "description": "When it was created (RFC 3339)."})
    expires_at = Text(
        required=True,
        allow_none=True,
        metadata={"format": "date-time", "description": "When it expires; null: never."},
    )
    made_with = Text(
        required=True,
        allow_none=True,
        metadata={
            "description": "The operator's token that it was made with, perhaps by way of others; they share one "
            "rate limit. null: the operator made it."
        },
    )


class TokenCreatedSchema(TokenSchema):
    """A token that was just created."""

    api_key = Text(required=True, metadata={"description": "The token itself. It is shown only now."})


class TokenListSchema(StrictSchema):
    """The tokens of a user."""

    tokens = ListOf(Part(TokenSchema), required=True, metadata={"description": "The tokens, oldest first."})


class MeSchema(StrictSchema):
    """Who calls, and with which token."""

    user_id = Text(required=True, metadata={"description": "The user's id."})
    user_alias = Text(
        required=True, allow_none=True, metadata={"description": "The name that commits show; null: the id."}
    )
    user_email = Text(required=True, allow_none=True, metadata={"description": "The address that commits show."})
    token = Part(
        TokenSchema, required=True, allow_none=True, metadata={"description": "The token; null: the master key."}
    )
