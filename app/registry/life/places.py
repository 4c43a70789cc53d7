"""Where repos are while they live, and once they were deleted; and the accounts, which keep the trace."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from app.domain.errors import NotFound
from app.domain.names import name_problem, user_id_problem
from app.registry import documents, messages
from app.registry.documents import Source
from app.registry.folders import Folder
from app.registry.messages import Origin
from app.registry.users import user_files
from app.registry.users.accounts import Accounts
from app.registry.users.user_files import FOLDER as USERS
from storage.repository import Repository
from storage.store import Store
from storage.transaction import Transaction

_TITLE = b"# "
_README = "README.md"


@dataclass(frozen=True, slots=True)
class Places:
    """The accounts, the repos, and the deleted repos, which are kept for `keep_days`."""

    accounts: Accounts
    repos: Store
    deleted: Store
    keep_days: int

    def note(self, origin: Origin, subject: str, change: Callable[[Transaction], object]) -> None:
        """Change the accounts, in one commit."""

        def commit(transaction: Transaction) -> None:
            change(transaction)
            transaction.commit(messages.message(origin, subject), origin.author)

        self.accounts.use(lambda repository: repository.transact(commit))


def place_of(owner: str, name: str) -> str:
    """Return `<user>/<repo>`; NotFound where one of the names is none."""
    if user_id_problem(owner) or name_problem(name):
        raise NotFound("Repo", name)
    return f"{owner}/{name}"


def now() -> datetime:
    """Return the time, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def forget(transaction: Transaction, folder: Folder, name: str) -> bool:
    """Remove a file of a folder, and tell whether there was one."""
    is_there = transaction.version(folder.path(name)) is not None
    if is_there:
        transaction.remove(folder.path(name))
    return is_there


def retitle(repository: Repository, origin: Origin, subject: str, name: str) -> None:
    """Put a repo's name into the title of its README, in a commit that tells what happened to the repo."""

    def change(transaction: Transaction) -> None:
        title(transaction, name)
        transaction.commit(messages.message(origin, subject), origin.author)

    repository.transact(change)


def title(transaction: Transaction, name: str) -> None:
    """Put a repo's name into the title of its README, where that has one."""
    readme = transaction.read(_README)
    if readme is not None and readme.data.startswith(_TITLE):
        _, end, text = readme.data.partition(b"\n")
        transaction.write(_README, _TITLE + name.encode() + end + text)


def exists(store: Store, place: str) -> bool:
    """Tell whether there is a repo `<user>/<repo>`, damaged or not."""
    return store.inode(place) is not None


def refuse_removed(source: Source, place: str) -> None:
    """Raise NotFound where the owner of `<user>/<repo>` was removed, and nobody could reach the repo."""
    owner = place.partition("/")[0]
    found = documents.read(source, USERS.path(owner))
    if found is not None and user_files.is_removed(found[0]):
        raise NotFound(USERS.kind, owner)
