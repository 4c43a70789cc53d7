"""The queue before one repository's lock: one thread leads, and commits for all that wait, with one flush."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from storage.budget import Limits
from storage.errors import StorageUnavailable, TipMoved
from storage.ids import CommitId
from storage.journal.records import CommitRecord
from storage.journal.tip import LockedTip, Tip
from storage.objects.database import ObjectDatabase
from storage.objects.overlay import ObjectOverlay
from storage.transaction import Transaction
from storage.waits import PAUSE, Waits

T = TypeVar("T")

# bytes of files in one append: every process must have the memory to read an append at once
_FULL = 1024 * 1024


class _Waiting:
    """A change whose caller waits for its result.

    Nothing else keeps the result. An exception refers to the frames that it went through: if one of those
    kept the exception, all that the change had read and written would stay until the garbage collector comes.
    """

    __slots__ = ("change", "leads", "result", "started", "wake")

    def __init__(self, change: Callable[[Transaction], Any]) -> None:
        self.change = change
        self.result: Any = None  # or the exception to raise
        self.leads = False
        self.started = monotonic()
        self.wake = threading.Lock()  # held until there is a result, or the caller is to lead
        self.wake.acquire()

    @property
    def waited(self) -> float:
        """How many seconds the caller has waited so far."""
        return monotonic() - self.started

    def attempt(self, transaction: Transaction) -> bool:
        """Run the change, and tell whether it raised nothing."""
        try:
            self.result = self.change(transaction)
        except Exception as error:
            self.result = error
            return False
        return True

    def take(self) -> Any:
        """Return the result, or raise it, once."""
        result, self.result = self.result, None
        try:
            if isinstance(result, BaseException):
                raise result
            return result
        finally:
            del result


class Writer:
    """Runs changes of one repository, many behind one lock and one flush."""

    def __init__(self, objects: ObjectDatabase, tip: Tip, waits: Waits, limits: Limits) -> None:
        self._objects = objects
        self._limits = limits
        self._tip = tip
        self._waits = waits
        self._queue: list[_Waiting] = []
        self._lock = threading.Lock()
        self._is_led = False

    def submit(self, change: Callable[[Transaction], T]) -> T:
        """Run a change on the tip, make what it committed durable, and return its result.

        The first thread leads: it takes the repository's lock, runs the changes of all threads that wait by
        then, and flushes once. An exception of a change reaches its own caller alone. All are run once more
        where an operator's git has moved the branch meanwhile.
        """
        mine = _Waiting(change)
        with self._lock:
            self._queue.append(mine)
            mine.leads = leads_at_once = not self._is_led
            self._is_led = True
        if not leads_at_once:  # `mine.leads` may have become true since, and `wake` must be taken then
            self._wait(mine)
        if mine.leads:
            try:
                self._lead(mine, max(0.0, self._waits.seconds - mine.waited))
            finally:
                self._appoint()
        return mine.take()  # type: ignore[no-any-return]

    def _wait(self, mine: _Waiting) -> None:
        """Wait for a result, or until the caller is to lead; StorageUnavailable after too long."""
        with self._waits.waiting(self._tip.lock_key) as wait:
            while True:
                try:
                    wait.check(self._waits.seconds)
                except TimeoutError as error:
                    if self._withdraw(mine):
                        raise StorageUnavailable(self._tip.name, str(error.strerror)) from error
                    mine.wake.acquire()  # the change is being run, so its result must be waited for
                    return
                if mine.wake.acquire(timeout=PAUSE):
                    return

    def _withdraw(self, mine: _Waiting) -> bool:
        """Remove a change from the queue, and tell whether it was there still."""
        with self._lock:
            if mine.leads or mine not in self._queue:
                return False
            self._queue.remove(mine)
            return True

    def _lead(self, mine: _Waiting, seconds: float) -> None:
        group: list[_Waiting] = []
        try:
            try:
                self._run(group, seconds)
            except TipMoved:  # by an operator's git: run all once more, on top of that
                self._run(group, seconds)
        except BaseException as error:
            group = group or self._take_queue(mine)
            for waiting in group:
                waiting.result = error
        for waiting in group:
            waiting.wake.release()

    def _run(self, group: list[_Waiting], seconds: float) -> None:
        """Take the lock, and into the group all that wait by then; run and commit their changes.

        Changes that one append has no room for are put back in front of the queue, and leave the group.
        """
        with self._tip.lock(seconds) as locked:
            group += self._take_queue()
            done = self._commit_all(locked, group)
            with self._lock:
                self._queue[:0] = group[done:]
            del group[done:]

    def _take_queue(self, only: _Waiting | None = None) -> list[_Waiting]:
        """Take all from the queue; or only one that could not have the lock: the others may get it yet."""
        with self._lock:
            group, self._queue = self._queue, []
            if only is not None:
                self._queue = [waiting for waiting in group if waiting is not only]
        return group if only is None else [only]

    def _appoint(self) -> None:
        """Let the first thread that came meanwhile lead."""
        with self._lock:
            self._is_led = bool(self._queue)
            for first in self._queue[:1]:
                first.leads = True
                first.wake.release()

    def _commit_all(self, locked: LockedTip, group: list[_Waiting]) -> int:
        """Run each change on top of those before it, and append what those that succeeded committed.

        Return how many changes were run: beyond some bytes, none is begun.
        """
        tip: CommitId = locked.commit
        records: list[CommitRecord] = []
        objects = ObjectOverlay(self._objects)
        size = done = 0
        for waiting in group:
            if size > _FULL:
                break
            done += 1
            own = ObjectOverlay(objects)
            transaction = Transaction(own, tip, self._limits, records)
            if waiting.attempt(transaction) and transaction.records:
                records += transaction.records
                tip = transaction.tip
                objects.new.merge(own.new)
                size += transaction.budget.spent
        if records:
            self._tip.append(locked, records, objects.new)
        return done
