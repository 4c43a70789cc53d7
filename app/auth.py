"""Authentication and authorization: who calls, whose repos the request is about, and what is allowed."""

import hmac
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from werkzeug.datastructures import Authorization

from app.domain.tokens import Access, Token
from app.registry import grants, repos
from app.registry.messages import Origin
from app.registry.users.accounts import Accounts
from app.registry.users.shares import Shares
from app.registry.users.user_files import User
from storage.errors import RepositoryDamaged
from storage.store import Store

MASTER_USER = "admin"


class Unauthorized(Exception):
    """The credentials are missing or wrong. `scheme` is the kind that the server asks for."""

    def __init__(self, message: str, scheme: str) -> None:
        super().__init__(message)
        self.scheme = scheme


class LoginFailed(Unauthorized):
    """The credentials are wrong."""


class Forbidden(Exception):
    """The caller is known, but may not do this."""


class NotShared(Forbidden):
    """A repo of another user that is not shared with the caller, or does not exist."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls. `owner` is the user whose repos the request is about; `token` is None for the master key.

    The master key acts as the owner. Every other caller acts as themselves, on any owner's repos.
    """

    owner: str
    user: User
    token: Token | None

    @property
    def is_master(self) -> bool:
        """Return whether the caller has the master key."""
        return self.token is None

    @property
    def is_guest(self) -> bool:
        """Return whether the request is about another user's repos."""
        return self.owner != self.user.id

    @property
    def is_for_all_repos(self) -> bool:
        """Return whether the caller's token is not limited to some repos."""
        return self.token is None or self.token.repos is None

    @property
    def counted_as(self) -> str:
        """Return what the caller's requests are counted by: tokens that a token made share its count."""
        return "the master key" if self.token is None else f"{self.user.id} {self.token.root}"

    def origin(self, request_id: str | None, reason: str | None = None) -> Origin:
        """Return the author of the caller's changes, and their reason."""
        user, token = self.user, self.token.name if self.token else None
        return Origin(user.id, user.alias, user.email, request_id, self.is_master, token, reason)

    def may_reach(self, owner: str, repo_name: str) -> bool:
        """Tell whether the token is for a repo."""
        return self.token is None or self.token.is_for(self.user.id, owner, repo_name)

    def access_by(self, granted: Access) -> Access:
        """Return what the caller may do, with their token, where somebody granted them an access."""
        return granted if self.token is None or self.token.access.allows(granted) else Access.READ

    def check_token(self, needed: Access, repo_name: str | None) -> None:
        """Raise Forbidden if the token is read-only, or for other repos."""
        if self.token is None:
            return
        if not self.token.access.allows(needed):
            raise Forbidden(f"The token '{self.token.name}' is for reading only.")
        if repo_name is not None and not self.may_reach(self.owner, repo_name):
            raise Forbidden(f"The token '{self.token.name}' is not for repo '{repo_name}' of '{self.owner}'.")


def authenticate(
    accounts: Accounts, master_key: str | None, header: str | None, find_named: Callable[[], str | None]
) -> Principal:
    """Return the caller of an API request, from its header `Authorization`; or raise Unauthorized.

    Where `master_key` is None, the master key lets nobody in.
    `find_named` returns the owner that the request names, if any. It is called after the token is
    found to be valid. `authorize` checks what the caller may do.
    """
    scheme, _, secret = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthorized("Give your token in the header 'Authorization: Bearer <token>'.", "Bearer")
    return _admit(accounts, master_key, secret.strip(), find_named, "Bearer")


def authenticate_git(
    accounts: Accounts, master_key: str | None, credentials: Authorization | None, owner: str
) -> Principal:
    """Return the caller of a git request for a repo of `owner`; or raise Unauthorized.

    Git sends the token as a password, and build servers send it as in the API. The token alone tells who
    calls: the user name beside it can be anything, since build servers have names of their own for it.
    """
    secret = credentials and (credentials.token if credentials.type == "bearer" else credentials.password)
    if not secret:
        raise Unauthorized("Give your token as the password, with any user name.", "Basic")
    return _admit(accounts, master_key, secret, lambda: owner, "Basic")


def authenticate_secret(accounts: Accounts, master_key: str | None, secret: str) -> Principal:
    """Return who signs in with a secret, a token or the master key; LoginFailed where it is neither."""
    return _admit(accounts, master_key, secret, lambda: None, "Bearer")


@dataclass(frozen=True, slots=True)
class SignIn:
    """Somebody who signed in with a token, or with the master key, where `user_id` is None.

    `matches` tells whether a token's hash, or the master key, is still the one of the sign-in.
    """

    user_id: str | None
    token_name: str | None
    matches: Callable[[str], bool]


