"""What a journal holds: commits and tags, each with all that git's files will need."""

from collections.abc import Mapping
from dataclasses import dataclass

from storage.plumbing.object import GitObject


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """A commit, and the files that it changed, by path; None for a file that it removed.

    The trees follow from the files and the parent's tree, so a record does not have them.
    """

    commit: GitObject
    files: Mapping[str, GitObject | None]


@dataclass(frozen=True, slots=True)
class TagRecord:
    """An annotated tag, and its name."""

    name: str
    tag: GitObject


Record = CommitRecord | TagRecord
