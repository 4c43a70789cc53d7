"""`/v1/repo/{repo_name}/grants`: sharing a repo."""

from typing import Any

from flask import Blueprint

from app.api import examples
from app.auth import Forbidden
from app.domain.tokens import Access
from app.registry import grants
from app.schemas.batches import DeletedSchema
from app.schemas.grants import GrantListSchema, GrantPutSchema, GrantSchema
from app.schemas.revisions import RefQuerySchema
from app.wire import context
from app.wire.contract import Answer, accepts, returns

blueprint = Blueprint("grants", __name__, url_prefix="/v1/repo/<repo_name>/grants")


@blueprint.before_request
def require_owner() -> None:
    """Refuse everybody but the owner and the master key."""
    context.authorize()
    principal = context.principal()
    if principal.is_guest:
        raise Forbidden(f"Only '{principal.owner}' and the master key may manage who shares this repo.")
    if principal.token and principal.token.repos is not None:  # grants would outlive the token
        raise Forbidden(f"The token '{principal.token.name}' is for some repos only, and may not share them.")


@blueprint.get("")
@accepts(query=RefQuerySchema)
@returns(GrantListSchema, 200, errors=(404, 409))
def list_grants(repo_name: str, query: dict[str, Any]) -> Answer:
    """List the users that a repo is shared with."""
    found = grants.get(context.snapshot(repo_name, query))
    return {"grants": [_payload(user_id, access) for user_id, access in found.items()]}, 200, {}


@blueprint.put("/<user_id>")
@accepts(GrantPutSchema, example=examples.PUT_GRANT)
@returns(GrantSchema, 200, errors=(404, 409))
def put_grant(repo_name: str, user_id: str, body: dict[str, Any]) -> Answer:
    """Share a repo with a user, or change what they may do.

    The user names the owner in `X-User-Id` or `user_id`, and is the author of their own changes.
    """
    repository = context.repository(repo_name)
    user = context.services().accounts.get(user_id)
    access = Access(body["access"])
    grants.put(repository, context.origin(), context.principal().owner, user.id, access)
    return _payload(user_id, access), 200, {}


@blueprint.delete("/<user_id>")
@accepts()
@returns(DeletedSchema, 200, errors=(404,))
def delete_grant(repo_name: str, user_id: str) -> Answer:
    """Stop sharing a repo with a user. This takes effect at once."""
    grants.delete(context.repository(repo_name), context.origin(), user_id)
    return {"message": f"Repo '{repo_name}' is no longer shared with '{user_id}'"}, 200, {}


def _payload(user_id: str, access: Access) -> dict[str, Any]:
    return {"user_id": user_id, "access": str(access)}
