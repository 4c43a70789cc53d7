"""`/v1/shared`: the repos of others that are shared with the caller."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint

from app.auth import Principal
from app.domain.budgets import Room
from app.domain.tokens import Access
from app.registry.users.shares import SharedRepo
from app.schemas.grants import SharedListSchema, SharedQuerySchema
from app.wire import addresses, allowance, context
from app.wire.contract import Answer, accepts, returns

blueprint = Blueprint("shared", __name__, url_prefix="/v1/shared")
blueprint.before_request(context.authenticate_self)

MOST_OPENED = 500  # repos; a page ends there, since many may have been shared once and be shared no more


@blueprint.get("")
@accepts(query=SharedQuerySchema)
@returns(SharedListSchema, 200)
def list_shared(query: dict[str, Any]) -> Answer:
    """List the repos that others share with the caller, and what the caller may do there.

    A token for some repos sees only these. A page with no repos may have a `next`, too.
    """
    principal = context.principal()
    examined = context.shares().examine(principal.user.id, query["after"], principal.may_reach)
    repos, following = _page(principal, examined, query["limit"], allowance.room())
    return {"repos": repos, "next": following}, 200, {}


def _page(
    principal: Principal, examined: Iterator[tuple[str, SharedRepo | None]], limit: int, room: Room
) -> tuple[list[dict[str, Any]], str | None]:
    """Return the repos of a page, and the last one that was looked at, where there are more."""
    repos: list[dict[str, Any]] = []
    last = None
    for number, (name, found) in enumerate(examined):
        shown = None if found is None else _payload(principal, found)
        if number == MOST_OPENED or len(repos) == limit or (shown is not None and not room.fits(shown)):
            return repos, last
        if shown is not None:
            repos.append(shown)
        last = name
    return repos, None


def _payload(principal: Principal, found: SharedRepo) -> dict[str, Any]:
    repo, token = found.repo, principal.token
    return {
        "owner": repo.owner,
        "repo_name": repo.name,
        "access": str(found.access if token is None or token.access.allows(found.access) else Access.READ),
        "base_model": repo.base_model,
        "clone_url": addresses.clone_url(repo.owner, repo.name),
    }
