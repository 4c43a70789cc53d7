"""What changed in a repo between two commits, file by file."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.domain.budgets import Work
from app.registry.audit import file_changes
from app.registry.audit.file_changes import ChangedFile
from storage.comparisons import FileChange
from storage.ids import CommitId
from storage.log_filter import LogFilter
from storage.repository import Repository
from storage.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Compared:
    """A file that differs, and the last commit up to the new side that changed it; None where there was none."""

    file: ChangedFile
    commit: CommitId | None


class Comparison:
    """The files that differ between two snapshots of a repository."""

    def __init__(self, repository: Repository, old: Snapshot, new: Snapshot, wanted: LogFilter) -> None:
        self._repository = repository
        self._sides = old, new
        self._changes: Sequence[FileChange] = list(repository.comparisons.changes(old, new, wanted))

    @property
    def counts(self) -> Mapping[str, int]:
        """How many files were created, updated and deleted in all."""
        return Counter(file_changes.action(change.old, change.new) for change in self._changes)

    def __len__(self) -> int:
        """Return how many files differ in all."""
        return len(self._changes)

    def page(self, work: Work, *, offset: int, limit: int) -> Iterator[Compared]:
        """Yield some of the files, in the order of their paths; fewer, but one, where `work` is spent."""
        wanted = self._changes[offset : offset + limit]
        new = self._sides[1]
        commits = self._repository.last_changes([change.path for change in wanted], new.commit)
        for number, change in enumerate(wanted):
            file = file_changes.read(new, change, work, self._is_submodule)
            if number and work.is_spent:
                return
            yield Compared(file, commits.get(change.path))

    def _is_submodule(self, path: str) -> bool:
        return any(side.is_submodule(path) for side in self._sides)
