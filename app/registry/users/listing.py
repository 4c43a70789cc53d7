"""The list of the users, and the search in it."""

import unicodedata

from app.registry.users.accounts import Accounts
from app.registry.users.user_files import User


def find(accounts: Accounts, text: str | None) -> list[tuple[str, User | None]]:
    """Return the users whose id, alias or email contains a text in any case, or all, as pairs with the id.

    The user is None where the file is damaged.
    """
    found: dict[str, User | None] = dict.fromkeys(accounts.unread())
    found |= {user.id: user for user in accounts.list()}
    wanted = _folded(text or "")
    return [(user_id, user) for user_id, user in sorted(found.items()) if wanted in _searched(user_id, user)]


def _searched(user_id: str, user: User | None) -> str:
    return _folded("\n".join((user_id, (user and user.alias) or "", (user and user.email) or "")))


def _folded(text: str) -> str:
    """Return a text in which a letter looks alike in any case, and with its accents in any form."""
    return unicodedata.normalize("NFC", text).casefold()
