"""The list of the users, and the search in it."""

import unicodedata
from contextlib import suppress

from app.domain.names import user_id_problem
from app.registry import repos
from app.registry.users.accounts import Accounts
from app.registry.users.user_files import User
from storage.errors import RepositoryDamaged
from storage.store import Store


def find(accounts: Accounts, text: str | None) -> list[tuple[str, User | None]]:
    """Return the users whose id, alias or email contains a text in any case, or all, as pairs with the id.

    The user is None where the file is damaged.
    """
    found: dict[str, User | None] = dict.fromkeys(accounts.unread())
    found |= {user.id: user for user in accounts.list()}
    wanted = _folded(text or "")
    return [(user_id, user) for user_id, user in sorted(found.items()) if wanted in _searched(user_id, user)]


def owners(accounts: Accounts, store: Store, text: str | None) -> list[tuple[str, User | None]]:
    """Return the same, and beside them who has repos and no account: the master key makes repos for anybody.

    While the accounts are damaged, these are all owners of repos.
    """
    found: dict[str, User | None] = {}
    with suppress(RepositoryDamaged):
        found |= dict(find(accounts, text))
    wanted = _folded(text or "")
    for folder in store.folders():
        is_new = folder not in found and not user_id_problem(folder) and wanted in _folded(folder)
        if is_new and repos.list_names(store, folder):
            found[folder] = None
    return sorted(found.items())


def is_owner(accounts: Accounts, store: Store, user_id: str) -> bool:
    """Tell whether there is such a user, or a repo of one; all count while the accounts are damaged."""
    try:
        return accounts.find(user_id) is not None or bool(repos.list_names(store, user_id))
    except RepositoryDamaged:
        return True


def _searched(user_id: str, user: User | None) -> str:
    return _folded("\n".join((user_id, (user and user.alias) or "", (user and user.email) or "")))


def _folded(text: str) -> str:
    """Return a text in which a letter looks alike in any case, and with its accents in any form."""
    return unicodedata.normalize("NFC", text).casefold()
