"""The file of a user: its content, and how it is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.tokens import Token
from app.registry import documents
from app.registry.documents import Source
from app.registry.folders import Folder
from storage.errors import RepositoryDamaged

FOLDER = Folder("users", "User")

Tokens = tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class User:
    """A user, with the name and address that commits show, and their tokens."""

    id: str
    alias: str | None = None
    email: str | None = None
    tokens: Tokens = ()

    def document(self) -> Mapping[str, Any]:
        """Return the content of the user's file."""
        tokens = [token.document() for token in self.tokens]
        return {"alias": self.alias, "email": self.email, "tokens": tokens}


def read(source: Source, user_id: str) -> User:
    """Read the file of a user; RepositoryDamaged if it cannot be read."""
    path = FOLDER.path(user_id)
    found = documents.read(source, path)
    document: Mapping[str, Any] = found[0] if found else {}
    alias, email = document.get("alias"), document.get("email")
    if not all(text is None or isinstance(text, str) for text in (alias, email)):
        raise RepositoryDamaged(source.name, f"{path} has an alias or email that is no text")
    return User(user_id, alias, email, read_tokens(document, source, path))


def read_tokens(document: Mapping[str, Any], source: Source, path: str) -> Tokens:
    """Return the tokens in a user's document; RepositoryDamaged if they cannot be read."""
    try:
        return tuple(map(Token.of, documents.expect(document, "tokens", list, source, path)))
    except (KeyError, TypeError, ValueError) as error:
        raise RepositoryDamaged(source.name, f"{path} has a token that Bakehouse did not write") from error
