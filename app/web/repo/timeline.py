"""The latest commits of a repo, with the fields that each changed.

A commit never changes, so what is shown of it is kept. After a write only the new commit is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from app.domain.budgets import Work
from app.domain.differences import MISSING, Difference
from app.registry.audit import file_changes
from app.registry.audit.file_changes import ChangedFile
from app.web.admission import Place
from app.web.parts.commits import Commit
from app.web.repo.table import text_of
from app.wire import allowance
from storage.caches import Cache
from storage.comparisons import FileChange
from storage.ids import CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot

COMMITS = 10
_FILES = 3  # of a commit
_FIELDS = 5  # of a file
_SIZE = 2000  # bytes that a commit takes, at the most
_kept: Cache[tuple[str, CommitId], "Event"] = Cache(8 * 1024 * 1024)  # by the repository's path


@dataclass(frozen=True, slots=True)
class Change:
    """A field of a file that changed: both values as short texts, None where there was none."""

    field: str
    old: str | None
    new: str | None

    @property
    def told(self) -> str:
        """How the subject of a commit tells a change, where it is the only one."""
        return f"{self.field} {self.old} → {self.new}"


@dataclass(frozen=True, slots=True)
class File:
    """A file that a commit changed: what it holds, what happened, and the first fields that changed."""

    kind: str
    name: str
    action: str
    changes: Sequence[Change]
    more: int


@dataclass(frozen=True, slots=True)
class Event:
    """A commit with the first files that it changed, how many more there are, and the commit before."""

    commit: Commit
    files: Sequence[File]
    more: int
    parent: CommitId | None


def read(place: Place) -> list[Event]:
    """Return the latest commits up to the one that the page is about, newest first."""
    events: list[Event] = []
    commit: CommitId | None = place.snapshot.commit
    while commit is not None and len(events) < COMMITS:
        key = (str(place.repository.path), commit)
        event = _kept.get(key)
        if event is None:
            event = _read(place.repository, place.repository.at(commit))
            _kept.put(key, event, _SIZE)
        events.append(event)
        commit = event.parent
    return events


def _read(repository: Repository, snapshot: Snapshot) -> Event:
    commit, parent = snapshot.commit, snapshot.parent
    signature = Commit.of(commit, repository.signature(commit))
    if parent is None:  # the commit that made the repo
        return Event(signature, (), 0, None)
    differing = list(repository.comparisons.changes(repository.at(parent), snapshot))
    work = allowance.work()
    files = [_file(repository, commit, change, work) for change in differing[:_FILES]]
    if len(files) == 1 and [change.told in signature.subject for change in files[0].changes] == [True]:
        files = []
    return Event(signature, files, max(0, len(differing) - _FILES), parent)


def _file(repository: Repository, commit: CommitId, change: FileChange, work: Work) -> File:
    """Return what happened to a file; its fields only where it was there before and is there still."""
    kind, name = file_changes.thing(change.path)
    action = file_changes.action(change.old, change.new)
    differences: Sequence[Difference] = ()
    if action == "updated":
        is_submodule = partial(repository.comparisons.is_submodule, commit)
        found: ChangedFile = file_changes.read(repository.at(commit), change, work, is_submodule)
        differences = found.differences or ()
    shown = [_change(difference) for difference in differences[:_FIELDS]]
    return File(kind, name or change.path, action, shown, len(differences) - len(shown))


def _change(difference: Difference) -> Change:
    old, new = (None if value is MISSING else text_of(value) for value in (difference.old, difference.new))
    return Change(difference.field[1:].replace("/", "."), old, new)
