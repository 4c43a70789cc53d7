"""`/v1/me`."""

from flask import Blueprint

from app.api import payloads
from app.api.accounts import forbid_copies
from app.schemas.accounts import MeSchema
from app.wire import context
from app.wire.contract import Answer, accepts, returns

blueprint = Blueprint("me", __name__, url_prefix="/v1/me")
blueprint.before_request(context.authenticate_self)
blueprint.after_request(forbid_copies)


@blueprint.get("")
@accepts()
@returns(MeSchema, 200)
def get_me() -> Answer:
    """Say who calls, and what the token may do."""
    user, token = context.principal().user, context.principal().token
    told = None if token is None else payloads.token(token)
    return {"user_id": user.id, "user_alias": user.alias, "user_email": user.email, "token": told}, 200, {}
