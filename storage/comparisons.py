"""How the files of two commits differ: which of them, and as `git diff` prints it."""

from collections.abc import Iterator
from dataclasses import dataclass

from storage.ancestry import Ancestry
from storage.ids import BlobId, CommitId, ObjectId, blob_id
from storage.journal.tip import Tip
from storage.log_filter import EVERYTHING, LogFilter
from storage.objects.reader import ObjectReader
from storage.plumbing.checked_git import CheckedGit
from storage.plumbing.trees import Tree
from storage.revisions import Revisions
from storage.snapshot import Snapshot

_OPTIONS = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
_OF_TREES = ("--ignore-submodules=none", "--submodule=short", "--src-prefix=a/", "--dst-prefix=b/")


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that is not the same before and after: its blob ids; None where there was no file."""

    path: str
    old: BlobId | None
    new: BlobId | None


class Comparisons:
    """Compares commits of one repository. Threads may share one."""

    def __init__(
        self, objects: ObjectReader, tip: Tip, git: CheckedGit, ancestry: Ancestry, revisions: Revisions
    ) -> None:
        self._objects = objects
        self._tip = tip
        self._git = git
        self._ancestry = ancestry
        self._revisions = revisions

    def changes(self, old: Snapshot, new: Snapshot, wanted: LogFilter = EVERYTHING) -> Iterator[FileChange]:
        """Yield the files with a wanted path that differ between two snapshots, in the order of their paths.

        Folders that are equal are not read.
        """
        with self._git.location.explained():
            yield from (change for change in changes(self._objects, old.root, new.root) if wanted.has_path(change.path))

    def is_submodule(self, commit: CommitId, path: str) -> bool:
        """Tell whether a path is a submodule at a commit of the history, or was at the commit before."""
        position = self._revisions.position(commit)
        commits = (self._ancestry.id_at(at) for at in range(max(0, position - 1), position + 1))
        return any(Snapshot(self._objects, found).is_submodule(path) for found in commits)

    def text_of_files(self, old: tuple[CommitId, str], new: tuple[CommitId, str]) -> str:
        """Return the difference of two files as git prints it; each is given as a commit and a path."""
        self._give_to_git(old[0], new[0])
        sides = [f"{commit}:{path}" for commit, path in (old, new)]
        return self._git.ask("diff", *_OPTIONS, *sides, "--")

    def text(self, old: Snapshot, new: Snapshot, wanted: LogFilter, most: int) -> str | None:
        """Return the difference of the files with a wanted path as git prints it; None if it is over `most` bytes."""
        if wanted.is_impossible:
            return ""
        self._give_to_git(old.commit, new.commit)
        arguments = ("diff", *_OPTIONS, *_OF_TREES, old.commit, new.commit, "--", *wanted.pathspecs())
        return self._git.ask_up_to(most, *arguments, options=["--no-literal-pathspecs"])

    def _give_to_git(self, *commits: CommitId) -> None:
        """Make a checkpoint if only the journal has one of these commits."""
        with self._git.location.explained():
            in_git = self._ancestry.last_checkpointed()
            has_all = all(self._revisions.position(commit) <= in_git for commit in commits)
        if not has_all:
            self._tip.checkpoint()


def changes(
    objects: ObjectReader, old: ObjectId | None, new: ObjectId | None, folder: str = ""
) -> Iterator[FileChange]:
    """Yield the files that differ between two trees, in the order of their paths. None is a tree without files."""
    before, after = (Tree() if tree is None else objects.tree(tree) for tree in (old, new))
    for name, old_id, new_id, is_folder in after.changed_since(before):
        if is_folder:
            yield from changes(objects, old_id, new_id, f"{folder}{name}/")
        else:
            old_blob, new_blob = (None if entry is None else blob_id(entry) for entry in (old_id, new_id))
            yield FileChange(f"{folder}{name}", old_blob, new_blob)
