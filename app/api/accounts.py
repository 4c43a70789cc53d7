"""`/v1/admin/users`: users and their tokens, for the master key."""

from itertools import starmap, takewhile
from typing import Any

from flask import Blueprint, Response

from app import auth
from app.api import examples, payloads
from app.domain.tokens import TokenRequest
from app.registry.users import listing, namesakes, user_tokens
from app.registry.users.user_files import User
from app.schemas.accounts import (
    TokenCreatedSchema,
    TokenCreateSchema,
    TokenListSchema,
    UserChangedSchema,
    UserCreatedSchema,
    UserCreateSchema,
    UserListQuerySchema,
    UserPageSchema,
    UserPatchSchema,
    UserSchema,
)
from app.schemas.batches import DeletedSchema
from app.wire import allowance, context, versions
from app.wire.contract import Answer, accepts, returns

blueprint = Blueprint("accounts", __name__, url_prefix="/v1/admin/users")

_ETAG = {"ETag": "The version: the git blob id of the user's file, in quotes."}


@blueprint.before_request
def require_master_key() -> None:
    """Refuse everybody but the master key."""
    context.authenticate()
    auth.check_managing_users(context.principal())


@blueprint.after_request
def forbid_copies(response: Response) -> Response:
    """Have no cache keep an answer: it may contain a secret."""
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("")
@accepts(UserCreateSchema, example=examples.CREATE_USER)
@returns(UserCreatedSchema, 201, errors=(409,))
def create_user(body: dict[str, Any]) -> Answer:
    """Create a user.

    The answer contains the user's token, which is not shown again.
    """
    accounts, user_id = context.services().accounts, body["user_id"]
    token = accounts.create(context.origin(), user_id, body.get("user_alias"), body.get("user_email"))
    return {"user_id": user_id, "api_key": token, "warnings": namesakes.warnings(accounts, user_id)}, 201, {}


@blueprint.get("")
@accepts(query=UserListQuerySchema)
@returns(UserPageSchema, 200)
def list_users(query: dict[str, Any]) -> Answer:
    """List the users in pages, or those whose id, alias or email contains `q`."""
    found = listing.find(context.services().accounts, query["q"])
    offset, limit = query["offset"], query["limit"]
    users = list(takewhile(allowance.room().fits, starmap(_payload, found[offset : offset + limit])))
    has_more = offset + len(users) < len(found)
    page = {"users": users, "offset": offset, "limit": limit, "has_more": has_more, "total": len(found)}
    return page, 200, {}


@blueprint.get("/<user_id>")
@accepts()
@returns(UserSchema, 200, errors=(404,), headers=_ETAG)
def get_user(user_id: str) -> Answer:
    """Read a user."""
    user = context.services().accounts.get(user_id)
    return _payload(user_id, user), 200, _version(user)


@blueprint.patch("/<user_id>")
@accepts(UserPatchSchema, example=examples.PATCH_USER, conditions=("If-Match",))
@returns(UserChangedSchema, 200, errors=(404, 412), headers=_ETAG)
def change_user(user_id: str, body: dict[str, Any]) -> Answer:
    """Change the name or the address that commits show of a user, from now on.

    Commits that exist keep what they show. They are found by the user's id, like the new ones.
    """
    accounts = context.services().accounts
    changes = {name.removeprefix("user_"): value for name, value in body.items()}
    user = accounts.change(context.origin(), user_id, changes, versions.precondition())
    return {**_payload(user_id, user), "warnings": namesakes.warnings(accounts, user_id)}, 200, _version(user)


@blueprint.delete("/<user_id>")
@accepts(conditions=("If-Match",))
@returns(DeletedSchema, 200, errors=(404, 409, 412))
def remove_user(user_id: str) -> Answer:
    """Remove a user who has no repos. All tokens of the user stop working at once.

    The id is not given to another user, since commits name it. Grants to the user mean nothing from then on.
    """
    places = context.places()  # so that a transfer to this user which a crash cut short keeps nobody from it
    count = places.accounts.remove(context.origin(), user_id, versions.precondition(), places.repos)
    message = f"User '{user_id}' removed, and {count} token{'' if count == 1 else 's'} revoked"
    return {"message": message}, 200, {}


@blueprint.post("/<user_id>/tokens")
@accepts(TokenCreateSchema, example=examples.CREATE_TOKEN)
@returns(TokenCreatedSchema, 201, errors=(404, 409))
def create_token(user_id: str, body: TokenRequest) -> Answer:
    """Give a user one more token.

    The answer contains the token itself, which is not shown again.
    """
    token, secret = user_tokens.create(context.services().accounts, context.origin(), user_id, body)
    return payloads.new_token(token, secret), 201, {}


@blueprint.get("/<user_id>/tokens")
@accepts()
@returns(TokenListSchema, 200, errors=(404,))
def list_tokens(user_id: str) -> Answer:
    """List the tokens of a user, without their secrets."""
    user = context.services().accounts.get(user_id)
    return {"tokens": [payloads.token(token) for token in user.tokens]}, 200, {}


@blueprint.post("/<user_id>/tokens/<token_name>/rotate")
@accepts()
@returns(TokenCreatedSchema, 200, errors=(404, 409))
def rotate_token(user_id: str, token_name: str) -> Answer:
    """Give a token a new secret. The old one stops working at once.

    The answer contains the new secret, which is not shown again. Name and limits stay as they are.
    """
    token, secret = user_tokens.rotate(context.services().accounts, context.origin(), user_id, token_name)
    return payloads.new_token(token, secret), 200, {}


@blueprint.delete("/<user_id>/tokens/<token_name>")
@accepts()
@returns(DeletedSchema, 200, errors=(404,))
def revoke_token(user_id: str, token_name: str) -> Answer:
    """Revoke a token. It stops working at once."""
    user_tokens.revoke(context.services().accounts, context.origin(), user_id, token_name)
    return {"message": f"Token '{token_name}' of user '{user_id}' revoked"}, 200, {}


def _payload(user_id: str, user: User | None) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "user_alias": user and user.alias,
        "user_email": user and user.email,
        "tokens": user and len(user.tokens),
    }


def _version(user: User) -> dict[str, str]:
    return {"ETag": f'"{user.version}"'}
