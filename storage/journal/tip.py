"""Which commit a repository is at: the last that was answered, by whatever process.

That is the last commit in the journal, or where the journal has none the branch, as git has it.
"""

import threading
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from storage.errors import RepositoryDamaged, StorageUnavailable
from storage.ids import CommitId, ObjectId, object_id
from storage.journal.checkpoint import Checkpoint
from storage.journal.checkpoint_task import CheckpointTask
from storage.journal.checkpointer import Checkpointable, Checkpointer
from storage.journal.interface import Journal, LockedJournal
from storage.journal.known import Known
from storage.journal.records import CommitRecord, Record
from storage.objects.database import ObjectDatabase
from storage.objects.overlay import ObjectOverlay
from storage.objects.pending import PendingObjects
from storage.plumbing.branch import Branch
from storage.plumbing.commits import CommitHeader


@dataclass(frozen=True, slots=True)
class LockedTip:
    """A repository that no other thread or process can change meanwhile; `commit` is where it is."""

    commit: CommitId
    known: Known
    journal: LockedJournal


class Tip:
    """The commit that a repository is at. Threads may share one."""

    def __init__(
        self,
        branch: Branch,
        journal: Journal,
        objects: ObjectDatabase,
        checkpoint: Checkpoint,
        checkpointer: Checkpointer,
        reopen: Callable[[], Checkpointable],
        check: Callable[[CommitId], None],
    ) -> None:
        """Follow a journal; `checkpointer` may `reopen` the repository for a checkpoint in the background.

        `check` is called with each commit that the repository comes to, before anybody reads it or writes on top of
        it, and raises LayoutUnknown where nobody may.
        """
        self._branch = branch
        self._journal = journal
        self._objects = objects
        self._checkpoint = checkpoint
        self._checkpointer = checkpointer
        self._task = CheckpointTask(branch.location, weakref.ref(self), reopen)
        self._check = check
        self._checked: CommitId | None = None
        self._lock = threading.Lock()
        self._known: Known | None = None
        self._is_damaged = False  # whether the last checkpoint found damage

    @property
    def name(self) -> str:
        """The repository's name."""
        return self._branch.location.name

    @property
    def lock_key(self) -> str:
        """The name under which the bounds of waiting count those who wait for `lock`."""
        return self._journal.key

    def is_gone(self) -> bool:
        """Tell whether somebody removed the repository, or put another in its place."""
        return self._journal.is_gone()

    def read(self) -> CommitId:
        """Return the commit that the repository is at; this waits for no writer."""
        return self._commit_of(self._catch_up())

    def in_git(self) -> CommitId:
        """Return the last commit that git's own files have."""
        tip = self._branch.read()
        self._objects.refresh()
        return tip

    def pending_tags(self) -> Mapping[str, ObjectId]:
        """Return the tags that only the journal is known to have, by name."""
        return self._catch_up().tags

    def pending_branch_files(self) -> Collection[str]:
        """Return the files that only the journal is known to have changed, and that stand for branches."""
        return self._catch_up().branch_files

    @contextmanager
    def lock(self, seconds: float | None = None) -> Iterator[LockedTip]:
        """Hold the repository, against every other thread and process, to write to it.

        A journal that is full is checkpointed first. If the last checkpoint found damage, another is tried first,
        which raises RepositoryDamaged until the damage is repaired. Raises StorageUnavailable where somebody else
        holds the repository for `seconds`.
        """
        with self._branch.location.explained(), self._journal.lock(seconds) as journal:
            known = self._catch_up()
            if known.position.is_full or self._objects.pending.is_full or self._is_damaged:
                known = self._checkpoint_all(journal, known)
            yield LockedTip(self._commit_of(known), known, journal)

    def append(self, locked: LockedTip, records: Sequence[Record], new: PendingObjects) -> None:
        """Add records to the journal, durably, and with them the repository's new objects.

        Nothing has changed where this fails. While the journal has records, git's lock on the branch is held:
        git by hand waits for the lock, or gives up.
        """
        known = locked.known
        was_empty = known.position.is_empty
        if was_empty:
            self._branch.lock(locked.commit)
        elif not self._branch.is_locked_by_us():  # a power loss, or an operator, has removed the lock
            self._branch.lock(self._branch.find())
        try:
            with self._lock:  # otherwise another thread would read these records as if another process had written them
                position = locked.journal.append(known.position, records)
                self._objects.pending.merge(new)
                self._known = known.extended(position, records, self._checkpoint.branches.among)
        except BaseException:
            if was_empty and self._journal.head().is_empty:
                # Otherwise other processes may have seen these records, and the lock must stay.
                self._branch.unlock()
            raise
        self._checkpointer.schedule(self._task)

    def checkpoint(self, seconds: float | None = None) -> None:
        """Put what the journal has into git's own files, durably.

        Raises StorageUnavailable where somebody else holds the repository for `seconds`, by default
        those of this process.
        """
        with self._branch.location.explained():
            if self._journal.head().is_empty:
                return
            with self._journal.lock(seconds) as journal:
                known = self._catch_up()
                if not known.position.is_empty:
                    self._checkpoint_all(journal, known)
        self._checkpoint.then()

    def put_branches(self) -> None:
        """Put the branches of all files where the files say: somebody may have changed one of the two by hand."""
        with self.lock() as locked:
            if locked.known.position.is_empty:  # otherwise git may not have the commits yet, and a checkpoint follows
                self._checkpoint.branches.put(locked.commit)

    def _checkpoint_all(self, journal: LockedJournal, known: Known) -> Known:
        """Make a checkpoint; the journal forgets its records only when git's files have them, durably."""
        self._is_damaged = True  # unless the lines below say otherwise; any other error is a reason to look again
        try:
            self._checkpoint.write(known.commits, known.tags, known.branch_files)
        except (OSError, MemoryError, StorageUnavailable):
            self._is_damaged = False  # a full disk, say: the journal goes on until it is full, too
            raise
        self._is_damaged = False
        position = journal.checkpointed(known.position)
        with suppress(OSError):  # a lock of ours is removed by the next writer, or when the repository is opened
            self._branch.unlock()
        with self._lock:
            self._drop_checkpointed()
            self._known = Known(position)
            return self._known

    def _commit_of(self, known: Known) -> CommitId:
        """Return the commit that the repository is at, where so much is known of its journal."""
        commit = known.commit or self.in_git()
        if commit != self._checked:
            with suppress(RepositoryDamaged):  # whoever reads what is damaged gets the error, and says what it is
                self._check(commit)
                self._checked = commit
        return commit

    def _catch_up(self) -> Known:
        """Take over what other processes appended, and note what they checkpointed."""
        known = self._known
        if known is not None and self._journal.head() == known.position:
            return known
        with self._lock:
            known = self._known
            records, end, restarted = self._journal.read(None if known is None else known.position)
            if known is None or restarted:
                known = Known(end)
            overlay = ObjectOverlay(self._objects)
            for record in records:
                self._replay(record, overlay)
            if restarted and self._known is not None:
                self._drop_checkpointed()
            self._objects.pending.merge(overlay.new)
            self._known = known = known.extended(end, records, self._checkpoint.branches.among)
        if records:
            self._checkpointer.schedule(self._task)
        return known

    def _drop_checkpointed(self) -> None:
        """Forget what git's own files have by now."""
        self._objects.drop_pending()
        self._objects.refresh()
        self._checkpointer.cancel(self._task)

    def _replay(self, record: Record, overlay: ObjectOverlay) -> None:
        """Make the objects anew that the writer of a record had."""
        if not isinstance(record, CommitRecord):
            overlay.new.add(record.tag)
            return
        commit = CommitHeader.parse(record.commit.data)
        root = None if commit.parent is None else overlay.header(object_id(commit.parent)).tree
        for file in record.files.values():
            if file is not None:
                overlay.new.add(file)
        if overlay.edit(root, record.files, check_case=False) != commit.tree:
            raise RepositoryDamaged(self.name, "a commit in its journal is not what its files make")
        overlay.new.add(record.commit)
