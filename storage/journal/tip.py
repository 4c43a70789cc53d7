"""Which commit a repository is at: the last that was answered, by whatever process.

That is the branch, as git has it, where the journal is empty, and else what its last record commits.
"""

import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

from storage.errors import RepositoryDamaged, StorageError, explained
from storage.journal.checkpoint_task import CheckpointTask
from storage.journal.checkpointer import Checkpointable
from storage.journal.file_engine import Journal, OpenJournal
from storage.journal.frames import Record
from storage.journal.header import Mark
from storage.objects.database import ObjectDatabase
from storage.plumbing.branch import Branch
from storage.plumbing.checked_git import CheckedGit
from storage.plumbing.commits import CommitHeader
from storage.plumbing.refs import BRANCH
from storage.shared import Shared


class _Known(NamedTuple):
    """How far this process followed the journal, and the commit of the last record, if there is any."""

    mark: Mark
    commit: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn to write, which nobody else has meanwhile; `commit` is where the repository is."""

    commit: str
    journal: OpenJournal
    mark: Mark


class Tip:
    """The commit that a repository is at. Threads may share one."""

    def __init__(
        self,
        branch: Branch,
        journal: Journal,
        objects: ObjectDatabase,
        shared: Shared,
        git: CheckedGit,
        reopen: Callable[[], Checkpointable],
    ) -> None:
        self._branch = branch
        self._journal = journal
        self._objects = objects
        self._checkpointer = shared.checkpointer
        self._unpublished = CheckpointTask(branch.git_folder, branch.name, weakref.ref(self), reopen)
        self._maintenance = shared.maintenance
        self._git = git
        self._lock = threading.Lock()
        self._known = _Known(Mark(b"", 0, 0, 0), None)
        self._line: list[str] = []  # the commits of the journal, after the one that they follow

    @property
    def name(self) -> str:
        """The repository's name."""
        return self._branch.name

    @property
    def lock_path(self) -> str:
        """The file whose lock a writer holds."""
        return self._journal.path

    def is_gone(self) -> bool:
        """Tell whether a hand removed the repository, or put another in its place."""
        return self._journal.is_gone()

    def read(self) -> str:
        """Return the commit (40 hex digits); it waits for no writer."""
        journal, known = self._journal.opened(), self._known
        if journal.mark() != known.mark:
            known = self._follow(journal)
        return known.commit or self.published()

    def published(self) -> str:
        """Return the last commit (40 hex digits) that git's own files have."""
        tip = self._branch.read()
        self._objects.refresh()
        return tip

    @contextmanager
    def turn(self, seconds: float | None = None) -> Iterator[Turn]:
        """Hold the repository, against every other thread and process, to write to it.

        Raises StorageUnavailable where somebody else holds it for so many seconds.

        What the journal has no room for is published first, and what somebody only began to publish.
        """
        with explained(self.name, self._branch.git_folder), self._journal.exclusive(seconds) as journal:
            known = self._follow(journal)
            mark = known.mark
            if known.commit and (mark.begun or mark.is_large or self._objects.unpacked.is_full):
                known = self._empty(journal, known)
            yield Turn(known.commit or self.published(), journal, known.mark)

    def advance(self, turn: Turn, commit: str, records: Sequence[Record]) -> None:
        """Move on to a commit, which the records lead to, durably; nothing has changed if that fails.

        While the journal has any, and nobody has begun to publish, git's lock on the branch is held:
        git waits for it, or gives up.
        """
        if turn.mark.is_empty:
            self._branch.lock(turn.commit)
        try:
            with self._lock:
                mark = turn.journal.append(turn.mark, records)
                self._objects.unpacked.keep()
                self._line = [turn.commit] if turn.mark.is_empty else self._line
                self._line += [record.commit.id.hex() for record in records]
                self._known = _Known(mark, commit)
        except BaseException:
            if turn.mark.is_empty and turn.journal.mark().is_empty:  # else it was told of
                self._branch.unlock()
            raise
        self._checkpointer.schedule(self._unpublished)

    def checkpoint(self, seconds: float | None = None) -> None:
        """Put what the journal has into git's own files, durably.

        Raises StorageUnavailable where somebody else holds the repository for so many seconds, by default
        those of this process.
        """
        with explained(self.name, self._branch.git_folder):
            if self._journal.mark().is_empty:
                return
            with self._journal.exclusive(seconds) as journal:
                known = self._follow(journal)
                if known.commit:
                    self._empty(journal, known)
        self._maintenance.consider(self._branch, self._objects.pack_count())

    def _follow(self, journal: OpenJournal) -> _Known:
        """Take note of what other processes committed, and of what they published."""
        with self._lock:
            while True:
                mark, known = journal.mark(), self._known
                if mark == known.mark:
                    return known
                if mark.generation != known.mark.generation or mark.end < known.mark.end:
                    self._forget(journal, known.mark)
                    self._known = known = _Known(mark.start, None)
                records = journal.between(known.mark, mark)
                if records is not None:
                    break
                if journal.mark() == mark:  # else it was emptied meanwhile, and begun anew
                    raise journal.damage()
            line = list(self._line)
            for record in records:
                parent = self._replay(record)
                line += [record.commit.id.hex()] if line else [parent, record.commit.id.hex()]
            self._line = line
            self._known = _Known(mark, line[-1] if line else None)
        if records:
            self._checkpointer.schedule(self._unpublished)
        return self._known

    def _forget(self, journal: OpenJournal, until: Mark) -> None:
        """Take note that git's own files have what the journal held, of which this process followed some.

        The rest is taken up as well where it can be had: else git is asked for it, object by object.
        """
        with suppress(StorageError):
            for record in journal.rest(until):
                self._replay(record)
        self._objects.packed()
        self._objects.refresh()
        self._line = []
        self._checkpointer.cancel(self._unpublished)

    def _replay(self, record: Record) -> str:
        """Make of a record what its writer had; return the commit that it follows."""
        commit = CommitHeader.parse(record.commit.data)
        parent = str(commit.parent)
        before = self._objects.commit(bytes.fromhex(parent))
        try:
            for file in record.files.values():
                if file is not None:
                    self._objects.unpacked.stage(file)
            if self._objects.edit(before.tree, record.files, admitted=True) != commit.tree:
                raise RepositoryDamaged(self.name, "a commit in its journal is not what its files make")
        except BaseException:
            self._objects.unpacked.discard()
            raise
        self._objects.unpacked.stage(record.commit)
        self._objects.unpacked.keep()
        return parent

    def _empty(self, journal: OpenJournal, known: _Known) -> _Known:
        """Publish what the journal has: the objects first, then the branch, and only then forget it.

        Each step is durable before the next, and may be done again.
        """
        with self._lock:
            mark = journal.tell(known.mark._replace(begun=True))
            self._known = _Known(mark, known.commit)
        commit, branch = self._line[-1], self._branch.read()
        if branch in self._line[:-1]:
            if known.mark.begun:
                self._branch.lock_again(branch)
            with self._objects.pack(commit):
                self._branch.move(commit)
        elif self._git.is_ancestor(
            commit, BRANCH
        ):  # it was published, and a hand may have gone on from there
            self._branch.sync()
        else:
            raise RepositoryDamaged(self.name, "its branch was moved while Bakehouse held git's lock on it")
        emptied = journal.empty(mark)
        with self._lock:
            self._objects.packed()
            self._line = []
            self._known = _Known(emptied, None)
        return self._known
