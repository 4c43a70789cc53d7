"""Who uses a file: the documents that name it, and the tags at whose commit it is there."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import NotFound
from storage.ids import BlobId, CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.tags import Tag


@dataclass(frozen=True, slots=True)
class Holder:
    """A tag, the commit that it is on, and the version of the file there."""

    name: str
    commit: CommitId
    version: BlobId


def holders(repository: Repository, path: str, tags: Sequence[Tag]) -> list[Holder]:
    """Return which of some tags hold a file, as they are ordered.

    The history of the file tells it for all commits at once, so no tree of an old commit is read.
    """
    versions = repository.versions_at(path, [tag.commit for tag in tags])
    return [Holder(tag.name, tag.commit, version) for tag, version in zip(tags, versions, strict=True) if version]


def expect_ever(repository: Repository, snapshot: Snapshot, path: str, missing: NotFound) -> None:
    """Raise an error where a snapshot does not have a file, and no commit before it had."""
    if snapshot.version(path) is None and not repository.versions(path, snapshot.commit):
        raise missing
