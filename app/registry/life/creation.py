"""Making a repo where another one may have had the name."""

from contextlib import suppress

from app.registry import repos
from app.registry.life import unfinished
from app.registry.life.places import Places
from app.registry.messages import Origin
from app.registry.repos import Repo
from storage.errors import RepositoryDamaged
from storage.repository import Repository


def create(places: Places, origin: Origin, owner: str, name: str, base_model: str | None) -> tuple[Repo, bool]:
    """Create a repo as `repos.create` does, when all that was begun with its name is finished."""
    place = f"{owner}/{name}"

    def settle() -> None:
        with suppress(RepositoryDamaged):  # while the accounts are damaged, the master key makes repos all the same
            head = places.accounts.use(Repository.head)
            if any(place in item.names for item in unfinished.begun(head)):
                subject = f"Finish what was begun with {place}"
                places.note(origin, subject, lambda transaction: unfinished.settle(places, transaction, place))

    return repos.create(places.repos, owner, name, base_model, origin, settle)
