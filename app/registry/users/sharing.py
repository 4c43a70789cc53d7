"""Sharing a repo with a user, so that the user's list of shared repos has it."""

from dataclasses import dataclass
from functools import partial

from app.domain.preconditions import Precondition
from app.domain.tokens import Access
from app.registry import grants
from app.registry.messages import Origin
from app.registry.users.accounts import Accounts
from app.registry.users.shares import Shares
from storage.ids import CommitId
from storage.repository import Repository


@dataclass(frozen=True, slots=True)
class Sharing:
    """What it takes to share one repo: the users, their lists, and the repo itself."""

    accounts: Accounts
    shares: Shares
    repository: Repository

    def put(
        self, origin: Origin, owner: str, repo_name: str, user_id: str, access: Access, precondition: Precondition
    ) -> CommitId:
        """Share the repo with a user, or change what they may do, and return the commit.

        Raises NotFound for the user, and what `grants.put` raises.
        """
        user = self.accounts.get(user_id)
        list_share = partial(self.shares.add, origin, owner, repo_name, user.id)
        return grants.put(self.repository, origin, owner, user.id, access, precondition, list_share)
