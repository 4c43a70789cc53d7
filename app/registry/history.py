"""What happened in a repo: commits, who made them, and the fields that each changed."""

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
from storage.ids import CommitId
from storage.repository import Repository
from storage.signatures import Signature
from storage.snapshot import Snapshot

_DOCUMENTS = ("targets", "prompts", "defaults")
# A page ends early once its commits changed so many files: each is read, and compared.
_MOST_FILES = 1000


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that a commit changed: its blob ids before and after, None where it was not there.

    `differences` are its fields; empty for what has none, such as a question template; None where
    somebody wrote by hand what cannot be read.
    """

    path: str
    old: str | None
    new: str | None
    differences: Sequence[Difference] | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A commit, who made it and why, and what it changed."""

    commit: CommitId
    signature: Signature
    files: Sequence[ChangedFile]


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, newest first; `next` is the commit before which the next page starts, if there is one."""

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
    """Return what became of a target or prompt up to a commit; NotFound if there never was one.

    `before` is the commit that a page before this one ended with.
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
    repository: Repository,
    snapshot: Snapshot,
    wanted: LogFilter,
    *,
    before: CommitId | None,
    limit: int,
) -> Page:
    """Return the commits of a repo up to a snapshot that pass a filter.

    `before` is the commit that the page before this one ended with.
    """
    logged = repository.log(snapshot.commit, wanted, before=before, limit=limit + 1)
    return _page(repository, snapshot, logged, limit)


def _page(repository: Repository, source: Source, logged: Sequence[LoggedCommit], limit: int) -> Page:
    """Return a page of what was logged, which is one more than its limit where there is more."""
    shown: list[LoggedCommit] = []
    files = 0
    for commit in logged[:limit]:
        files += len(commit.files)
        if shown and files > _MOST_FILES:
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
        contents = [source.blob(blob) if blob and is_document else None for blob in (change.old, change.new)]
    except RepositoryDamaged:
        if not repository.is_submodule(commit, change.path):
            raise
        return ChangedFile(change.path, change.old, change.new, None)
    try:
        old, new = (_document(source, change.path, content) for content in contents)
    except RepositoryDamaged:  # it is what git has, and no document
        return ChangedFile(change.path, change.old, change.new, None)
    # Overrides mostly say again what the config says; they count where nothing else differs.
    differences = compare(_fields(old), _fields(new)) or compare(old, new)
    return ChangedFile(change.path, change.old, change.new, differences)


def _document(source: Source, path: str, content: bytes | None) -> Mapping[str, Any]:
    return documents.parse(source, path, content) if content is not None else {}


def _fields(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a document with its config's fields beside what they were made from."""
    config = document.get("config", {})
    rest = {name: value for name, value in document.items() if name not in ("config", "overrides")}
    return {**rest, **config} if isinstance(config, dict) else rest
