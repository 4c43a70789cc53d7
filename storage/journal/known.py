"""What a process has read of a journal."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from storage.ids import CommitId, ObjectId, commit_id
from storage.journal.interface import Position
from storage.journal.records import Record, TagRecord
from storage.plumbing.commits import CommitHeader


class Known(NamedTuple):
    """What this process has read of the journal, up to a position.

    `commits` starts with the parent of the journal's first commit (None for the repository's first commit). The
    journal's commits follow. `branch_files` are the paths of files that they changed and that stand for branches.
    """

    position: Position
    commits: Sequence[CommitId | None] = ()
    tags: Mapping[str, ObjectId] = MappingProxyType({})
    branch_files: frozenset[str] = frozenset()

    @property
    def commit(self) -> CommitId | None:
        """The last commit; None where the journal has none."""
        return self.commits[-1] if self.commits else None

    def extended(
        self, position: Position, records: Sequence[Record], among: Callable[[Iterable[str]], Iterable[str]]
    ) -> "Known":
        """Return what is known once some more records were read or written, up to a position.

        `among` returns those of some paths that stand for branches.
        """
        commits, tags, branch_files = [*self.commits], dict(self.tags), self.branch_files
        for record in records:
            if isinstance(record, TagRecord):
                tags[record.name] = record.tag.id
                continue
            if not commits:
                commits.append(CommitHeader.parse(record.commit.data).parent)
            commits.append(commit_id(record.commit.id))
            branch_files = branch_files.union(among(record.files))
        return Known(position, commits, tags, branch_files)
