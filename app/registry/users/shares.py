"""Which repos were ever shared with a user: `shares/<user>.yml`, in the repository of the accounts.

The list of a guest looks at these repos only, so its work and time tell nothing of the owner's other repos. What a
guest may do is in each `repo.yml`: a repo that is listed here and no longer granted is passed over.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from app.domain.errors import NotFound
from app.domain.names import name_problem, user_id_problem
from app.domain.tokens import Access
from app.registry import documents, grants, messages, repos
from app.registry.documents import Source
from app.registry.messages import Origin
from app.registry.repos import Repo
from app.registry.users.accounts import REPOSITORY, Accounts
from app.registry.users.share_files import FOLDER, NOTE, PATH_OF_NOTE
from storage.errors import LayoutUnknown, RepositoryDamaged, StorageError, StorageUnavailable
from storage.repository import Repository
from storage.store import Store
from storage.transaction import Transaction

MOST_OPENED = 500  # repos; a page ends there, since many may have been shared once and be shared no more

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SharedRepo:
    """A repo of somebody else, and what the user may do there."""

    repo: Repo
    access: Access


class Shares:
    """The repos that were ever shared, by user."""

    def __init__(self, accounts: Accounts, store: Store) -> None:
        self._accounts = accounts
        self._store = store

    def add(self, origin: Origin, owner: str, repo_name: str, user_id: str) -> None:
        """List a repo, before it is shared with a user."""
        subject = f"List {owner}/{repo_name} as shared with {user_id}"

        def change(transaction: Transaction) -> None:
            if list_repos(transaction, user_id, {f"{owner}/{repo_name}"}):
                transaction.commit(messages.message(origin, subject), origin.author)

        self._accounts.use(lambda repository: repository.transact(change))

    def find(self, owner: str, user_id: str) -> Sequence[str]:
        """Return the names of an owner's repos that may be shared with a user, sorted.

        Without the note in the folder, an older version may have shared repos that are not listed yet: then these
        are all repos of the owner.
        """
        head = self._accounts.use(Repository.head)
        if head.read(PATH_OF_NOTE) is None:
            self._list_all()
            return repos.list_names(self._store, owner)
        found = (repo.partition("/") for repo in _read(head, user_id))
        return [name for its_owner, _, name in found if its_owner == owner]

    def page(
        self,
        user_id: str,
        after: str,
        limit: int,
        is_wanted: Callable[[str, str], bool],
        fits: Callable[[SharedRepo], bool],
    ) -> tuple[list[SharedRepo], str | None]:
        """Return some repos behind `after` that are shared with a user, by owner and name, as `examine` has them.

        Beside them the last one that was looked at, where there are more. The page ends where a repo does not fit.
        """
        found: list[SharedRepo] = []
        last = None
        for number, (name, shared) in enumerate(self.examine(user_id, after, is_wanted)):
            if number == MOST_OPENED or len(found) == limit or (shared is not None and not fits(shared)):
                return found, last
            if shared is not None:
                found.append(shared)
            last = name
        return found, None

    def examine(
        self, user_id: str, after: str, is_wanted: Callable[[str, str], bool]
    ) -> Iterator[tuple[str, SharedRepo | None]]:
        """Yield each repo behind `after` that was ever shared with a user, as `<owner>/<name>`, by name.

        Only those whose owner and name are wanted. Beside it the repo, or None where it is no longer shared, gone
        or damaged. Raises StorageUnavailable where an older version may have shared repos that cannot be listed now.
        """
        head = self._accounts.use(Repository.head)
        if head.read(PATH_OF_NOTE) is None:
            self._list_all()
            head = self._accounts.use(Repository.head)
        if head.read(PATH_OF_NOTE) is None:
            raise StorageUnavailable(REPOSITORY, "the repos that are shared cannot be listed now")
        for listed in sorted(_read(head, user_id)):
            owner, _, name = listed.partition("/")
            is_name = not user_id_problem(owner) and not name_problem(name)
            if listed > after and is_name and is_wanted(owner, name):
                yield listed, self._find(owner, name, user_id)

    def _find(self, owner: str, name: str, user_id: str) -> SharedRepo | None:
        try:
            head = repos.open_repository(self._store, owner, name).head()
            access = grants.get(head).get(user_id)
            return None if access is None else SharedRepo(repos.describe(head, owner), access)
        except (NotFound, StorageError):
            return None

    def _list_all(self) -> None:
        """List every repo that is shared now, once and for all; nothing while the disk does not answer."""
        try:
            listed = self._all_grants()
        except (NotFound, StorageUnavailable):
            return
        origin = Origin("bakehouse")

        def change(transaction: Transaction) -> None:
            for user_id, names in listed.items():
                list_repos(transaction, user_id, names)
            transaction.write(PATH_OF_NOTE, NOTE)
            transaction.commit(messages.message(origin, "List the repos that are shared"), origin.author)

        self._accounts.use(lambda repository: repository.transact(change))

    def _all_grants(self) -> Mapping[str, Set[str]]:
        listed: dict[str, set[str]] = defaultdict(set)
        for owner in self._store.folders():
            for name in repos.list_names(self._store, owner):
                try:
                    shared_with = grants.get(repos.open_repository(self._store, owner, name).head())
                except (LayoutUnknown, RepositoryDamaged) as error:
                    _log.warning("Guests will see %s/%s in no list until it is shared again: %s", owner, name, error)
                    continue
                for user_id in shared_with:
                    listed[user_id].add(f"{owner}/{name}")
        return listed


def list_repos(transaction: Transaction, user_id: str, names: Set[str]) -> bool:
    """Add repos to a user's list, and return whether one of them is new there."""
    known = set(_read(transaction, user_id))
    if names <= known:
        return False
    transaction.write(FOLDER.path(user_id), documents.dump({"repos": sorted(known | names)}))
    return True


def _read(source: Source, user_id: str) -> list[str]:
    path = FOLDER.path(user_id)
    found = documents.read(source, path)
    listed = [] if found is None else documents.expect(found[0], "repos", list, source, path)
    if not all(isinstance(name, str) for name in listed):
        raise RepositoryDamaged(source.name, f"{path} has a repo that is no text")
    return listed
