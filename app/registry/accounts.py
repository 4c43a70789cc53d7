"""Users and their tokens, kept in a repository of their own: `users/<user>.yml`.

A token is shown once and stored as the SHA-256 of its 256 random bits, so what lies on disk lets
nobody in. Changes are commits: who was let in, and when no longer, is history too.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.registry import commits, documents
from app.registry.commits import Origin
from app.registry.errors import Conflict, NotFound
from storage.errors import NameTaken, RepositoryExists, RepositoryNotFound
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.store import Store
from storage.transaction import Transaction

_REPOSITORY = "accounts"
_FOLDER = "users"
_SUFFIX = ".yml"
_TOKEN_PREFIX = "bakehouse_"  # noqa: S105 — so that a scanner for leaked secrets can know one


@dataclass(frozen=True, slots=True)
class User:
    """A user, and the SHA-256 (hex digits) of each token that lets them in."""

    id: str
    alias: str | None
    email: str | None
    token_hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Index:
    """All users at one commit."""

    commit: str
    users: Mapping[str, User]
    by_token_hash: Mapping[str, User]


class Accounts:
    """The users of one server. Every look sees what any process changed last."""

    def __init__(self, store: Store, origin: Origin) -> None:
        """Open the accounts in `store`, or make them as `origin`."""
        self._repository = _open(store, origin)
        self._index = _Index("", {}, {})

    def create(self, origin: Origin, user_id: str, alias: str | None, email: str | None) -> str:
        """Make a user and return their token, for the one time it can be seen.

        Raises Conflict if the user exists, or one whose id differs only in case.
        """
        token = _TOKEN_PREFIX + secrets.token_urlsafe(32)
        created = datetime.now(UTC).isoformat(timespec="seconds")
        tokens = [{"name": "initial", "sha256": _hash(token), "created": created}]

        def change(transaction: Transaction) -> None:
            if transaction.read(_path(user_id)) is not None:
                raise Conflict(user_id, f"User '{user_id}' already exists")
            transaction.write(
                _path(user_id), documents.dump({"alias": alias, "email": email, "tokens": tokens})
            )
            lines = commits.changed_fields({}, {"alias": alias, "email": email})
            try:
                transaction.commit(commits.message(origin, f"Create user {user_id}", lines), origin.author)
            except NameTaken as error:
                other = error.existing.removesuffix(_SUFFIX)
                raise Conflict(user_id, f"'{user_id}' differs from user '{other}' only in case") from error

        self._repository.transact(change)
        return token

    def revoke(self, origin: Origin, user_id: str) -> int:
        """Take a user's tokens back, at once in every process; return how many there were."""

        def change(transaction: Transaction) -> int:
            found = documents.read(transaction, _path(user_id))
            if found is None:
                raise NotFound("User", user_id)
            tokens = documents.expect(found[0], "tokens", list, transaction, _path(user_id))
            transaction.write(_path(user_id), documents.dump({**found[0], "tokens": []}))
            transaction.commit(commits.message(origin, f"Revoke tokens of user {user_id}"), origin.author)
            return len(tokens)

        return self._repository.transact(change)

    def list(self) -> list[User]:
        """Return all users, sorted by id."""
        return list(self._current().users.values())

    def find(self, user_id: str) -> User | None:
        """Return a user by id, or None."""
        return self._current().users.get(user_id)

    def authenticate(self, token: str) -> User | None:
        """Return the user whom a token lets in, or None."""
        presented = _hash(token)
        user = self._current().by_token_hash.get(presented)
        if user and any(hmac.compare_digest(presented, stored) for stored in user.token_hashes):
            return user
        return None

    def _current(self) -> _Index:
        head = self._repository.head()
        index = self._index
        if index.commit != head.commit:
            users = {user.id: user for user in _read_all(head)}
            by_hash = {token_hash: user for user in users.values() for token_hash in user.token_hashes}
            index = self._index = _Index(head.commit, users, by_hash)
        return index


def _open(store: Store, origin: Origin) -> Repository:
    def first_commit(transaction: Transaction) -> None:
        transaction.write("README.md", b"# Accounts\n\n`users/<user>.yml`: a user of this Bakehouse.\n")
        transaction.commit(commits.message(origin, "Create accounts"), origin.author)

    try:
        return store.open(_REPOSITORY)
    except RepositoryNotFound:
        try:
            return store.create(_REPOSITORY, first_commit)
        except RepositoryExists:  # another process was quicker
            return store.open(_REPOSITORY)


def _read_all(head: Snapshot) -> list[User]:
    users = []
    for entry in head.list(_FOLDER):
        path = f"{_FOLDER}/{entry}"
        found = documents.read(head, path)
        document: Mapping[str, Any] = found[0] if found else {}
        tokens = documents.expect(document, "tokens", list, head, path)
        hashes = tuple(str(token["sha256"]) for token in tokens)
        users.append(User(entry.removesuffix(_SUFFIX), document.get("alias"), document.get("email"), hashes))
    return users


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _path(user_id: str) -> str:
    return f"{_FOLDER}/{user_id}{_SUFFIX}"
