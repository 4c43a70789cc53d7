"""A checkpoint: what the journal has is put into git's own files."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from storage.errors import RepositoryDamaged
from storage.ids import CommitId, ObjectId
from storage.objects.database import ObjectDatabase
from storage.plumbing.branch import Branch
from storage.plumbing.checked_git import CheckedGit
from storage.plumbing.refs import BRANCH, TAGS, Refs

_log = logging.getLogger(__name__)


class BranchesOfFiles(Protocol):
    """The branches that stand for files of the repository."""

    def among(self, paths: Iterable[str]) -> list[str]:
        """Return those of some paths that stand for branches."""

    def put(self, tip: CommitId, paths: Iterable[str] | None = None) -> None:
        """Put the branches of some files, or of all, where the files at the tip say, durably."""


class Checkpoint:
    """Writes git's files: the objects first, then the tags, then the branches of files, then the branch itself.

    Each is durable before the next is written, so a crash in between leaves refs that lead to whole objects.
    The same checkpoint may then be written once more.
    """

    def __init__(
        self,
        branch: Branch,
        refs: Refs,
        objects: ObjectDatabase,
        git: CheckedGit,
        branches: BranchesOfFiles,
        note: Callable[[int, int], None],
        then: Callable[[], None],
    ) -> None:
        """Write the files of one repository; `then` is called after each checkpoint, without a lock.

        `note` is told the bytes of each pack that is written, and how many tags came with it.
        """
        self._branch = branch
        self._refs = refs
        self._objects = objects
        self._git = git
        self.branches = branches
        self._note = note
        self.then = then

    def write(
        self, commits: Sequence[CommitId | None], tags: Mapping[str, ObjectId], branch_files: Collection[str]
    ) -> None:
        """Write the pending objects, the tags, and the branch, which goes to the last of the commits.

        The first of the commits is the one that the others follow; `branch_files` are those files that the commits
        changed and that stand for branches. The caller has git's lock on the branch.
        """
        tip, branch = (commits[-1] if commits else None), self._branch.find()
        must_move = tip is not None and branch in commits[:-1]
        if tip is not None and not must_move and not self._git.is_ancestor(tip, BRANCH):
            raise RepositoryDamaged(
                self._branch.location.name, "its branch was moved while Bakehouse held git's lock on it"
            )
        if must_move or tags:
            with self._objects.pack_pending() as size:
                self._note(size, len(tags))
                for name, tag_id in tags.items():
                    self._write_tag(f"{TAGS}/{name}", tag_id)
                if tip is not None and must_move:
                    if branch_files:
                        self.branches.put(tip, branch_files)
                    self._branch.move(tip)
        if tip is not None and not must_move:  # a process that was killed may not have flushed the branch
            self._branch.sync()

    def _write_tag(self, ref: str, tag: ObjectId) -> None:
        """Write the ref of a tag that was answered, also where another program has made one of that name since."""
        other = self._refs.read(ref)
        if other not in (None, tag.hex()):
            _log.warning(
                "%s: %s names %s, which the tag of an earlier request replaces",
                self._branch.location.name,
                ref,
                other,
            )
        self._refs.write(ref, tag)
