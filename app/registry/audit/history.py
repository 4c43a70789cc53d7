"""The history of a repo: its commits, their authors, and the fields that each commit changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from app.domain.budgets import Work
from app.domain.errors import NotFound
from app.registry.audit import file_changes
from app.registry.audit.file_changes import ChangedFile
from app.registry.configs.things import Thing
from app.registry.documents import Source
from storage.comparisons import FileChange
from storage.git_log import LoggedCommit
from storage.ids import CommitId
from storage.log_filter import LogFilter
from storage.repository import Repository
from storage.signatures import Signature
from storage.snapshot import Snapshot

# A page ends early once its commits changed this many files, since each file is read and compared.
MOST_FILES = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """A commit, its signature, and the files that it changed; and whether the history goes on before it.

    `more_files` is how many further files the commit changed.
    """

    commit: CommitId
    signature: Signature
    files: Sequence[ChangedFile]
    more_files: int
    has_older: bool


def of_thing(
    repository: Repository,
    snapshot: Snapshot,
    thing: Thing,
    work: Work,
    *,
    before: CommitId | None,
    limit: int,
) -> Iterator[Entry]:
    """Yield the history of a thing up to a snapshot; NotFound if there never was one.

    `before` is the last commit of the page before this one. A page ends early where `work` is spent.
    """
    if not repository.versions(thing.path, snapshot.commit):
        raise NotFound(thing.folder.kind, thing.name)
    versions = repository.versions(thing.path, snapshot.commit, before)
    blobs = [version.blob for version in versions[: limit + 2]] + [None]
    logged = [
        LoggedCommit(version.commit, [FileChange(thing.path, blobs[index + 1], version.blob)])
        for index, version in enumerate(versions[: limit + 1])
    ]
    return _entries(repository, snapshot, logged, limit, work)


def of_repo(
    repository: Repository, snapshot: Snapshot, wanted: LogFilter, work: Work, *, before: CommitId | None, limit: int
) -> Iterator[Entry]:
    """Yield the commits of a repo up to a snapshot that pass a filter.

    `before` is the last commit of the page before this one. A page ends early where `work` is spent.
    """
    logged = repository.log(snapshot.commit, wanted, before=before, limit=limit + 1)
    return _entries(repository, snapshot, logged, limit, work)


def _entries(
    repository: Repository, source: Source, logged: Sequence[LoggedCommit], limit: int, work: Work
) -> Iterator[Entry]:
    """Yield the entries of a page. One commit more than the limit means that another page follows."""
    files = 0
    for number, commit in enumerate(logged[:limit]):
        files += len(commit.files)
        if number and files > MOST_FILES:
            return
        is_submodule = partial(repository.comparisons.is_submodule, commit.commit)
        changed = [file_changes.read(source, file, work, is_submodule) for file in commit.files[:MOST_FILES]]
        if number and work.is_spent:
            return
        more = len(commit.files) - len(changed)
        has_older = number + 1 < len(logged)
        yield Entry(commit.commit, repository.signature(commit.commit), changed, more, has_older)
