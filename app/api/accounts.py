"""`/v1/admin/users`."""

from typing import Any

from flask import Blueprint

from app.api import context
from app.api.contract import accepts, returns
from app.auth import Forbidden
from app.schemas.accounts import UserCreatedSchema, UserCreateSchema

blueprint = Blueprint("accounts", __name__, url_prefix="/v1/admin/users")


@blueprint.before_request
def require_master_key() -> None:
    """Let only the master key in."""
    context.authenticate()
    if not context.principal().is_master:
        raise Forbidden("Only the master key may manage users.")


@blueprint.post("")
@accepts(UserCreateSchema)
@returns(UserCreatedSchema, 201, errors=(409,))
def create_user(body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Create a user.

    The answer holds the user's token; it is not shown again.
    """
    token = context.services().accounts.create(
        context.origin(), body["user_id"], body.get("user_alias"), body.get("user_email")
    )
    return {"user_id": body["user_id"], "api_key": token}, 201, {}
