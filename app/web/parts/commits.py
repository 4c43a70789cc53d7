"""Commits as pages show them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from storage.ids import CommitId
from storage.repository import Repository
from storage.signatures import Signature


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: who made it, when (a moment, in microseconds since 1970), why, and what it says it did."""

    id: CommitId
    author: str
    user: str | None
    moment: int
    reason: str | None
    subject: str

    @classmethod
    def of(cls, commit_id: CommitId, signature: Signature) -> "Commit":
        """Return a commit with its signature."""
        return cls(commit_id, signature.name, signature.user, signature.moment, signature.reason, signature.subject)


def read(repository: Repository, ids: Iterable[CommitId | None]) -> Mapping[CommitId, Commit]:
    """Return some commits by id, each read once."""
    return {each: Commit.of(each, repository.signature(each)) for each in dict.fromkeys(ids) if each is not None}
