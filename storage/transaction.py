"""Changing a repository: one writer at a time, many writers a flush."""

import threading
import time
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from storage.errors import BranchMoved, StorageUnavailable
from storage.journal.frames import Record
from storage.journal.tip import Tip, Turn
from storage.objects.database import ObjectDatabase
from storage.plumbing.commits import CommitHeader
from storage.plumbing.packs import GitObject
from storage.signatures import Person
from storage.snapshot import File, Snapshot
from storage.waits import PAUSE, Waits

T = TypeVar("T")


class Transaction:
    """The tip of a repository, and what one caller wants changed on it.

    Reads see the caller's own writes, and those of the transactions before it.
    """

    def __init__(self, objects: ObjectDatabase, tip: str | None) -> None:
        """Start at the commit `tip`, or in a new repository at none."""
        self.tip = tip
        self.records: list[Record] = []
        self._objects = objects
        self._base = None if tip is None else Snapshot(objects, tip)
        self._writes: dict[str, GitObject | None] = {}
        self._reads: dict[str, File | None] = {}

    @property
    def name(self) -> str:
        """The repository's name."""
        return self._objects.name

    def read(self, path: str) -> File | None:
        """Return the file at a path such as `targets/a.yml`, or None."""
        if path in self._writes:
            written = self._writes[path]
            return None if written is None else File(written.id.hex(), written.data)
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
        self._writes[path] = blob = self._objects.unpacked.stage(GitObject.of("blob", data))
        return blob.id.hex()

    def remove(self, path: str) -> None:
        """Take the file at a path away."""
        self._writes[path] = None

    def commit(self, message: str, author: Person) -> str:
        """Commit what was written, and return the commit's id (40 hex digits).

        Raises NameTaken if a folder would hold two names that differ only in case. Where nothing
        differs from the tip, that is the tip's. The commit counts once the repository's tip has
        moved to it, which `Repository.transact` does after the change returns.
        """
        root = self._objects.edit(self._base.root if self._base else None, self._writes)
        if self._base is None or root != self._base.root:
            header = self._header(root)
            commit = GitObject.of("commit", header.serialize(author, message))
            self.records.append(Record(self._objects.unpacked.stage(commit), self._writes))
            self.tip = commit.id.hex()
            self._base = Snapshot(self._objects, self.tip, header)
        self._writes, self._reads = {}, {}
        return self._base.commit

    def _header(self, root: bytes) -> CommitHeader:
        now = int(time.time())
        if self._base is None:
            return CommitHeader(root, None, now)
        # a clock that jumped back must not reorder history
        return CommitHeader(root, self._base.commit, max(now, self._base.time))


class _Waiting:
    """A change whose caller waits for its answer.

    Nothing else holds the answer. An exception leads to the frames that it went through, and to those that
    called them: if one of them held it, both would stay until the garbage collector comes, with all
    that the change had read and written.
    """

    __slots__ = ("answer", "change", "leads", "started", "turn")

    def __init__(self, change: Callable[[Transaction], Any]) -> None:
        self.change = change
        self.answer: Any = None  # or the exception to raise
        self.leads = False
        self.started = monotonic()
        self.turn = threading.Lock()  # held until the caller is answered, or is to lead
        self.turn.acquire()

    @property
    def waited(self) -> float:
        """How many seconds the caller has waited so far."""
        return monotonic() - self.started

    def attempt(self, transaction: Transaction) -> bool:
        """Run the change, and tell whether it went well."""
        try:
            self.answer = self.change(transaction)
        except Exception as error:
            self.answer = error
            return False
        return True

    def take(self) -> Any:
        """Return the answer, or raise it, once."""
        answer, self.answer = self.answer, None
        try:
            if isinstance(answer, BaseException):
                raise answer
            return answer
        finally:
            del answer


class Writer:
    """The queue before one repository's lock."""

    def __init__(self, objects: ObjectDatabase, tip: Tip, waits: Waits) -> None:
        self._objects = objects
        self._tip = tip
        self._waits = waits
        self._queue: list[_Waiting] = []
        self._lock = threading.Lock()
        self._is_led = False

    def submit(self, change: Callable[[Transaction], T]) -> T:
        """Run a change on the tip, make what it committed durable, and return its result.

        Whoever finds nobody at work leads: takes the lock, then all that wait by then, and
        answers them after one flush. An exception of a change is its own caller's alone. A change
        is run once more where an operator's git has moved the branch meanwhile.
        """
        mine = _Waiting(change)
        with self._lock:
            self._queue.append(mine)
            mine.leads = not self._is_led
            self._is_led = True
        if not mine.leads:
            self._wait(mine)
        if mine.leads:
            try:
                self._lead(mine, max(0.0, self._waits.seconds - mine.waited))
            finally:
                self._appoint()
        return mine.take()  # type: ignore[no-any-return]

    def _wait(self, mine: _Waiting) -> None:
        """Wait until a change is answered, or its caller is to lead; StorageUnavailable after too long."""
        with self._waits.waiting(self._tip.lock_path) as wait:
            while True:
                try:
                    wait.go_on(self._waits.seconds)
                except TimeoutError as error:
                    if self._withdraw(mine):
                        raise StorageUnavailable(self._tip.name, str(error.strerror)) from error
                    mine.turn.acquire()  # it is being made, and what comes of it has to be told
                    return
                if mine.turn.acquire(timeout=PAUSE):
                    return

    def _withdraw(self, mine: _Waiting) -> bool:
        """Take a change back that nobody has begun to make; tell whether that was possible."""
        with self._lock:
            if mine.leads or mine not in self._queue:
                return False
            self._queue.remove(mine)
            return True

    def _lead(self, mine: _Waiting, seconds: float) -> None:
        group: list[_Waiting] = []
        try:
            try:
                self._answer(group, seconds)
            except BranchMoved:  # by an operator's git: once more, on top of that
                self._answer(group, seconds)
        except BaseException as error:
            group = group or self._take_queue(mine)
            for waiting in group:
                waiting.answer = error
        for waiting in group:
            waiting.turn.release()

    def _answer(self, group: list[_Waiting], seconds: float) -> None:
        """Take the lock, and into the group all that wait by then; give each its answer."""
        with self._tip.turn(seconds) as turn:
            group += self._take_queue()
            try:
                self._commit_all(turn, group)
            except BaseException:
                self._objects.unpacked.discard()
                raise

    def _take_queue(self, only: _Waiting | None = None) -> list[_Waiting]:
        """Take all who wait by now from the queue, or only one: what kept that from the lock may pass."""
        with self._lock:
            group, self._queue = self._queue, []
            if only is not None:
                self._queue = [waiting for waiting in group if waiting is not only]
        return group if only is None else [only]

    def _appoint(self) -> None:
        """Let the first of those who came meanwhile lead."""
        with self._lock:
            self._is_led = bool(self._queue)
            for first in self._queue[:1]:
                first.leads = True
                first.turn.release()

    def _commit_all(self, turn: Turn, group: list[_Waiting]) -> None:
        """Run each change, and make durable all that they committed."""
        tip = turn.commit
        records: list[Record] = []
        for waiting in group:
            transaction = Transaction(self._objects, tip)
            staged = self._objects.unpacked.staged()
            if waiting.attempt(transaction) and transaction.records:
                records += transaction.records
                tip = transaction.tip or tip
            else:
                self._objects.unpacked.discard(keep=staged)
        if records:
            self._tip.advance(turn, tip, records)
