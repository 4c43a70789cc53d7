"""`/v1/shared`: the repos of others that are shared with the caller."""

from typing import Any

from flask import Blueprint

from app.auth import Principal
from app.registry.users.shares import SharedRepo
from app.schemas.grants import SharedListSchema, SharedQuerySchema
from app.wire import addresses, allowance, context
from app.wire.contract import Answer, accepts, returns

blueprint = Blueprint("shared", __name__, url_prefix="/v1/shared")
blueprint.before_request(context.authenticate_self)


@blueprint.get("")
@accepts(query=SharedQuerySchema)
@returns(SharedListSchema, 200)
def list_shared(query: dict[str, Any]) -> Answer:
    """List the repos that others share with the caller, and what the caller may do there.

    A token for some repos sees only these. A page with no repos may have a `next`, too.
    """
    principal = context.principal()
    room = allowance.room()
    repos, following = context.shares().page(
        principal.user.id,
        query["after"],
        query["limit"],
        principal.may_reach,
        lambda found: room.fits(_payload(principal, found)),
    )
    return {"repos": [_payload(principal, found) for found in repos], "next": following}, 200, {}


def _payload(principal: Principal, found: SharedRepo) -> dict[str, Any]:
    repo = found.repo
    return {
        "owner": repo.owner,
        "repo_name": repo.name,
        "access": str(principal.access_by(found.access)),
        "base_model": repo.base_model,
        "clone_url": addresses.clone_url(repo.owner, repo.name),
    }