def authenticate_sign_in(accounts: Accounts, master_key: str, sign_in: SignIn, owner: str | None) -> Principal:
    """Return the caller of a request of somebody who signed in; Unauthorized where the token is no longer valid."""
    if sign_in.user_id is None:
        if not sign_in.matches(master_key):
            raise Unauthorized("The master key is another one by now. Sign in again.", "Bearer")
        acted_for = owner or MASTER_USER
        return Principal(acted_for, _find_user(accounts, acted_for), None)
    user = accounts.find(sign_in.user_id)
    tokens = user.tokens if user else ()
    token = next((each for each in tokens if each.name == sign_in.token_name and sign_in.matches(each.sha256)), None)
    if user is None or token is None:
        raise Unauthorized("The token that you signed in with was revoked. Sign in with another one.", "Bearer")
    if token.is_expired():
        raise Unauthorized("The token that you signed in with expired. Sign in with another one.", "Bearer")
    return Principal(owner or user.id, user, token)


def authorize(store: Store, principal: Principal, needed: Access, repo_name: str | None) -> None:
    """Raise Forbidden unless the caller has the access `needed` to a repo, or to the list of repos if None.

    The error does not reveal whether another user's repo exists.
    """
    principal.check_token(needed, repo_name)
    if principal.is_master or not principal.is_guest:
        return
    owner = principal.owner
    if repo_name is None:
        if needed is Access.WRITE:
            raise Forbidden(f"Only '{owner}' and the master key may make repos of user '{owner}'.")
        return
    granted = grants.find(store, owner, repo_name, principal.user.id)
    if granted is None:
        raise NotShared(f"User '{owner}' has not shared repo '{repo_name}' with you.")
    if not granted.allows(needed):
        raise Forbidden(f"User '{owner}' shared repo '{repo_name}' with you for reading only.")


def check_managing_users(principal: Principal) -> None:
    """Raise Forbidden unless the caller may manage users."""
    if not principal.is_master:
        raise Forbidden("Only the master key may manage users.")


def check_sharing(principal: Principal) -> None:
    """Raise Forbidden unless the caller, who may read or write a repo, may also see or say whom it is shared with."""
    if principal.is_guest:
        raise Forbidden(f"Only '{principal.owner}' and the master key may manage who shares this repo.")
    if principal.token and not principal.is_for_all_repos:  # grants would outlive the token
        raise Forbidden(f"The token '{principal.token.name}' is for some repos only, and may not share them.")


def check_moving(principal: Principal) -> None:
    """Raise Forbidden unless the caller, who may write to a repo, may also delete, restore or rename it."""
    if principal.is_guest:
        raise Forbidden(f"Only '{principal.owner}' and the master key may delete, restore or move this repo.")


def check_transfer(principal: Principal) -> None:
    """Raise Forbidden unless the caller may put a repo among those of another user, who would take it for their own."""
    if not principal.is_master:
        raise Forbidden("Only the master key may give a repo to another user.")


def visible_repos(store: Store, shares: Shares, principal: Principal) -> Sequence[str]:
    """Return the sorted names of the repos that the caller may read; Forbidden if a guest may read none.

    Of the repos of another owner only those that were ever shared with a guest are opened.
    """
    token = principal.token
    if token is None or not principal.is_guest:
        names = repos.list_names(store, principal.owner)
    else:
        listed = shares.find(principal.owner, principal.user.id)
        names = grants.shared(store, principal.owner, listed, principal.user.id)
        if not names:
            raise Forbidden(f"User '{principal.owner}' has shared no repo with you.")
    return [name for name in names if principal.may_reach(principal.owner, name)]


def _admit(
    accounts: Accounts, master_key: str | None, secret: str, find_named: Callable[[], str | None], scheme: str
) -> Principal:
    if master_key is not None and hmac.compare_digest(secret.encode(), master_key.encode()):
        acted_for = find_named() or MASTER_USER
        return Principal(acted_for, _find_user(accounts, acted_for), None)
    found = accounts.authenticate(secret)
    if found is None:
        raise LoginFailed("This token is unknown, or was revoked.", scheme)
    user, token = found
    if token.expires is not None and token.is_expired():
        raise LoginFailed(f"This token expired at {token.expires.isoformat()}.", scheme)
    return Principal(find_named() or user.id, user, token)


def _find_user(accounts: Accounts, user_id: str) -> User:
    """Return a user whom the master key acts for; Forbidden where that user was removed.

    The master key also works without an account, and if the accounts are damaged.
    """
    with suppress(RepositoryDamaged):
        if accounts.is_removed(user_id) and user_id != MASTER_USER:
            raise Forbidden(f"User '{user_id}' was removed, and nobody acts as this user any more.")
        return accounts.find(user_id) or User(user_id)
    return User(user_id)
