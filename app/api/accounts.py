"""`/v1/admin/users`: users and their tokens, for the master key."""

from typing import Any

from flask import Blueprint, Response

from app.api import examples, payloads
from app.auth import Forbidden
from app.domain.tokens import TokenRequest
from app.registry.users import namesakes, user_tokens
from app.schemas.accounts import (
    TokenCreatedSchema,
    TokenCreateSchema,
    TokenListSchema,
    UserCreatedSchema,
    UserCreateSchema,
)
from app.schemas.batches import DeletedSchema
from app.wire import context
from app.wire.contract import Answer, accepts, returns

blueprint = Blueprint("accounts", __name__, url_prefix="/v1/admin/users")


@blueprint.before_request
def require_master_key() -> None:
    """Refuse everybody but the master key."""
    context.authenticate()
    if not context.principal().is_master:
        raise Forbidden("Only the master key may manage users.")


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
