"""One bare git repository: its tip, what lies in it, and the way to change it."""

import re
import subprocess
import weakref
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, TypeVar

import git

from storage import maintenance
from storage.ancestry import Line
from storage.errors import (
    RepositoryDamaged,
    RevisionAmbiguous,
    RevisionNotFound,
    StorageUnavailable,
    explained,
)
from storage.history import EVERYTHING, History, LogFilter, LoggedCommit
from storage.journal import recovery
from storage.journal.checkpoint_task import NoCheckpointer
from storage.journal.file_engine import Journal
from storage.journal.tip import Tip
from storage.machine import git_command
from storage.objects.database import ObjectDatabase, end_git
from storage.plumbing import transport
from storage.plumbing.branch import Branch
from storage.plumbing.checked_git import CheckedGit
from storage.plumbing.refs import BRANCH, Refs, is_repository
from storage.plumbing.transport import Upload
from storage.shared import Shared
from storage.signatures import Person, Signature
from storage.snapshot import Snapshot
from storage.tags import Tag, Tags
from storage.transaction import Transaction, Writer
from storage.versions import Version

T = TypeVar("T")

_WHOLE_ID = re.compile(r"[0-9a-f]{40}")
_ABBREVIATION = re.compile(r"[0-9a-f]{4,40}")


