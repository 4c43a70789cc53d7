"""The background thread that lets git see what was committed, soon after it was."""

import logging
import threading
import time
from typing import NamedTuple, Protocol

from storage.errors import RepositoryNotFound, StorageError

# Nobody writes to any of them for so long: then all that waits is published.
QUIET_SECONDS = 0.01
# Somebody always writes: what is committed waits no longer than this. The later, the fewer packs.
LATEST_SECONDS = 1.0
_LINGERING_SECONDS = 0.05
# One that somebody else holds must not keep the others waiting, nor the end of the process.
PATIENCE_SECONDS = 0.05

_log = logging.getLogger(__name__)


class Checkpointable(Protocol):
    """What can hold back what was committed to it."""

    @property
    def name(self) -> str:
        """Which it is, for the log."""

    def checkpoint(self, seconds: float) -> None:
        """Let git see all of it; StorageError if that fails, or somebody else holds it so many seconds."""


class _Due(NamedTuple):
    """When something is published, in seconds of the monotonic clock: not before, even if it is quiet."""

    earliest: float
    latest: float


class Checkpointer:
    """One thread for all repositories of a store; it is there only while something is due.

    A process that ends waits for it, unless the disk refuses.
    """

    def __init__(self) -> None:
        self._due: dict[Checkpointable, _Due] = {}
        self._state = threading.Condition()
        self._thread: threading.Thread | None = None
        self._noted = 0.0
        self._failing: set[Checkpointable] = set()  # the thread's own

    def schedule(self, what: Checkpointable) -> None:
        """Take note that something was just committed; never waits for what is being published."""
        with self._state:
            self._noted = now = time.monotonic()
            if self._thread is None or not self._thread.is_alive():  # a fork leaves it to the parent
                self._start()
            elif what in self._due:
                return
            self._due.setdefault(what, _Due(now, now + LATEST_SECONDS))
            self._state.notify()

    def _start(self) -> None:
        # no daemon, whoever starts it: a process that ends waits for it
        thread = threading.Thread(target=self._work, name="checkpointer", daemon=False)
        try:
            thread.start()
        except RuntimeError as error:  # there are too many threads; the next commit tries again
            _log.warning("What is committed is in its journal, for now: %s", error)
        else:
            self._thread = thread

    def cancel(self, what: Checkpointable) -> None:
        """Take note that somebody else has just published it."""
        with self._state:
            self._due.pop(what, None)

    def _work(self) -> None:
        while True:
            with self._state:
                if not self._due:
                    self._state.wait(_LINGERING_SECONDS)
                if not self._due:
                    self._thread = None
                    return
                now = time.monotonic()
                ready = self._take_ready(now)
                if not ready:
                    self._state.wait(self._pause(now))
            for what in ready:
                self._checkpoint(what)

    def _pause(self, now: float) -> float:
        """Return when to look again: the longer writers have been at it, the less they are disturbed."""
        left = min(due.latest for due in self._due.values()) - now
        return min(left, max(QUIET_SECONDS, (LATEST_SECONDS - left) / 4))

    def _take_ready(self, now: float) -> list[Checkpointable]:
        ending = not threading.main_thread().is_alive()
        is_quiet = now >= self._noted + QUIET_SECONDS
        ready = [
            what
            for what, due in self._due.items()
            if ending or now >= due.latest or (is_quiet and now >= due.earliest)
        ]
        for what in ready:
            del self._due[what]
        return ready

    def _checkpoint(self, what: Checkpointable) -> None:
        try:
            what.checkpoint(PATIENCE_SECONDS)
        except RepositoryNotFound:
            pass  # somebody has removed it
        except StorageError as error:
            if what not in self._failing:  # it is tried again each second
                _log.warning("What was committed to '%s' is in its journal, for now: %s", what.name, error)
            self._try_again(what)
            return
        except Exception:
            _log.exception("What was committed to '%s' is in its journal: this is a bug", what.name)
            self._try_again(what)
            return
        self._failing.discard(what)

    def _try_again(self, what: Checkpointable) -> None:
        if threading.main_thread().is_alive():
            self._failing.add(what)
            again = time.monotonic() + LATEST_SECONDS
            with self._state:
                self._due.setdefault(what, _Due(again, again))
