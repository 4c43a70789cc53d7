"""The commits that changed one field of any file."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from app.domain.budgets import Work
from app.domain.differences import pointer
from app.domain.field_paths import within
from app.registry.audit import file_changes
from app.registry.audit.file_changes import NOT_READ, ChangedFile
from app.registry.audit.history import MOST_FILES, Entry
from storage.block import ANY_FIELD
from storage.comparisons import FileChange
from storage.git_log import LoggedCommit
from storage.ids import CommitId
from storage.log_filter import LogFilter
from storage.repository import Repository
from storage.snapshot import Snapshot

_LARGEST = 256 * 1024  # bytes before and after a change that the index reads; a larger one may be in any field
_MOST_NAMES = 64  # of one file's change
_DEEPEST = 3  # keys of a name


class FieldReader:
    """Names the fields that a change of a file is in, until so many bytes were read."""

    def __init__(self, repository: Repository, snapshot: Snapshot, most: int) -> None:
        self._repository = repository
        self._snapshot = snapshot
        self._most = most
        self._read = 0

    def is_spent(self) -> bool:
        """Tell whether enough was read."""
        return self._read >= self._most

    def names(self, commit: CommitId, file: FileChange) -> Sequence[str]:
        """Return the JSON Pointers of the changed fields; of deep ones, and of too many, those of their parents."""
        work = Work(_LARGEST)
        is_submodule = partial(self._repository.comparisons.is_submodule, commit)
        changed = file_changes.read(self._snapshot, file, work, is_submodule)
        self._read += work.taken
        if changed.differences is None:
            return (ANY_FIELD,) if changed.note == NOT_READ else ()
        for deepest in (_DEEPEST, 1):
            names = {"/".join(each.field.split("/")[: deepest + 1]) for each in changed.differences}
            if len(names) <= _MOST_NAMES:
                return sorted(names)
        return (ANY_FIELD,)


def index(repository: Repository) -> int:
    """Put the whole field index on disk, and return the number of commits that were read for it."""
    return repository.fields.fill(FieldReader(repository, repository.head(), sys.maxsize))


def search(
    repository: Repository,
    snapshot: Snapshot,
    field: tuple[str, ...],
    wanted: LogFilter,
    work: Work,
    *,
    before: CommitId | None,
    limit: int,
) -> Iterator[Entry | CommitId | None]:
    """Yield the commits up to a snapshot that changed a field, or one within it, with only what they changed there.

    `before` is the last commit of the page before this one. Where `work` is spent, a commit comes last: the page
    looked at all commits down to that one. None comes last where there are no older commits to look at.
    """
    reader = FieldReader(repository, snapshot, work.most // 8)
    shown, reached = 0, None
    for logged in repository.fields.search(pointer(field), wanted, reader, snapshot.commit, before):
        if not logged.files:
            yield logged.commit
            return
        files = _changed(repository, snapshot, logged, field, work)
        if work.is_spent and reached is not None:
            yield reached
            return
        more = max(0, len(logged.files) - MOST_FILES)
        reached = logged.commit
        if not files and not more:
            continue
        if shown == limit:
            return
        yield Entry(logged.commit, repository.signature(logged.commit), files, more, has_older=True)
        shown += 1
    yield None


def _changed(
    repository: Repository, snapshot: Snapshot, logged: LoggedCommit, field: tuple[str, ...], work: Work
) -> list[ChangedFile]:
    """Return the files in which a commit changed a field, and those of which that cannot be told."""
    is_submodule = partial(repository.comparisons.is_submodule, logged.commit)
    found = []
    for change in logged.files[:MOST_FILES]:
        file = file_changes.read(snapshot, change, work, is_submodule)
        if file.differences is None:
            found += [file] if file.note == NOT_READ else []
            continue
        parts = [part for each in file.differences if (part := within(each, field)) is not None]
        if parts:
            found.append(replace(file, differences=parts))
    return found
