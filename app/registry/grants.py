"""Grants: which other users may read or write a repo. They are kept in `repo.yml`."""

from collections.abc import Callable, Iterable, Mapping

from app.domain.errors import Conflict, NotFound
from app.domain.preconditions import Precondition
from app.domain.tokens import Access
from app.registry import documents, messages, repos
from app.registry.documents import Source
from app.registry.messages import Origin
from storage.errors import RepositoryDamaged, StorageError
from storage.ids import BlobId, CommitId
from storage.repository import Repository
from storage.store import Store
from storage.transaction import Transaction

Grants = Mapping[str, Access]


def get(source: Source) -> Grants:
    """Return the access that each other user has to a repo, sorted by user id."""
    found = repos.read(source).get("grants", {})
    try:
        return {user_id: Access(access) for user_id, access in sorted(found.items())}
    except (AttributeError, ValueError) as error:
        reason = f"{repos.PATH} has a grant that Bakehouse did not write"
        raise RepositoryDamaged(source.name, reason) from error


def find(store: Store, owner: str, repo_name: str, user_id: str) -> Access | None:
    """Return what a user may do with somebody else's repo, or None.

    None also where the repo is missing or damaged: a stranger must not learn whether it exists.
    """
    try:
        return get(repos.open_repository(store, owner, repo_name).head()).get(user_id)
    except (NotFound, StorageError):
        return None


def shared(store: Store, owner: str, names: Iterable[str], user_id: str) -> list[str]:
    """Return those of an owner's repos that are shared with a user."""
    return [name for name in names if find(store, owner, name, user_id) is not None]


def version(source: Source) -> BlobId:
    """Return the version of the grants: that of the file that they are in."""
    file = source.read(repos.PATH)
    if file is None:
        raise RepositoryDamaged(source.name, f"{repos.PATH} is missing")
    return file.id


def put(
    repository: Repository,
    origin: Origin,
    owner: str,
    user_id: str,
    access: Access,
    precondition: Precondition,
    list_share: Callable[[], None],
) -> CommitId:
    """Share a repo with a user, or change what they may do, and return the commit.

    `list_share` is called before the repo is shared, once nothing else can refuse it. Raises Conflict for
    the owner of the repo, or PreconditionFailed by the version of the grants.
    """
    if user_id == owner:
        raise Conflict(user_id, f"'{user_id}' owns this repo, and may do everything")

    def with_user(grants: Grants) -> Grants:
        list_share()
        return {**grants, user_id: access}

    return _change(repository, origin, f"Grant {user_id} {access} access", with_user, precondition)


def delete(repository: Repository, origin: Origin, user_id: str, precondition: Precondition) -> CommitId:
    """Revoke a grant, and return the commit.

    Raises NotFound if there is none, or PreconditionFailed by the version of the grants.
    """

    def without(grants: Grants) -> Grants:
        if user_id not in grants:
            raise NotFound("Grant", user_id)
        return {other: access for other, access in grants.items() if other != user_id}

    return _change(repository, origin, f"Take access back from {user_id}", without, precondition)


def _change(
    repository: Repository,
    origin: Origin,
    subject: str,
    change_all: Callable[[Grants], Grants],
    precondition: Precondition,
) -> CommitId:
    def change(transaction: Transaction) -> CommitId:
        precondition.check("grants", version(transaction))
        before = get(transaction)
        after = change_all(before)
        if after == before:
            return transaction.tip
        document = {**repos.read(transaction), "grants": {user: str(after[user]) for user in sorted(after)}}
        if not after:
            del document["grants"]
        documents.write(transaction, repos.PATH, document)
        lines = messages.changed_fields(
            *({f"grants.{user}": grants[user] for user in grants} for grants in (before, after))
        )
        return transaction.commit(messages.message(origin, subject, lines), origin.author)

    return repository.transact(change)
