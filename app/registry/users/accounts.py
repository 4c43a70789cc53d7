"""Users and their tokens, kept in a repository of their own: `users/<user>.yml`.

A user who was removed keeps a file that says so, since ids are not given twice.
A token is 256 random bits. It is shown once, and only its SHA-256 is stored, so nobody can log in with
what is on the disk. Each change is a commit: the history shows who had access, and when.
"""

import hmac
import logging
from collections.abc import Callable, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from app.domain.errors import Conflict, NotFound
from app.domain.names import enumerated, refuse_unportable
from app.domain.preconditions import Precondition
from app.domain.tokens import Token, TokenRequest, hash_of
from app.registry import documents, messages, repos
from app.registry.messages import Origin
from app.registry.users import life_files, user_files
from app.registry.users.share_files import FOLDER as SHARES
from app.registry.users.share_files import NOTE, PATH_OF_NOTE
from app.registry.users.user_files import FOLDER, User
from storage.errors import RepositoryDamaged, RepositoryExists, RepositoryNotFound, StorageError
from storage.ids import CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.store import Store
from storage.transaction import Transaction

REPOSITORY = "accounts"
_FIRST_TOKEN = TokenRequest("initial")

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Index:
    """All users at one commit. `unread` are the ids of users whose files are damaged, `removed` of those no more."""

    commit: CommitId
    users: Mapping[str, User]
    by_token_hash: Mapping[str, tuple[User, Token]]
    unread: Set[str]
    removed: Set[str]


class Accounts:
    """The users of one server. Every call sees the last change of any process.

    While the repository of the users is damaged, every call raises RepositoryDamaged.
    """

    def __init__(self, store: Store, origin: Origin) -> None:
        """Keep the users in `store`. If the store has no repository for them, create it as `origin`."""
        self._store = store
        self._index = _Index(documents.UNCOMMITTED, {}, {}, frozenset(), frozenset())
        _make_missing(store, origin)

    def find_problem(self) -> StorageError | None:
        """Return the error that keeps every user from logging in now, or None."""
        try:
            self._current()
        except StorageError as error:
            return error
        return None

    def create(self, origin: Origin, user_id: str, alias: str | None, email: str | None) -> str:
        """Create a user, and return the secret of their first token, which is not stored.

        Raises Conflict if there is or was a user with this id, or with one that differs only in case.
        """
        token, secret = Token.make(_FIRST_TOKEN)

        def change(transaction: Transaction) -> None:
            found = documents.read(transaction, FOLDER.path(user_id))
            if found is not None and user_files.is_removed(found[0]):
                raise Conflict(user_id, f"User '{user_id}' was removed. Ids are not given twice: choose another one")
            if found is not None:
                raise Conflict(user_id, f"User '{user_id}' already exists. {how_to_rotate(user_id, token.name)}")
            refuse_unportable("user_id", FOLDER.path(user_id))
            user = User(user_id, alias, email, (token,))
            documents.write(transaction, FOLDER.path(user_id), user.document())
            lines = messages.changed_fields({}, {"alias": alias, "email": email})
            FOLDER.commit(transaction, origin, messages.message(origin, f"Create user {user_id}", lines))

        self.use(lambda repository: repository.transact(change))
        return secret

    def change(
        self, origin: Origin, user_id: str, changes: Mapping[str, str | None], precondition: Precondition
    ) -> User:
        """Change the alias or the email of a user, or both, and return the user; None leaves one out.

        Raises NotFound, or PreconditionFailed by the version of the user's file.
        """

        def change(transaction: Transaction) -> User:
            before, version = user_files.expect(transaction, user_id)
            precondition.check(user_id, version)
            documents.write(transaction, FOLDER.path(user_id), {**before, **changes})
            lines = messages.changed_fields({name: before.get(name) for name in changes}, changes)
            transaction.commit(messages.message(origin, f"Update user {user_id}", lines), origin.author)
            return user_files.read(transaction, user_id)

        return self.use(lambda repository: repository.transact(change))

    def remove(self, origin: Origin, user_id: str, precondition: Precondition, store: Store) -> int:
        """Remove a user, and return how many tokens stopped working. The id stays taken: old commits name it.

        Raises NotFound, PreconditionFailed by the version of the user's file, or Conflict while the user has repos
        in `store`, or is being given one.
        """

        def change(transaction: Transaction) -> int:
            document, version = user_files.expect(transaction, user_id)
            precondition.check(user_id, version)
            names = repos.list_names(store, user_id)
            if names:
                message = f"User '{user_id}' has repos: {enumerated(names)}. Transfer or delete them first"
                raise Conflict(user_id, message)
            given = life_files.find_given(transaction, user_id)
            if given is not None:
                raise Conflict(user_id, f"User '{user_id}' is being given {given}. Try again in a minute")
            documents.write(transaction, FOLDER.path(user_id), User(user_id, is_removed=True).document())
            if transaction.version(SHARES.path(user_id)) is not None:
                transaction.remove(SHARES.path(user_id))
            transaction.commit(messages.message(origin, f"Remove user {user_id}"), origin.author)
            return len(user_files.read_tokens(document, transaction, FOLDER.path(user_id)))

        return self.use(lambda repository: repository.transact(change))

    def list(self) -> list[User]:
        """Return all users, sorted by id, without those whose files are damaged."""
        return list(self._current().users.values())

    def unread(self) -> Set[str]:
        """Return the ids of users whose files are damaged."""
        return self._current().unread

    def is_removed(self, user_id: str) -> bool:
        """Tell whether there was a user of this id, who was removed."""
        return user_id in self._current().removed

    def find(self, user_id: str) -> User | None:
        """Return a user by id, or None."""
        index = self._current()
        return (self._whole() if user_id in index.unread else index).users.get(user_id)

    def get(self, user_id: str) -> User:
        """Return a user by id; NotFound if there is none."""
        user = self.find(user_id)
        if user is None:
            raise NotFound(FOLDER.kind, user_id)
        return user

    def authenticate(self, secret: str) -> tuple[User, Token] | None:
        """Return the user and the token that a secret belongs to, or None. The token may have expired."""
        presented = hash_of(secret)
        index = self._current()
        found = index.by_token_hash.get(presented)
        if found is None and index.unread:  # the token may belong to a user who could not be read
            found = self._whole().by_token_hash.get(presented)
        return found if found and hmac.compare_digest(presented, found[1].sha256) else None

    def _current(self) -> _Index:
        head = self.use(Repository.head)
        index = self._index
        if index.commit != head.commit:
            index = self._index = _read_all(head, index.users)
        return index

    def _whole(self) -> _Index:
        """Return all users, now with those who were unread; RepositoryDamaged if one still cannot be read."""
        head = self.use(Repository.head)
        try:
            for user_id in self._index.unread:
                user_files.read(head, user_id)
        except RepositoryDamaged as error:  # the message must not tell a stranger which users exist
            raise RepositoryDamaged(head.name, "the file of a user cannot be read") from error
        self._index = _read_all(head, self._index.users)
        return self._index

    def use(self, act: Callable[[Repository], T]) -> T:
        """Open the repository anew and call `act` with it: an operator may have replaced the folder."""
        try:
            return act(self._store.open(REPOSITORY))
        except RepositoryNotFound as error:
            raise RepositoryDamaged(REPOSITORY, "its folder is gone") from error


