"""Requests and answers about users and their tokens."""

from typing import Any

from marshmallow import ValidationError, post_load

from app.domain.names import name_problem, token_repo_problem, user_id_problem
from app.domain.tokens import Access, TokenRequest
from app.schemas.base import Mistake, StrictSchema
from app.schemas.containers import ListOf, Part
from app.schemas.fields import Choice, Name, Text, Timestamp


def _not_empty(repos: list[str]) -> None:
    if not repos:
        raise ValidationError([Mistake("too_short", "Name a repo, or null for all of them")])


class UserCreateSchema(StrictSchema):
    """A new user."""

    user_id = Name(user_id_problem, required=True, metadata={"description": "The user's id."})
    user_alias = Text(allow_none=True, metadata={"description": "The name that commits show."})
    user_email = Text(allow_none=True, metadata={"description": "The address that commits show."})
    password = Text(allow_none=True, metadata={"description": "Accepted and ignored: users have tokens."})


class UserCreatedSchema(StrictSchema):
    """A user who was just created."""

    user_id = Text(required=True, metadata={"description": "The user's id."})
    api_key = Text(required=True, metadata={"description": "The user's token. It is shown only now."})
    warnings = ListOf(
        Text(),
        required=True,
        metadata={"description": "A sentence for each other user whose commits show the same name and address."},
    )


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
