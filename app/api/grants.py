"""`/v1/repo/{repo_name}/grants`: sharing a repo."""

from typing import Any

from flask import Blueprint

from app import auth
from app.api import examples
from app.domain.tokens import Access
from app.registry import grants
from app.registry.users.sharing import Sharing
from app.schemas.batches import DeletedSchema
from app.schemas.grants import GrantListSchema, GrantPutSchema, GrantSchema
from app.schemas.revisions import RefQuerySchema
from app.wire import context, versions
from app.wire.contract import Answer, accepts, returns

blueprint = Blueprint("grants", __name__, url_prefix="/v1/repo/<repo_name>/grants")


@blueprint.before_request
def require_owner() -> None:
    """Refuse everybody but the owner and the master key."""
    context.authorize()
    auth.check_sharing(context.principal())


@blueprint.get("")
@accepts(query=RefQuerySchema, conditions=("If-None-Match",))
@returns(GrantListSchema, 200, 304, errors=(404, 409), headers=versions.GRANTS_HEADERS)
def list_grants(repo_name: str, query: dict[str, Any]) -> Answer:
    """List the users that a repo is shared with."""
    snapshot = context.snapshot(repo_name, query)
    version = grants.version(snapshot)
    headers = versions.headers(version, snapshot.commit)
    if versions.is_known(version):
        return {}, 304, headers
    found = grants.get(snapshot)
    return {"grants": [_payload(user_id, access) for user_id, access in found.items()]}, 200, headers


@blueprint.put("/<user_id>")
@accepts(GrantPutSchema, example=examples.PUT_GRANT, conditions=("If-Match",))
@returns(GrantSchema, 200, errors=(404, 409, 412), headers=versions.CHANGED_HEADERS)
def put_grant(repo_name: str, user_id: str, body: dict[str, Any]) -> Answer:
    """Share a repo with a user, or change what they may do.

    The user names the owner in `X-User-Id` or `user_id`, and is the author of their own changes.
    `If-Match` is about the version of the list.
    """
    access = Access(body["access"])
    sharing = Sharing(context.services().accounts, context.shares(), context.repository(repo_name))
    owner = context.principal().owner
    commit = sharing.put(context.origin(), owner, repo_name, user_id, access, versions.precondition())
    return _payload(user_id, access), 200, {"Git-Commit": commit}


@blueprint.delete("/<user_id>")
@accepts(conditions=("If-Match",))
@returns(DeletedSchema, 200, errors=(404, 412), headers=versions.CHANGED_HEADERS)
def delete_grant(repo_name: str, user_id: str) -> Answer:
    """Stop sharing a repo with a user. This takes effect at once.

    `If-Match` is about the version of the list.
    """
    commit = grants.delete(context.repository(repo_name), context.origin(), user_id, versions.precondition())
    message = f"Repo '{repo_name}' is no longer shared with '{user_id}'"
    return {"message": message}, 200, {"Git-Commit": commit}


def _payload(user_id: str, access: Access) -> dict[str, Any]:
    return {"user_id": user_id, "access": str(access)}
