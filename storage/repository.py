"""One bare git repository: its tip, its files, and the way to change it."""

from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from storage import identity, maintenance
from storage.ancestry import Ancestry
from storage.branches import Branches
from storage.budget import Limits
from storage.comparisons import Comparisons
from storage.errors import RepositoryDamaged, StorageError, StorageUnavailable
from storage.fetches import Fetches
from storage.field_index import FieldIndex
from storage.git_log import LoggedCommit
from storage.history import History
from storage.ids import BlobId, CommitId, object_id
from storage.journal import recovery
from storage.journal.checkpoint import Checkpoint
from storage.journal.checkpoint_task import NoCheckpointer
from storage.journal.checkpointer import PATIENCE_SECONDS
from storage.journal.tip import Tip
from storage.location import Location
from storage.log_filter import EVERYTHING, LogFilter
from storage.machine import git_command
from storage.maintenance import Growth
from storage.objects.database import ObjectDatabase
from storage.objects.overlay import ObjectOverlay
from storage.plumbing.checked_git import CheckedGit
from storage.plumbing.refs import MAIN, Refs, is_repository
from storage.revisions import Revisions
from storage.shared import Shared
from storage.signatures import Person, Signature
from storage.snapshot import Snapshot
from storage.tags import Tag, Tags
from storage.transaction import Transaction
from storage.versions import Version
from storage.writer import Writer

T = TypeVar("T")


