"""The check that accounts and repos agree: about owners, and about what is shared with whom.

After `accounts.git` alone was put back from a backup, or a repo was copied in by hand, they do not.
"""

from collections.abc import Iterator

from app.registry import documents, grants
from app.registry.users import share_files, user_files
from app.registry.users.user_files import User
from app.registry.verification.findings import Note
from storage.errors import RepositoryDamaged
from storage.snapshot import Snapshot


def find_problems(accounts: Snapshot, place: str, repo: Snapshot) -> Iterator[str]:
    """Yield what the accounts do not know of a repo `<user>/<name>`, or know otherwise."""
    owner = _find_user(accounts, place.partition("/")[0])
    if owner is not None and owner.is_removed:
        yield f"{place}: its owner was removed: transfer it to another user, or delete it"
    has_lists = accounts.version(share_files.PATH_OF_NOTE) is not None
    for user_id in grants.get(repo):
        user = _find_user(accounts, user_id)
        if user is None:
            yield Note(
                f"{place}: it is shared with '{user_id}', who is no user: a new user of this id would get access"
            )
        elif has_lists and not user.is_removed and place not in _listed(accounts, user_id):
            yield f"{place}: lists of '{user_id}' lack it, though it is shared: share it again, with the same access"


def _find_user(accounts: Snapshot, user_id: str) -> User | None:
    if accounts.version(user_files.FOLDER.path(user_id)) is None:
        return None
    try:
        return user_files.read(accounts, user_id)
    except RepositoryDamaged:  # which is found in the accounts
        return User(user_id)


def _listed(accounts: Snapshot, user_id: str) -> list[str]:
    path = share_files.FOLDER.path(user_id)
    found = documents.read(accounts, path)
    return [] if found is None else documents.expect(found[0], "repos", list, accounts, path)
