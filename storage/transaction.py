"""Changing a repository: one writer at a time, many writers a flush."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from git import Actor

from storage import disk, recovery
from storage.commits import CommitHeader
from storage.errors import NameTaken, explained
from storage.objects import ObjectDatabase
from storage.refs import Branch
from storage.snapshot import File, Snapshot
from storage.trees import FOLDER, Tree

T = TypeVar("T")


class Transaction:
    """The tip of a repository, and what one caller wants changed on it.

    Reads see the caller's own writes, and those of the transactions before it.
    """

    def __init__(self, objects: ObjectDatabase, tip: str | None) -> None:
        """Start at the commit `tip`, or in a new repository at none."""
        self.tip = tip
        self._objects = objects
        self._base = None if tip is None else Snapshot(objects, tip)
        self._writes: dict[str, File | None] = {}
        self._reads: dict[str, File | None] = {}

    @property
    def name(self) -> str:
        """The repository's name."""
        return self._objects.name

    def read(self, path: str) -> File | None:
        """Return the file at a path such as `targets/a.yml`, or None."""
        if path in self._writes:
            return self._writes[path]
        if path not in self._reads:  # a batch reads the same template again and again
            self._reads[path] = self._base.read(path) if self._base else None
        return self._reads[path]

    def blob(self, blob_id: str) -> bytes:
        """Return the content of a blob (40 hex digits) that the history names; else RepositoryDamaged."""
        return self._objects.named_blob(blob_id)

    def list(self, folder: str) -> list[str]:
        """Return the names in a folder, with the caller's own writes."""
        names = set(self._base.list(folder)) if self._base else set()
        for path, file in self._writes.items():
            parent, _, name = path.rpartition("/")
            if parent == folder:
                names.discard(name) if file is None else names.add(name)
        return sorted(names)

    def write(self, path: str, data: bytes) -> str:
        """Put a file at a path, and return its blob id (40 hex digits)."""
        blob_id = self._objects.add("blob", data).hex()
        self._writes[path] = File(blob_id, data)
        return blob_id

    def remove(self, path: str) -> None:
        """Take the file at a path away."""
        self._writes[path] = None

    def commit(self, message: str, author: Actor) -> str:
        """Commit what was written, and return the commit's id (40 hex digits).

        Raises NameTaken if a folder would hold two names that differ only in case. Where nothing
        differs from the tip, that is the tip's. The commit counts once the repository's tip has
        moved to it, which `Repository.transact` does after the change returns.
        """
        root = self._apply(self._base.root if self._base else None, self._writes)
        if self._base is None or root != self._base.root:
            self.tip = self._add_commit(root, message, author)
            self._base = Snapshot(self._objects, self.tip)
        self._writes, self._reads = {}, {}
        return self._base.commit

    def _apply(self, folder_id: bytes | None, writes: Mapping[str, File | None]) -> bytes:
        tree = Tree() if folder_id is None else self._objects.tree(folder_id)
        here: dict[str, bytes | None] = {}
        below: dict[str, dict[str, File | None]] = defaultdict(dict)
        for path, file in writes.items():
            name, _, rest = path.partition("/")
            if rest:
                below[name][rest] = file
            else:
                here[name] = None if file is None else bytes.fromhex(file.id)
        clash = tree.other_case([name for name, blob_id in here.items() if blob_id is not None])
        if clash is not None:
            raise NameTaken(*clash)
        if here:
            tree = tree.splice(*next(iter(here.items()))) if len(here) == 1 else tree.update(here)
        for name, nested in below.items():
            child = self._apply(tree.find(name, FOLDER), nested)
            tree = tree.splice(name, child if self._objects.tree(child).keys else None, FOLDER)
        return self._objects.add_tree(tree)

    def _add_commit(self, root: bytes, message: str, author: Actor) -> str:
        parent, now = None, int(time.time())
        if self._base is not None:
            parent = self._base.commit
            now = max(now, self._base.time)  # a clock that jumped back must not reorder history
        header = CommitHeader(root, parent, now)
        return self._objects.add("commit", header.serialize(author, message)).hex()


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A change whose caller waits for its answer."""

    change: Callable[[Transaction], Any]
    answer: Future[Any]


class Writer:
    """The queue before one repository's lock."""

    def __init__(self, objects: ObjectDatabase, branch: Branch) -> None:
        self._objects = objects
        self._branch = branch
        self._queue: list[_Waiting] = []
        self._state = threading.Condition()
        self._leading = False

    def submit(self, change: Callable[[Transaction], T]) -> T:
        """Run a change on the tip, make what it committed durable, and return its result.

        Whoever finds nobody at work leads: takes the lock, then all that wait by then, and
        answers them after one flush. An exception of a change is its own caller's alone.
        """
        mine = _Waiting(change, Future())
        with self._state:
            self._queue.append(mine)
            self._state.wait_for(lambda: mine.answer.done() or not self._leading)
            if mine.answer.done():
                return mine.answer.result()  # type: ignore[no-any-return]
            self._leading = True
        try:
            self._lead()
        finally:
            with self._state:
                self._leading = False
                self._state.notify_all()
        return mine.answer.result()  # type: ignore[no-any-return]

    def _lead(self) -> None:
        group: list[_Waiting] = []
        try:
            with (
                explained(self._branch.name, self._branch.git_folder),
                disk.exclusive(self._branch.git_folder),
            ):
                group = self._take_queue()
                answers = self._commit_all([waiting.change for waiting in group])
        except BaseException as error:
            self._objects.discard()
            answers = [error] * len(group := group or self._take_queue())
        for waiting, answer in zip(group, answers, strict=True):
            if isinstance(answer, BaseException):
                waiting.answer.set_exception(answer)
            else:
                waiting.answer.set_result(answer)

    def _take_queue(self) -> list[_Waiting]:
        with self._state:
            group, self._queue = self._queue, []
        return group

    def _commit_all(self, changes: list[Callable[[Transaction], Any]]) -> list[Any]:
        """Return each change's result or exception, once all that they committed is durable."""
        tip = reached = self._branch.read()
        self._objects.refresh(tip)
        answers: list[Any] = []
        for change in changes:
            transaction = Transaction(self._objects, reached)
            staged = self._objects.staged()
            try:
                answers.append(change(transaction))
            except Exception as error:
                self._objects.discard(keep=staged)
                answers.append(error)
            else:
                if transaction.tip == reached:
                    self._objects.discard(keep=staged)
                reached = transaction.tip or tip
        if reached != tip:
            self._advance(tip, reached)
        return answers

    def _advance(self, tip: str, reached: str) -> None:
        """Make what is staged durable and move the branch to it, or undo all of it.

        The lock names the flush before there is one: whoever finds the lock of a process that
        was killed knows which pack was never answered.
        """
        try:
            self._branch.lock(reached)
        except FileExistsError:
            recovery.clear_killed(self._branch, self._objects)
            self._branch.lock(reached)
        try:
            self._objects.flush(reached)
            self._branch.move(tip)
        except BaseException:
            try:
                self._objects.take_back(reached)
            finally:
                self._branch.unlock()
            raise