class Repository:
    """A repository that Bakehouse made. Threads may share one."""

    def __init__(self, location: Location, shared: Shared) -> None:
        """Open a repository; RepositoryNotFound or RepositoryDamaged if that is not possible."""
        self.name, self.path = self._location = location
        with location.explained():
            self.path.stat()
            if not is_repository(self.path):
                raise RepositoryDamaged(self.name, "its folder is not a git repository")
        self._objects = ObjectDatabase(location, shared.objects, shared.waits)
        self._git = CheckedGit(location)
        refs = Refs(location)
        self._branch = branch = shared.branch(refs)
        with location.explained():
            self._journal = journal = shared.open_journal(location)
            recovery.recover(branch, journal)

        objects, growth = self._objects, Growth()

        def maintain() -> None:
            shared.maintenance.consider(branch, journal, growth, objects.pack_count())

        self.branches = Branches(location, refs, objects, shared.branch_files)
        checkpoint = Checkpoint(branch, refs, objects, self._git, self.branches, growth.add, then=maintain)
        reopen = partial(Repository, location, replace(shared, checkpointer=NoCheckpointer()))

        def check(commit: CommitId) -> None:
            shared.check(Snapshot(objects, commit))

        self._tip = Tip(branch, journal, objects, checkpoint, shared.checkpointer, reopen, check)
        self._tags = Tags(refs, objects, self._tip, self.branches)
        self.fetches = Fetches(location, objects, self._tip, self._tags, refs)
        self._ancestry = Ancestry(self._tip, objects, self._git)
        self._revisions = Revisions(location, self._ancestry, self._tags)
        self.comparisons = Comparisons(objects, self._tip, self._git, self._ancestry, self._revisions)
        self._history = History(objects, self._ancestry, self._git, shared.versions)
        block_file = shared.block_file(location.folder)
        self.fields = FieldIndex(location, self._ancestry, self._revisions, self._history, shared.blocks, block_file)
        self.limits = shared.limits
        self._writer = Writer(objects, self._tip, shared.waits, shared.limits)

    @classmethod
    def init(cls, location: Location, change: Callable[[Transaction], object], limits: Limits) -> None:
        """Make a repository in a new folder, with `change` as its first commit."""
        location.folder.mkdir()
        try:
            git_command.run(location, "init", "--quiet", "--bare", "--template=", f"--initial-branch={MAIN}")
        except RepositoryDamaged as error:
            raise StorageUnavailable(location.name, "git cannot make a repository there") from error
        repository = cls(location, Shared(checkpointer=NoCheckpointer()))
        transaction = Transaction(ObjectOverlay(repository._objects), None, limits)
        change(transaction)
        with repository._journal.lock() as journal:
            journal.append(repository._journal.head(), transaction.records)
        repository.checkpoint()

    def identity(self) -> str:
        """Return a random id that stays with this repository wherever it is moved; it gets one if it has none."""
        return identity.ensure(self._location)

    def is_gone(self) -> bool:
        """Tell whether somebody removed the folder since it was opened, or put another in its place."""
        return self._tip.is_gone()

    def head(self) -> Snapshot:
        """Return the files of the repository as they are now."""
        with self._location.explained():
            return Snapshot(self._objects, self._tip.read())

    def at(self, commit: CommitId) -> Snapshot:
        """Return the files of the repository at a commit of its history."""
        self._revisions.position(commit)
        return Snapshot(self._objects, commit)

    def position(self, commit: CommitId) -> int:
        """Return how many commits of the history are before one; RevisionNotFound if it is not in the history."""
        return self._revisions.position(commit)

    def find(self, revision: str) -> CommitId:
        """Return the commit that a tag, an id or the start of an id means.

        Raises RevisionNotFound where the history has no such commit, RevisionAmbiguous where the start of an
        id could mean several. A tag comes before an abbreviation of the same letters.
        """
        return self._revisions.find(revision)

    def find_at(self, moment: datetime) -> CommitId:
        """Return the commit that was the tip at a moment; RevisionNotFound before the first commit."""
        return self._revisions.find_at(moment)

    def signature(self, commit: CommitId) -> Signature:
        """Return who made a commit, when, and the message."""
        _, data = self._objects.read(object_id(commit))
        try:
            return Signature.parse(data)
        except ValueError as error:
            raise RepositoryDamaged(self.name, f"the commit {commit} has no author") from error

    def versions(self, path: str, start: CommitId, before: CommitId | None = None) -> list[Version]:
        """Return the versions of a file, newest first, from a commit back.

        `before` is a commit: only commits older than it are returned.
        """
        last = self._revisions.newest(start, before)
        with self._location.explained():
            return [] if last < 0 else self._history.versions(path, self._ancestry.id_at(last))

    def versions_at(self, path: str, commits: Set[CommitId]) -> dict[CommitId, BlobId]:
        """Return the version of a file at those of some commits that are in the history and have the file."""
        present = self._revisions.among(commits)
        with self._location.explained():
            return self._history.at(path, present)

    def know_versions(self, paths: Sequence[str], start: CommitId) -> None:
        """Learn the versions of many files up to a commit at once, since each would take a git process."""
        self._revisions.position(start)
        with self._location.explained():
            self._history.know(paths, start)

    def versions_since(self, path: str, blob: BlobId, start: CommitId) -> Iterator[Version]:
        """Yield the versions of a file from the newest one that has a content, up to a commit, back to the first."""
        self._revisions.position(start)
        with self._location.explained():
            yield from self._history.since(path, blob, start)

    def last_changes(self, paths: Sequence[str], start: CommitId) -> dict[str, CommitId]:
        """Return the last commit up to a commit that changed, or deleted, each file; none for others."""
        return {path: self._ancestry.id_at(at) for path, at in self.last_positions(paths, start).items()}

    def last_positions(self, paths: Sequence[str], start: CommitId) -> dict[str, int]:
        """Return the positions of what `last_changes` returns: to find that of one id takes up to a millisecond."""
        self._revisions.position(start)
        with self._location.explained():
            return self._history.last_positions(paths, start)

    def log(
        self,
        start: CommitId,
        wanted: LogFilter = EVERYTHING,
        *,
        before: CommitId | None = None,
        limit: int = 20,
    ) -> list[LoggedCommit]:
        """Return commits from `start` back, newest first, with the files that each changed.

        `before` is a commit: only commits older than it are returned.
        """
        newest = self._revisions.newest(start, before)
        with self._location.explained():
            return list(self._history.log(wanted, newest=newest, limit=limit))

    def tags(self) -> list[Tag]:
        """Return the tags on commits of the history, by name."""
        with self._location.explained():
            self._refuse_unknown_layout()
            found = self._tags.all()
        present = self._revisions.among({tag.commit for tag in found})
        return [tag for tag in found if tag.commit in present]

    def tag(self, name: str) -> Tag | None:
        """Return a tag, or None if no commit of the history has a tag of that name."""
        self._refuse_unknown_layout()
        return self._revisions.tag(name)

    def create_tag(self, name: str, commit: CommitId, tagger: Person, message: str, reason: str | None = None) -> Tag:
        """Put an annotated tag on a commit of the history, durably, as `Tags.create` does."""
        self._revisions.position(commit)
        with self._location.explained():
            tag = self._tags.create(name, commit, tagger, message, reason)
        with suppress(StorageError):  # git sees the tag at once, or else when the checkpointer tries again
            self._tip.checkpoint(PATIENCE_SECONDS)
        return tag

    def refuse_branch(self, name: str, tip: Snapshot | Transaction) -> None:
        """Raise TagExists, NameTaken or BranchExists where a new file may not stand for a branch of a name."""
        self._tags.refuse(name)
        self.branches.refuse(name, tip, self._tip.pending_branch_files())

    def _refuse_unknown_layout(self) -> None:
        with self._location.explained(), suppress(RepositoryDamaged):  # damage elsewhere is no reason to refuse
            self._tip.read()

    def transact(self, change: Callable[[Transaction], T]) -> T:
        """Run `change` on the tip, alone; return its result once what it committed is durable.

        It may be called together with other threads' changes, before one flush, and once more where
        another program has moved the branch; if it raises, nothing of it is kept.
        """
        return self._writer.submit(change)

    def checkpoint(self, seconds: float | None = None) -> None:
        """Put all that was committed into git's own files; StorageUnavailable where others hold these for `seconds`."""
        self._tip.checkpoint(seconds)

    def maintain(self, *, always: bool) -> tuple[int, int] | None:
        """Run maintenance beside readers and writers; return the bytes before and after, or None where none is due."""
        self.checkpoint()
        self._tip.put_branches()
        with self._location.explained():
            self._refuse_unknown_layout()
            is_due = always or maintenance.is_due(self._branch)
            return maintenance.maintain(self._branch, self._journal) if is_due else None
