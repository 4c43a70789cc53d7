"""The changes that the settings of a repo offer, by the same rules as those of the API."""

from app.domain.preconditions import UNCONDITIONAL
from app.domain.tokens import Access
from app.registry import grants
from app.registry.life import deleted, renames
from app.registry.life.deleted import Deleted
from app.registry.users.sharing import Sharing
from app.web import admission
from app.web.admission import Place
from app.wire import context
from storage.ids import CommitId


def share(place: Place, user_id: str, access: Access, reason: str | None) -> CommitId:
    """Share a repo with a user, or change what they may do."""
    sharing = Sharing(context.services().accounts, context.shares(), place.repository)
    origin = admission.origin(reason)
    return sharing.put(origin, place.owner, place.repo_name, user_id, access, UNCONDITIONAL)


def stop_sharing(place: Place, user_id: str) -> CommitId:
    """Stop sharing a repo with a user."""
    return grants.delete(place.repository, admission.origin(), user_id, UNCONDITIONAL)


def rename(owner: str, repo_name: str, new: str, reason: str | None) -> str:
    """Give a repo another name, and return it. The token must be for that name, too."""
    context.principal().check_token(Access.WRITE, new)
    renames.rename(context.places(), admission.origin(reason), owner, repo_name, new)
    return new


def transfer(owner: str, repo_name: str, new: str, reason: str | None) -> str:
    """Give a repo to another user, and return the user's id."""
    renames.transfer(context.places(), admission.origin(reason), owner, repo_name, new)
    return new


def delete(owner: str, repo_name: str, reason: str | None) -> Deleted:
    """Delete a repo."""
    return deleted.delete(context.places(), admission.origin(reason), owner, repo_name)


def restore(owner: str, repo_name: str, id_: str, new: str | None, reason: str | None) -> str:
    """Restore a deleted repo, and return its name now. The token must be for that name, too."""
    caller = context.principal()
    caller.check_token(Access.WRITE, new)
    may_share = caller.is_for_all_repos  # shares would outlive the token
    origin = admission.origin(reason)
    return deleted.undelete(context.places(), origin, owner, repo_name, new, id_, may_share=may_share)
