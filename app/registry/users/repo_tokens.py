"""Tokens that are limited to some repos, when a repo gets another name or another owner."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from app.domain.tokens import Token
from app.registry import documents
from app.registry.users import user_files
from app.registry.users.user_files import FOLDER
from storage.errors import RepositoryDamaged
from storage.transaction import Transaction


def follow(transaction: Transaction, old: str, new: str) -> None:
    """Let the tokens of all users that are for a repo `<user>/<repo>` be for its new name, and no longer for the old.

    So a token keeps what it could do, and never reaches the next repo of the old name.
    """
    for user_id in FOLDER.names(transaction):
        with suppress(RepositoryDamaged):  # this user cannot log in
            _follow(transaction, user_id, old, new)


def _follow(transaction: Transaction, user_id: str, old: str, new: str) -> None:
    path = FOLDER.path(user_id)
    found = documents.read(transaction, path)
    if found is None:
        return
    before = user_files.read_tokens(found[0], transaction, path)
    after = tuple(_renamed(token, user_id, old, new) for token in before)
    if after != before:
        document = {**found[0], "tokens": [token.document() for token in after]}
        documents.write(transaction, path, document)


def _renamed(token: Token, user_id: str, old: str, new: str) -> Token:
    if token.repos is None:
        return token
    names: Sequence[str] = [_name(listed, user_id, old, new) for listed in token.repos]
    return replace(token, repos=tuple(dict.fromkeys(names)))


def _name(listed: str, user_id: str, old: str, new: str) -> str:
    own = f"{user_id}/"
    if listed == old:
        return new
    if own + listed == old:
        return new.removeprefix(own)
    return listed
