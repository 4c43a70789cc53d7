"""A worker: the process that carries out runs, a few at a time, until a signal."""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from huey.consumer import Consumer

from app.runs.ledger.database import LedgerUnavailable
from app.runs.recipe import turns
from app.runs.services import Runs
from app.runs.work.performing import perform

_LOOKS = 3  # into the ledger while a lease lasts, for runs that nobody carries out
_LEAST_TURN = 2  # leases that a run is carried out for, before it makes way for another user's

_log = logging.getLogger(__name__)


def run(runs: Runs, is_orphaned: Callable[[], bool] = lambda: False) -> None:
    """Carry out runs until SIGTERM or SIGINT, or until `is_orphaned` says that the server is gone.

    A run that is under way then is left to whoever is free.
    """
    worker = _Worker(runs)
    runs.queue.on_wake = worker.work
    consumer = _Consumer(worker, is_orphaned)
    worker.is_stopping = consumer.is_stopping
    looking = threading.Thread(target=worker.look, name="look", daemon=True)
    looking.start()
    consumer.run()
    runs.database.close()


class _Worker:
    """What the threads of a worker share."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._holder = f"{socket.gethostname()}:{os.getpid()}"
        self.is_stopping: Callable[[], bool] = lambda: False
        self._lock = threading.Lock()
        self._idle = runs.settings.runs_at_once  # threads
        self._carried: dict[int, tuple[float, int]] = {}  # by thread: since when (`time.monotonic`), and which run
        self._given_up: int | None = None  # the run that makes way for another user's

    def work(self) -> None:
        """Carry out runs that nobody carries out, one after the other, until there are no more."""
        with self._counted_as_busy():
            try:
                while not self.is_stopping() and any(map(self._take, self._waiting())):
                    pass
            except LedgerUnavailable as error:
                _log.warning("%s", error)
        if self.is_stopping():  # what this thread leaves, or was woken for, is for another worker
            self._runs.wake()

    def look(self) -> None:
        """Wake idle threads for runs that nobody carries out: the queue lost them, or their worker is gone."""
        while True:
            try:
                self._runs.deletions.finish()  # what a process that was killed began
                waiting = self._runs.table.waiting()
                for _ in range(min(self._idle, len(waiting))):
                    self._runs.wake()
                if not self._idle and self._given_up is None:
                    self._given_up = turns.to_give_up(self._mine(), waiting, self._runs.leases.held())
            except LedgerUnavailable as error:
                _log.warning("%s", error)
            except Exception:
                _log.exception("The ledger could not be looked into, by a fault of the worker")
            time.sleep(self._runs.settings.run_lease / _LOOKS)

    def _take(self, run_id: int) -> bool:
        self._carried[threading.get_ident()] = time.monotonic(), run_id
        try:
            return perform(self._runs, run_id, self._holder, lambda: self.is_stopping() or self._given_up == run_id)
        finally:
            del self._carried[threading.get_ident()]
            if self._given_up == run_id:
                self._given_up = None

    def _mine(self) -> list[int]:
        """Return the runs that this worker has carried out for a while, the longest first."""
        until = time.monotonic() - _LEAST_TURN * self._runs.settings.run_lease
        return [run_id for taken, run_id in sorted(self._carried.values()) if taken <= until]

    def _waiting(self) -> list[int]:
        """Return the runs that nobody carries out, in the order of turns."""
        return turns.ordered(self._runs.table.waiting(), self._runs.leases.held())

    @contextmanager
    def _counted_as_busy(self) -> Iterator[None]:
        with self._lock:
            self._idle -= 1
        try:
            yield
        finally:
            with self._lock:
                self._idle += 1


class _Consumer(Consumer):  # type: ignore[misc]
    """Huey's consumer, in threads. At a signal it ends once the threads have left their runs to others."""

    def __init__(self, worker: _Worker, is_orphaned: Callable[[], bool]) -> None:
        self._worker = worker
        self._is_orphaned = is_orphaned
        settings = worker._runs.settings
        super().__init__(worker._runs.queue, workers=settings.runs_at_once, periodic=False)
        self._signal_actions = dict.fromkeys((signal.SIGINT, signal.SIGTERM), (False, True))

    def is_stopping(self) -> bool:
        """Tell whether the worker is about to end."""
        return bool(self.stop_flag.is_set())

    def loop(self, health_check_ts: Any = None) -> Any:
        """Look after the threads, for a moment."""
        if self._is_orphaned() and self._signum is None:
            self.stop(graceful=True)
        return super().loop(health_check_ts)
