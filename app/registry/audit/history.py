"""The history of a repo: its commits, their authors, and the fields that each commit changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.budgets import Work
from app.domain.differences import Difference, compare
from app.domain.errors import NotFound
from app.registry import documents, repos
from app.registry.configs.things import Thing
from app.registry.documents import Source
from storage.errors import RepositoryDamaged
from storage.history import FileChange, LoggedCommit
from storage.ids import BlobId, CommitId
from storage.log_filter import LogFilter
from storage.repository import Repository
from storage.signatures import Signature
from storage.snapshot import File, Snapshot

_DOCUMENTS = ("targets", "prompts", "defaults")
# A page ends early once its commits changed this many files, since each file is read and compared.
MOST_FILES = 1000
_UNREADABLE = "The file was not written by Bakehouse, and cannot be read"
_NOT_READ = "The file is larger than what is left of the bytes that one answer reads; git shows the change"


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that a commit changed: its blob ids before and after, None where it was not there.

    `differences` are its changed fields. A file without fields, such as a question template, has none. Where they
    are None, `note` says why.
    """

    path: str
    old: BlobId | None
    new: BlobId | None
    differences: Sequence[Difference] | None
    note: str | None = None


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
        changed = [_changed(repository, source, commit.commit, file, work) for file in commit.files[:MOST_FILES]]
        if number and work.is_spent:
            return
        more = len(commit.files) - len(changed)
        has_older = number + 1 < len(logged)
        yield Entry(commit.commit, repository.signature(commit.commit), changed, more, has_older)


def _changed(repository: Repository, source: Source, commit: CommitId, change: FileChange, work: Work) -> ChangedFile:
    ids = (change.path, change.old, change.new)
    is_document = change.path == repos.PATH or change.path.partition("/")[0] in _DOCUMENTS
    if not is_document:
        return ChangedFile(*ids, ())
    if work.is_spent:
        return ChangedFile(*ids, None, _NOT_READ)
    try:
        files = [File(blob, source.blob(blob)) if blob else None for blob in (change.old, change.new)]
    except RepositoryDamaged:
        if not repository.is_submodule(commit, change.path):
            raise
        return ChangedFile(*ids, None, _UNREADABLE)
    if not work.take(len(file.data) for file in files if file):
        return ChangedFile(*ids, None, _NOT_READ)
    try:
        old, new = (documents.parse(source, change.path, file) if file else {} for file in files)
    except RepositoryDamaged:  # git has the content, but it is no document of ours
        return ChangedFile(*ids, None, _UNREADABLE)
    # Overrides mostly repeat fields of the config, so they are compared only where nothing else differs.
    return ChangedFile(*ids, compare(_fields(old), _fields(new)) or compare(old, new))


def _fields(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a document with the fields of its config at the top, and without its overrides."""
    config = document.get("config", {})
    rest = {name: value for name, value in document.items() if name not in ("config", "overrides")}
    return {**rest, **config} if isinstance(config, dict) else rest
