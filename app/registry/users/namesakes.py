"""Users whom commits show alike, since they bear the same name and address."""

from app.registry.messages import Origin
from app.registry.users.accounts import Accounts
from app.registry.users.user_files import User


def warnings(accounts: Accounts, user_id: str) -> list[str]:
    """Return a sentence for each other user whose commits show the same name and address, in any case."""
    shown = _shown(accounts.get(user_id))
    return [
        f"Commits show '{user_id}' and '{user.id}' with the same name and address: only their line 'User' differs."
        for user in accounts.list()
        if user.id != user_id and _shown(user) == shown
    ]


def _shown(user: User) -> tuple[str, str]:
    author = Origin(user.id, user.alias, user.email).author
    return author.name.casefold(), author.email.casefold()
