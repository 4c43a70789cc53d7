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
from app.runs.services import Runs
from app.runs.work.performing import perform

_LOOKS = 3  # into the ledger while a lease lasts, for runs that nobody carries out

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
                for _ in range(min(self._idle, len(self._runs.table.waiting()))):
                    self._runs.wake()
            except LedgerUnavailable as error:
                _log.warning("%s", error)
            except Exception:
                _log.exception("The ledger could not be looked into, by a fault of the worker")
            time.sleep(self._runs.settings.run_lease / _LOOKS)

    def _take(self, run_id: int) -> bool:
        return perform(self._runs, run_id, self._holder, self.is_stopping)

    def _waiting(self) -> list[int]:
        """Return the runs that nobody carries out: those of repos with the fewest under way first, then the oldest."""
        busy = self._runs.leases.held()
        waiting = self._runs.table.waiting().items()
        return [run_id for run_id, _ in sorted(waiting, key=lambda item: (busy.get(item[1], 0), item[0]))]

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