def how_to_rotate(user_id: str, name: str) -> str:
    """Return a sentence for an operator who asked for a token that exists already."""
    return (
        f"If the token was lost, rotate it: POST /v1/admin/users/{user_id}/tokens/{name}/rotate, "
        f"or `bakehouse users tokens rotate {user_id} {name}`"
    )


def _make_missing(store: Store, origin: Origin) -> None:
    def first_commit(transaction: Transaction) -> None:
        transaction.write("README.md", b"# Accounts\n\n`users/<user>.yml`: a user of this Bakehouse.\n")
        transaction.write(PATH_OF_NOTE, NOTE)
        transaction.commit(messages.message(origin, "Create accounts"), origin.author)

    try:
        store.open(REPOSITORY)
    except RepositoryNotFound:
        with suppress(RepositoryExists):  # another process was quicker
            store.create(REPOSITORY, first_commit)
    except StorageError:  # the repository exists and is damaged: each use of it raises the error
        pass


def _read_all(head: Snapshot, known: Mapping[str, User]) -> _Index:
    """Read all users but those who are `known` in the version that is there.

    One whose file is damaged cannot log in, and keeps nobody else from doing so.
    """
    users, unread, removed = {}, set(), set()
    versions = head.versions(FOLDER.name)
    for user_id in FOLDER.names(head):
        user = known.get(user_id)
        try:
            if user is None or user.version != versions.get(FOLDER.file(user_id)):
                user = user_files.read(head, user_id)
        except RepositoryDamaged as error:
            unread.add(user_id)
            _log.error("User '%s' is passed over. %s", user_id, error)
            continue
        if user.is_removed:
            removed.add(user_id)
        else:
            users[user_id] = user
    by_hash = {token.sha256: (user, token) for user in users.values() for token in user.tokens}
    return _Index(head.commit, users, by_hash, unread, removed)
