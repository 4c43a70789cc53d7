"""Which labels and tags hold a file: those at whose commit the file is there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.domain.errors import NotFound
from app.registry import labels
from app.registry.label_files import Label
from storage.ids import BlobId, CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.tags import Tag


@dataclass(frozen=True, slots=True)
class Holder:
    """A label or tag, the commit that it is on, and the version of the file there."""

    name: str
    commit: CommitId
    version: BlobId


def holders(repository: Repository, path: str, named: Sequence[Label | Tag]) -> list[Holder]:
    """Return which of some labels or tags hold a file, as they are ordered.

    The history of the file tells it for all commits at once, so no tree of an old commit is read.
    """
    versions = repository.versions_at(path, {each.commit for each in named})
    return [Holder(each.name, each.commit, versions[each.commit]) for each in named if each.commit in versions]


def held_by(repository: Repository, snapshot: Snapshot, path: str, tags: Sequence[Tag]) -> Iterator[tuple[str, Holder]]:
    """Yield the labels of a snapshot, and then the tags, that hold a file: `labels` or `tags`, and the holder."""
    readable = [label for label in labels.get_all(snapshot).values() if label is not None]
    found: Sequence[tuple[str, Sequence[Label | Tag]]] = [("labels", readable), ("tags", tags)]
    for kind, named in found:
        for held in holders(repository, path, named):
            yield kind, held


def expect_ever(repository: Repository, snapshot: Snapshot, path: str, missing: NotFound) -> None:
    """Raise an error where a snapshot does not have a file, and no commit before it had."""
    if snapshot.version(path) is None and not repository.versions(path, snapshot.commit):
        raise missing
