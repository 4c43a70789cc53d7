"""What the filters of the log mean: which user an author is, and which files a path."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.registry.messages import Origin
from app.registry.users.accounts import Accounts
from storage.globs import paths_like
from storage.log_filter import LogFilter
from storage.signatures import Person


def read(asked: Mapping[str, Any], accounts: Accounts, owner: str) -> LogFilter:
    """Return the filter that a query means, for a repo of `owner`.

    An author that is the id of a user means exactly that user, any other text a part of a name or address.
    """
    given = LogFilter(**asked)  # a filter that `LogFilter` does not have fails here
    author = _author(given.author, accounts, owner) if isinstance(given.author, str) else None
    return replace(given, author=author, path=of_path(asked["path"]).path)


def of_path(text: str | None) -> LogFilter:
    """Return the filter of the files that a text means."""
    return LogFilter(path=None if text is None else paths_like(text))


def _author(text: str, accounts: Accounts, owner: str) -> str | Person:
    user = accounts.find(text)
    if user is not None:
        return Origin(user.id, user.alias, user.email).author
    # With the master key an owner needs no account, and of a removed user only the id is left.
    return Origin(text).author if text == owner or accounts.is_removed(text) else text