class Repository:
    """A repository that Bakehouse made. Threads may share one."""

    def __init__(self, name: str, path: Path, shared: Shared) -> None:
        """Open the repository at `path`; RepositoryNotFound or RepositoryDamaged if it cannot be."""
        self.name = name
        self.path = path
        with explained(name, path):
            path.stat()
            if not is_repository(path):
                raise RepositoryDamaged(name, "its folder is not a git repository")
        command = git.Git(path)  # `git.Repo` would read git's configuration, too: 0.25 ms
        command.update_environment(**git_command.environment())
        self._objects = ObjectDatabase(name, path, command, shared.objects, shared.waits)
        # ends `cat-file`, whatever order things go in; a snapshot may read longer than this is open
        weakref.finalize(self._objects, end_git, command)
        refs = Refs(name, path)
        self._branch = Branch(refs)
        self._tags = Tags(refs, self._objects)
        self._git = CheckedGit(name, path)
        journal = Journal(name, path, shared.waits)
        with explained(name, path):
            recovery.recover(self._branch, journal)
        reopen = partial(Repository, name, path, replace(shared, checkpointer=NoCheckpointer()))
        self._tip = Tip(self._branch, journal, self._objects, shared, self._git, reopen)
        self._line = Line(self._tip, self._objects, self._git)
        self._history = History(self._objects, self._line, self._git, shared.versions)
        self._writer = Writer(self._objects, self._tip, shared.waits)

    @classmethod
    def init(cls, name: str, path: Path, change: Callable[[Transaction], object]) -> None:
        """Make a repository in a new folder, with `change` as its first commit."""
        path.mkdir()
        branch = Path(BRANCH).name
        try:  # `git.Repo.init` would look at it, and not say what the system refuses
            git_command.run(
                name, path, "init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}"
            )
        except RepositoryDamaged as error:
            raise StorageUnavailable(name, "git cannot make a repository there") from error
        repository = cls(name, path, Shared())
        transaction = Transaction(repository._objects, None)
        change(transaction)
        repository._objects.unpacked.keep()
        with repository._objects.pack(str(transaction.tip)):
            repository._branch.move(str(transaction.tip))

    def is_gone(self) -> bool:
        """Tell whether a hand removed its folder since it was opened, or put another in its place."""
        return self._tip.is_gone()

    def head(self) -> Snapshot:
        """Return what lies in the repository now."""
        with explained(self.name, self.path):
            return Snapshot(self._objects, self._tip.read())

    def at(self, commit: str) -> Snapshot:
        """Return what lay in the repository at a commit (40 hex digits) of its history."""
        self._position(commit)
        return Snapshot(self._objects, commit)

    def find(self, revision: str) -> str:
        """Return the commit (40 hex digits) that a tag, an id or the start of one means.

        Raises RevisionNotFound where the history has none such, RevisionAmbiguous where an
        abbreviation could mean several. A tag comes before an abbreviation of the same letters.
        """
        tip = self._reach()
        if revision in (Path(BRANCH).name, "HEAD"):
            return tip
        if not _WHOLE_ID.fullmatch(revision):
            tag = self.tag(revision)
            if tag is not None:
                return tag.commit
        digits = revision.lower()
        found = self._line.starting_with(digits) if _ABBREVIATION.fullmatch(digits) else []
        if not found:
            raise RevisionNotFound(self.name, revision, "no tag or commit of its history is called so")
        if len(found) > 1:
            raise RevisionAmbiguous(self.name, revision, len(found))
        return found[0]

    def find_at(self, moment: datetime) -> str:
        """Return the commit that was the tip at a moment; RevisionNotFound before there was any."""
        self._reach()
        count = self._line.before(moment.timestamp())
        if not count:
            began = datetime.fromtimestamp(self._line.time(0), UTC).isoformat()
            raise RevisionNotFound(self.name, moment.isoformat(), f"it began at {began}")
        return self._line.commit(count - 1)

    def signature(self, commit: str) -> Signature:
        """Return who made a commit (40 hex digits) of its history, when, and what they said."""
        _, data = self._objects.read(bytes.fromhex(commit))
        try:
            return Signature.parse(data)
        except ValueError as error:
            raise RepositoryDamaged(self.name, f"the commit {commit} has no author") from error

    def versions(self, path: str, start: str, before: str | None = None) -> list[Version]:
        """Return what became of a file, newest first, from a commit (40 hex digits) back.

        `before` is a commit: only commits older than it are returned.
        """
        last = self._last(start, before)
        with explained(self.name, self.path):
            return [] if last < 0 else self._history.versions(path, self._line.commit(last))

    def log(
        self,
        start: str,
        wanted: LogFilter = EVERYTHING,
        *,
        before: str | None = None,
        limit: int = 20,
    ) -> list[LoggedCommit]:
        """Return commits from `start` back, newest first, with the files that each changed.

        `before` is a commit: only commits older than it are returned.
        """
        newest = self._last(start, before)
        with explained(self.name, self.path):
            return list(self._history.log(wanted, newest=newest, limit=limit))

    def diff(self, old: tuple[str, str], new: tuple[str, str]) -> str:
        """Return git's own text of how two files differ, each a commit and a path in it."""
        sides = [f"{commit}:{path}" for commit, path in (old, new)]
        options = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
        with explained(self.name, self.path):
            is_published = all(self._position(commit) <= self._line.published() for commit, _ in (old, new))
        if not is_published:
            self.checkpoint()
        return self._git.ask("diff", *options, *sides, "--")

    def is_submodule(self, commit: str, path: str) -> bool:
        """Tell whether a path is one at a commit of the history, or was at the commit before."""
        position = self._position(commit)
        commits = (self._line.commit(at) for at in range(max(0, position - 1), position + 1))
        return any(Snapshot(self._objects, found).is_submodule(path) for found in commits)

    def tags(self) -> list[Tag]:
        """Return the tags on commits of the history, by name."""
        with explained(self.name, self.path):
            found = self._tags.all()
        return [tag for tag in found if self._is_reached(tag.commit)]

    def tag(self, name: str) -> Tag | None:
        """Return a tag, or None if there is none of that name on a commit of the history."""
        with explained(self.name, self.path):
            tag = self._tags.read(name)
        return tag if tag and self._is_reached(tag.commit) else None

    def create_tag(self, name: str, commit: str, tagger: Person, message: str) -> Tag:
        """Put an annotated tag on a commit of the history, durably; TagExists where there is one."""
        self._position(commit)
        self.checkpoint()
        with self._tip.turn():
            return self._tags.create(name, commit, tagger, message)

    def _reach(self) -> str:
        """Bring the line of commits up to the tip, and return it."""
        with explained(self.name, self.path):
            return self._line.reach()

    def _last(self, start: str, before: str | None) -> int:
        last = self._position(start)
        return last if before is None else min(last, self._position(before) - 1)

    def _position(self, commit: str) -> int:
        if not self._is_reached(commit):
            raise RevisionNotFound(self.name, commit, "no branch leads there")
        position = self._line.position(commit)
        assert position is not None
        return position

    def _is_reached(self, commit: str) -> bool:
        if self._line.position(commit) is None:
            self._reach()
        return self._line.position(commit) is not None

    def transact(self, change: Callable[[Transaction], T]) -> T:
        """Run `change` on the tip, alone; return its result once what it committed is durable.

        It may be called together with other threads' changes, before one flush, and once more where
        another program has moved the branch; if it raises, nothing of it is kept.
        """
        return self._writer.submit(change)

    def checkpoint(self, seconds: float | None = None) -> None:
        """Put all that was committed into git's own files, as the checkpointer does soon after each commit.

        Raises StorageUnavailable where somebody else holds the repository for so many seconds.
        """
        self._tip.checkpoint(seconds)

    def maintain(self, *, always: bool) -> bool:
        """Bring it into shape, beside readers and writers, if it needs that; tell whether it did."""
        self.checkpoint()
        with explained(self.name, self.path):
            due = always or maintenance.is_due(self._branch)
            if due:
                maintenance.maintain(self._branch)
        return due

    def advertise_refs(self, protocol: str) -> bytes:
        """Return the first answer to a `git clone` or `git fetch`; `protocol` is `Git-Protocol`."""
        self.checkpoint()
        self.head()  # git takes a branch that cannot be read for none, and the repository for empty
        with explained(self.name, self.path):
            self._tags.all()  # and it leaves out a tag that cannot be read
            try:
                return transport.advertise_refs(self.path, protocol)
            except subprocess.CalledProcessError as error:
                raise RepositoryDamaged(self.name, "git cannot list its refs") from error

    def upload_pack(self, protocol: str, request: IO[bytes]) -> Upload:
        """Return the answer to a request for objects: a file at its start, which is closed here.

        Closing the answer early ends the git process that it comes from.
        """
        with request, explained(self.name, self.path):
            self.checkpoint()
            return transport.upload_pack(self.path, protocol, request)
