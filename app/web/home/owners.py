"""The owners of repos, for the master key."""

from collections.abc import Sequence
from dataclasses import dataclass

from app import auth
from app.domain.names import RESERVED
from app.registry import repos
from app.registry.users import listing
from app.web.parts.numbered import Numbered
from app.wire import context

_PAGE = 50  # owners


@dataclass(frozen=True, slots=True)
class Owner:
    """A user, the name that commits show, and how many repos they have."""

    id: str
    alias: str | None
    repos: int

    @property
    def has_page(self) -> bool:
        """Tell whether the owner has a page: where the id is reserved, the address is that of something else."""
        return self.id not in RESERVED


def find(text: str | None, page: int) -> tuple[Numbered[str], Sequence[Owner]]:
    """Return a page of those whose id, alias or email contains a text, in any case; or of all."""
    services = context.services()
    found = dict(listing.owners(services.accounts, services.store, text))
    if not text:
        found.setdefault(auth.MASTER_USER, None)
    numbered = Numbered.of(sorted(found), page, _PAGE)
    owners = []
    for user_id in numbered.shown:
        user = found[user_id]
        owners.append(Owner(user_id, user.alias if user else None, len(repos.list_names(services.store, user_id))))
    return numbered, owners
