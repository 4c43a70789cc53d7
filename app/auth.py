"""From credentials to a principal: who calls, and whose repos they speak of."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.datastructures import Authorization

from app.registry.accounts import Accounts
from app.registry.commits import Origin

MASTER_USER = "admin"


class Unauthorized(Exception):
    """No credentials, or none that are known. `scheme` is what to ask for."""

    def __init__(self, message: str, scheme: str) -> None:
        super().__init__(message)
        self.scheme = scheme


class Forbidden(Exception):
    """Known, but not allowed to do this."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls. `owner` is the user whose repos are meant; the master key acts as that user."""

    owner: str
    is_master: bool
    user_id: str
    alias: str | None = None
    email: str | None = None

    def origin(self, request_id: str | None) -> Origin:
        """Return who a change of this caller is by."""
        return Origin(self.user_id, self.alias, self.email, request_id, on_behalf=self.is_master)


def authenticate(
    accounts: Accounts, master_key: str, header: str | None, find_named: Callable[[], str | None]
) -> Principal:
    """Return the caller of an API request, from its header `Authorization`.

    `find_named` returns the user that the request names, if any; it is called once the token is
    known to be good. Raises Unauthorized, or Forbidden where another user is named without the
    master key.
    """
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized("Give your token in the header 'Authorization: Bearer <token>'.", "Bearer")
    return _admit(accounts, master_key, token.strip(), find_named, "Bearer")


def authenticate_git(
    accounts: Accounts, master_key: str, credentials: Authorization | None, owner: str
) -> Principal:
    """Return the caller of a git request for a repo of `owner`; git sends name and token as Basic."""
    password = credentials.password if credentials and credentials.type == "basic" else None
    if not credentials or not password:
        raise Unauthorized("Give your user name, and your token as the password.", "Basic")
    named = owner if _is_master(master_key, password) else credentials.username
    try:
        return _admit(accounts, master_key, password, lambda: named, "Basic")
    except Forbidden:
        raise Unauthorized(f"This token is not one of user '{named}'.", "Basic") from None


def _admit(
    accounts: Accounts, master_key: str, token: str, find_named: Callable[[], str | None], scheme: str
) -> Principal:
    if _is_master(master_key, token):
        acted_for = find_named() or MASTER_USER
        known = accounts.find(acted_for)
        return Principal(
            acted_for, True, acted_for, known.alias if known else None, known.email if known else None
        )
    user = accounts.authenticate(token)
    if user is None:
        raise Unauthorized("This token is unknown, or was revoked.", scheme)
    named = find_named()
    if named not in (None, user.id):
        raise Forbidden(f"Your token is not allowed to act for user '{named}': only the master key may.")
    return Principal(user.id, False, user.id, user.alias, user.email)


def _is_master(master_key: str, token: str) -> bool:
    return hmac.compare_digest(token.encode(), master_key.encode())
