"""Access levels, and the tokens that users authenticate with."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

_PREFIX = "bakehouse_"  # lets scanners for leaked secrets recognise a token
SECRET = re.compile(_PREFIX + "[A-Za-z0-9_-]{20,}")  # a token, or most of one


class Access(StrEnum):
    """What a user may do with a repo."""

    READ = "read"
    WRITE = "write"

    def allows(self, needed: "Access") -> bool:
        """Tell whether this access is enough where another is needed."""
        return self is Access.WRITE or needed is Access.READ


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """The properties of a new token. `repos` are names of the user's own repos, or `<owner>/<repo>`."""

    name: str
    access: Access = Access.WRITE
    repos: tuple[str, ...] | None = None  # None: all
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is stored: with the hash of its secret in hex digits, and without the secret.

    `made_with` is the operator's token that this one was made with, perhaps by way of others.
    """

    name: str
    sha256: str
    created: datetime
    access: Access = Access.WRITE
    repos: tuple[str, ...] | None = None
    expires: datetime | None = None
    made_with: str | None = None  # None: the operator made it

    @classmethod
    def make(cls, request: TokenRequest, made_with: str | None = None) -> tuple["Token", str]:
        """Return a new token, and its secret of 256 random bits."""
        secret = _PREFIX + secrets.token_urlsafe(32)
        created = datetime.now(UTC).replace(microsecond=0)
        limits = (request.access, request.repos, request.expires)
        return cls(request.name, hash_of(secret), created, *limits, made_with), secret

    def renewed(self) -> tuple["Token", str]:
        """Return a token of this name with the same limits, and its secret, which is another one."""
        return self.make(TokenRequest(self.name, self.access, self.repos, self.expires), self.made_with)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Token":
        """Read a token from a user's document; KeyError, TypeError or ValueError if it is malformed."""
        name, sha256, repos = document["name"], document["sha256"], document.get("repos")
        made_with = document.get("made_with")
        if not all(isinstance(text, str) for text in (name, sha256, made_with or "", *(repos or []))):
            raise TypeError("the names, the hash and the repos of a token must be text")
        expires = document.get("expires")
        return cls(
            name,
            sha256,
            datetime.fromisoformat(document["created"]),
            Access(document.get("access", Access.WRITE)),
            None if repos is None else tuple(repos),
            None if expires is None else datetime.fromisoformat(expires).astimezone(UTC),
            made_with,
        )

    def document(self) -> Mapping[str, Any]:
        """Return the token's entry in its user's document."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "created": self.created.isoformat(),
            "access": str(self.access),
            "repos": None if self.repos is None else list(self.repos),
            "expires": None if self.expires is None else self.expires.isoformat(),
            **({} if self.made_with is None else {"made_with": self.made_with}),
        }

    @property
    def root(self) -> str:
        """The name of the operator's token that this one goes back to, which may be this one itself."""
        return self.made_with or self.name

    def is_expired(self) -> bool:
        """Tell whether the token has expired."""
        return self.expires is not None and self.expires <= datetime.now(UTC)

    def is_for(self, user_id: str, owner: str, repo: str) -> bool:
        """Tell whether this token of the user `user_id` is valid for a repo of `owner`."""
        if self.repos is None:
            return True
        return f"{owner}/{repo}" in self.repos or (owner == user_id and repo in self.repos)

    def shortfall(self, user_id: str, other: "Token | TokenRequest") -> str | None:
        """Return why this token may not make or change another one of the user `user_id`, or None where it may.

        With each limit that the other token lacked, whoever has this one could shake off the limit.
        """
        if self.access is Access.READ:
            return "is for reading only, and may rotate or revoke no token but itself"
        if not self.is_for_all(user_id, other.repos):
            return "is for some repos only, and may not make or change a token for others"
        if self.expires is not None and (other.expires is None or other.expires > self.expires):
            return f"expires at {self.expires.isoformat()}, and may not make or change one that lives longer"
        return None

    def is_for_all(self, user_id: str, repos: tuple[str, ...] | None) -> bool:
        """Tell whether this token of the user `user_id` is valid for all of these repos, written as in a token."""
        if self.repos is None or repos is None:
            return self.repos is None
        named = (repo.rpartition("/") for repo in repos)
        return all(self.is_for(user_id, owner or user_id, name) for owner, _, name in named)


def hash_of(secret: str) -> str:
    """Return the hash of a secret, which is stored in its place."""
    return hashlib.sha256(secret.encode()).hexdigest()
