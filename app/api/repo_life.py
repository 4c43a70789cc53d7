"""`/v1/repo/{repo_name}` as a whole: delete, restore, rename, transfer. `/v1/deleted`: what was deleted."""

from datetime import datetime
from typing import Any

from flask import Blueprint

from app import auth
from app.api import examples
from app.api.repos import answer
from app.domain.tokens import Access
from app.registry import repos
from app.registry.life import deleted, renames
from app.registry.life.deleted import Deleted
from app.schemas.repo_life import (
    DeletedRepoPageSchema,
    DeletedRepoQuerySchema,
    RenameSchema,
    RepoDeletedSchema,
    TransferSchema,
    UndeleteSchema,
)
from app.schemas.repos import RepoSchema
from app.wire import context, versions
from app.wire.contract import Answer, accepts, returns

blueprint = Blueprint("repo_life", __name__, url_prefix="/v1/repo/<repo_name>")
deleted_repos = Blueprint("deleted_repos", __name__, url_prefix="/v1/deleted")


@blueprint.before_request
@deleted_repos.before_request
def require_owner() -> None:
    """Refuse everybody but the owner and the master key."""
    context.authorize()
    auth.check_moving(context.principal())


@blueprint.delete("")
@accepts()
@returns(RepoDeletedSchema, 200, errors=(404,))
def delete_repo(repo_name: str) -> Answer:
    """Delete a repo.

    It can be restored for some days. Another repo may have its name meanwhile.
    """
    places = context.places()
    gone = deleted.delete(places, context.origin(), context.principal().owner, repo_name)
    return {"message": f"Repo '{repo_name}' deleted", **_payload(gone, places.keep_days)}, 200, {}


@deleted_repos.get("")
@accepts(query=DeletedRepoQuerySchema)
@returns(DeletedRepoPageSchema, 200)
def list_deleted_repos(query: dict[str, Any]) -> Answer:
    """List the deleted repos that can be restored."""
    places, principal = context.places(), context.principal()
    owner = principal.owner
    found = [each for each in deleted.find_all(places, owner) if principal.may_reach(owner, each.name)]
    offset, limit = query["offset"], query["limit"]
    page = {
        "deleted": [_payload(deleted.read(places, each), places.keep_days) for each in found[offset : offset + limit]],
        "offset": offset,
        "limit": limit,
        "has_more": offset + limit < len(found),
        "total": len(found),
    }
    return page, 200, {}


@blueprint.post("/undelete")
@accepts(UndeleteSchema, example=examples.UNDELETE)
@returns(RepoSchema, 200, errors=(404, 409), headers=versions.REPO_HEADERS)
def undelete_repo(repo_name: str, body: dict[str, Any]) -> Answer:
    """Restore a deleted repo, also under another name.

    A token that is for some repos only may not restore one that is shared.
    """
    caller, new = context.principal(), body["name"]
    caller.check_token(Access.WRITE, new)
    owner, may_share = caller.owner, caller.is_for_all_repos  # shares would outlive the token
    name = deleted.undelete(context.places(), context.origin(), owner, repo_name, new, body["id"], may_share=may_share)
    return answer(repos.get(context.services().store, owner, name))


@blueprint.post("/rename")
@accepts(RenameSchema, example=examples.RENAME)
@returns(RepoSchema, 200, errors=(404, 409), headers=versions.REPO_HEADERS)
def rename_repo(repo_name: str, body: dict[str, Any]) -> Answer:
    """Give a repo another name.

    The former name leads to it, until another repo has that name: reads are redirected, and writes are refused
    with 409. Tokens that are limited to the repo follow it.
    """
    owner, new = context.principal().owner, body["name"]
    context.principal().check_token(Access.WRITE, new)
    renames.rename(context.places(), context.origin(), owner, repo_name, new)
    return answer(repos.get(context.services().store, owner, new))


@blueprint.post("/transfer")
@accepts(TransferSchema, example=examples.TRANSFER)
@returns(RepoSchema, 200, errors=(404, 409), headers=versions.REPO_HEADERS)
def transfer_repo(repo_name: str, body: dict[str, Any]) -> Answer:
    """Give a repo to another user, with the master key.

    Nobody may put a repo among those of another user, who would take it for their own. The former owner keeps no
    access, unless the new one shares the repo.
    """
    principal, new = context.principal(), body["user_id"]
    auth.check_transfer(principal)
    renames.transfer(context.places(), context.origin(), principal.owner, repo_name, new)
    return answer(repos.get(context.services().store, new, repo_name))


def _payload(found: Deleted, keep_days: int) -> dict[str, Any]:
    return {
        "repo_name": found.name,
        "id": found.id,
        "deleted_at": _time(found.time),
        "deleted_by": found.user,
        "reason": found.reason,
        "until": _time(found.until(keep_days)),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
