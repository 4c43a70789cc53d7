"""The file of a user: its content, and how it is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.errors import NotFound
from app.domain.tokens import Token
from app.registry import documents
from app.registry.documents import Source
from app.registry.folders import Folder
from storage.errors import RepositoryDamaged
from storage.ids import BlobId

FOLDER = Folder("users", "User")

Tokens = tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class User:
    """A user, with the name and address that commits show, and their tokens; one who was removed has neither."""

    id: str
    alias: str | None = None
    email: str | None = None
    tokens: Tokens = ()
    is_removed: bool = False
    version: BlobId = documents.UNWRITTEN

    def document(self) -> Mapping[str, Any]:
        """Return the content of the user's file."""
        tokens = [token.document() for token in self.tokens]
        removed = {"removed": True} if self.is_removed else {}
        return {"alias": self.alias, "email": self.email, "tokens": tokens, **removed}


def read(source: Source, user_id: str) -> User:
    """Read the file of a user; RepositoryDamaged if it cannot be read."""
    path = FOLDER.path(user_id)
    document, version = documents.read(source, path) or ({}, documents.UNWRITTEN)
    alias, email = document.get("alias"), document.get("email")
    if not all(text is None or isinstance(text, str) for text in (alias, email)):
        raise RepositoryDamaged(source.name, f"{path} has an alias or email that is no text")
    tokens = read_tokens(document, source, path)
    return User(user_id, alias, email, tokens, is_removed(document), version)


def expect(source: Source, user_id: str) -> tuple[Mapping[str, Any], BlobId]:
    """Return the document of a user and its version; NotFound if there is none, or the user was removed."""
    found = documents.read(source, FOLDER.path(user_id))
    if found is None or is_removed(found[0]):
        raise NotFound(FOLDER.kind, user_id)
    return found


def is_removed(document: Mapping[str, Any]) -> bool:
    """Tell whether a document is that of a user who was removed."""
    return document.get("removed") is True


def read_tokens(document: Mapping[str, Any], source: Source, path: str) -> Tokens:
    """Return the tokens in a user's document; RepositoryDamaged if they cannot be read."""
    try:
        return tuple(map(Token.of, documents.expect(document, "tokens", list, source, path)))
    except (KeyError, TypeError, ValueError) as error:
        raise RepositoryDamaged(source.name, f"{path} has a token that Bakehouse did not write") from error
