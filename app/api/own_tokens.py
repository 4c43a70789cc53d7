"""`/v1/tokens`: the caller's own tokens."""

from flask import Blueprint

from app.api import examples, payloads
from app.api.accounts import forbid_copies
from app.domain.tokens import TokenRequest
from app.registry.users import user_tokens
from app.schemas.accounts import TokenCreatedSchema, TokenCreateSchema, TokenListSchema
from app.schemas.batches import DeletedSchema
from app.wire import context
from app.wire.contract import Answer, accepts, returns

blueprint = Blueprint("own_tokens", __name__, url_prefix="/v1/tokens")
blueprint.before_request(context.authenticate_self)
blueprint.after_request(forbid_copies)


@blueprint.post("")
@accepts(TokenCreateSchema, example=examples.CREATE_OWN_TOKEN)
@returns(TokenCreatedSchema, 201, errors=(404, 409))
def create_own_token(body: TokenRequest) -> Answer:
    """Make one more token for yourself, which may do at most what the token that asks may.

    The answer contains the token itself, which is not shown again.
    """
    principal = context.principal()
    made = user_tokens.create(context.services().accounts, context.origin(), principal.user.id, body, principal.token)
    return payloads.new_token(*made), 201, {}


@blueprint.get("")
@accepts()
@returns(TokenListSchema, 200, errors=(404,))
def list_own_tokens() -> Answer:
    """List your tokens, without their secrets.

    A token for some repos sees only tokens for the same repos, or fewer.
    """
    principal = context.principal()
    seen = user_tokens.seen_by(context.services().accounts.get(principal.user.id), principal.token)
    return {"tokens": [payloads.token(token) for token in seen]}, 200, {}


@blueprint.post("/<token_name>/rotate")
@accepts()
@returns(TokenCreatedSchema, 200, errors=(404, 409))
def rotate_own_token(token_name: str) -> Answer:
    """Give one of your tokens a new secret. The old one stops working at once.

    Of tokens that may do more than the one that asks, none. A token may always rotate itself. The answer contains
    the new secret, which is not shown again. Name and limits stay as they are.
    """
    principal = context.principal()
    made = user_tokens.rotate(
        context.services().accounts, context.origin(), principal.user.id, token_name, principal.token
    )
    return payloads.new_token(*made), 200, {}


@blueprint.delete("/<token_name>")
@accepts()
@returns(DeletedSchema, 200, errors=(404,))
def revoke_own_token(token_name: str) -> Answer:
    """Revoke one of your tokens. It stops working at once.

    A token may revoke itself, and others that may do at most what it may. After the last one, only the operator can
    make another.
    """
    principal = context.principal()
    user_id, by = principal.user.id, principal.token
    left = user_tokens.revoke(context.services().accounts, context.origin(), user_id, token_name, by)
    message = f"Token '{token_name}' of user '{user_id}' revoked"
    if by is not None and by.name == token_name:
        message += ", which sent this request"
    return {"message": message if left else f"{message}. It was the last one: ask the operator for another"}, 200, {}
