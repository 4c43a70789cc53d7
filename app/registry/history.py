"""The history of a repo: its commits, their authors, and the fields that each commit changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.differences import Difference, compare
from app.domain.errors import NotFound
from app.registry import documents, repos
from app.registry.documents import Source
from app.registry.folders import Folder
from storage.errors import RepositoryDamaged
from storage.history import FileChange, LogFilter, LoggedCommit
from storage.ids import BlobId, CommitId
from storage.repository import Repository
from storage.signatures import Signature
from storage.snapshot import File, Snapshot

_DOCUMENTS = ("targets", "prompts", "defaults")
# A page ends early once its commits changed this many files, since each file is read and compared.
MOST_FILES = 1000


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that a commit changed: its blob ids before and after, None where it was not there.

    `differences` are its changed fields. A file without fields, such as a question template, has none;
    None where somebody committed a document by hand that Bakehouse cannot read.
    """

    path: str
    old: BlobId | None
    new: BlobId | None
    differences: Sequence[Difference] | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A commit, its signature, and the files that it changed."""

    commit: CommitId
    signature: Signature
    files: Sequence[ChangedFile]


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, newest first. `next` is the `before` of the next page, or None on the last one."""

    entries: Sequence[Entry]
    next: CommitId | None


def of_file(
    repository: Repository,
    snapshot: Snapshot,
    folder: Folder,
    name: str,
    *,
    before: CommitId | None,
    limit: int,
) -> Page:
    """Return the history of a target or prompt up to a snapshot; NotFound if there never was one.

    `before` is the last commit of the page before this one.
    """
    path = folder.path(name)
    if not repository.versions(path, snapshot.commit):
        raise NotFound(folder.kind, name)
    versions = repository.versions(path, snapshot.commit, before)
    blobs = [version.blob for version in versions] + [None]
    logged = [
        LoggedCommit(version.commit, [FileChange(path, blobs[index + 1], version.blob)])
        for index, version in enumerate(versions[: limit + 1])
    ]
    return _page(repository, snapshot, logged, limit)


def of_repo(
    repository: Repository, snapshot: Snapshot, wanted: LogFilter, *, before: CommitId | None, limit: int
) -> Page:
    """Return the commits of a repo up to a snapshot that pass a filter.

    `before` is the last commit of the page before this one.
    """
    logged = repository.log(snapshot.commit, wanted, before=before, limit=limit + 1)
    return _page(repository, snapshot, logged, limit)


def _page(repository: Repository, source: Source, logged: Sequence[LoggedCommit], limit: int) -> Page:
    """Return a page of logged commits. One commit more than the limit means that another page follows."""
    shown: list[LoggedCommit] = []
    files = 0
    for commit in logged[:limit]:
        files += len(commit.files)
        if shown and files > MOST_FILES:
            break
        shown.append(commit)
    entries = [
        Entry(
            logged.commit,
            repository.signature(logged.commit),
            [_changed(repository, source, logged.commit, file) for file in logged.files],
        )
        for logged in shown
    ]
    return Page(entries, shown[-1].commit if len(shown) < len(logged) else None)


def _changed(repository: Repository, source: Source, commit: CommitId, change: FileChange) -> ChangedFile:
    is_document = change.path == repos.PATH or change.path.partition("/")[0] in _DOCUMENTS
    try:
        files = [File(blob, source.blob(blob)) if blob and is_document else None for blob in (change.old, change.new)]
    except RepositoryDamaged:
        if not repository.is_submodule(commit, change.path):
            raise
        return ChangedFile(change.path, change.old, change.new, None)
    try:
        old, new = (_document(source, change.path, file) for file in files)
    except RepositoryDamaged:  # git has the content, but it is no document of ours
        return ChangedFile(change.path, change.old, change.new, None)
    # Overrides mostly repeat fields of the config, so they are compared only where nothing else differs.
    differences = compare(_fields(old), _fields(new)) or compare(old, new)
    return ChangedFile(change.path, change.old, change.new, differences)


def _document(source: Source, path: str, file: File | None) -> Mapping[str, Any]:
    return documents.parse(source, path, file) if file is not None else {}


def _fields(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a document with the fields of its config at the top, and without its overrides."""
    config = document.get("config", {})
    rest = {name: value for name, value in document.items() if name not in ("config", "overrides")}
    return {**rest, **config} if isinstance(config, dict) else rest
