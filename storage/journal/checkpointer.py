"""The background thread that makes checkpoints, soon after commits."""

import logging
import threading
import time
from typing import NamedTuple, Protocol

from storage.errors import RepositoryNotFound, StorageError

# If nobody writes to any repository for so long, all repositories that wait get their checkpoint.
QUIET_SECONDS = 0.01
# If somebody always writes, a repository waits no longer than this. The later, the fewer packs.
LATEST_SECONDS = 1.0
_LINGERING_SECONDS = 0.05
# A repository that somebody else holds must not delay the others, nor the end of the process.
PATIENCE_SECONDS = 0.05

_log = logging.getLogger(__name__)


class Checkpointable(Protocol):
    """A repository whose commits may be in its journal only."""

    @property
    def name(self) -> str:
        """The name of the repository, for the log."""

    def checkpoint(self, seconds: float) -> None:
        """Make a checkpoint; StorageError if that fails, or somebody else holds the repository so long."""


class _Due(NamedTuple):
    """When a checkpoint is due, in seconds of the monotonic clock: not before `earliest`, even if it is quiet."""

    earliest: float
    latest: float


class Checkpointer:
    """One thread for all repositories of a store, which runs only while a checkpoint is due.

    The end of the process waits for the thread, unless the disk refuses the checkpoints.
    """

    def __init__(self) -> None:
        self._due: dict[Checkpointable, _Due] = {}
        self._state = threading.Condition()
        self._thread: threading.Thread | None = None
        self._noted = 0.0
        self._failing: set[Checkpointable] = set()  # the thread's own

    def schedule(self, what: Checkpointable) -> None:
        """Note that a repository has new commits. This never waits for a checkpoint."""
        with self._state:
            self._noted = now = time.monotonic()
            if self._thread is None or not self._thread.is_alive():  # a fork has no thread of its parent's
                self._start()
            elif what in self._due:
                return
            self._due.setdefault(what, _Due(now, now + LATEST_SECONDS))
            self._state.notify()

    def _start(self) -> None:
        # not a daemon: the end of the process waits for the thread
        thread = threading.Thread(target=self._work, name="checkpointer", daemon=False)
        try:
            thread.start()
        except RuntimeError as error:  # there are too many threads; the next commit tries again
            _log.warning("New commits stay in their journals for now: %s", error)
        else:
            self._thread = thread

    def cancel(self, what: Checkpointable) -> None:
        """Note that another process has just made the checkpoint."""
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
        """Return the seconds until the next look: the longer writers go on, the less they are disturbed."""
        left = min(due.latest for due in self._due.values()) - now
        return min(left, max(QUIET_SECONDS, (LATEST_SECONDS - left) / 4))

    def _take_ready(self, now: float) -> list[Checkpointable]:
        ending = not threading.main_thread().is_alive()
        is_quiet = now >= self._noted + QUIET_SECONDS
        ready = [
            what for what, due in self._due.items() if ending or now >= due.latest or (is_quiet and now >= due.earliest)
        ]
        for what in ready:
            del self._due[what]
        return ready

    def _checkpoint(self, what: Checkpointable) -> None:
        try:
            what.checkpoint(PATIENCE_SECONDS)
        except RepositoryNotFound:
            pass  # the repository was removed
        except StorageError as error:
            if what not in self._failing:  # logged once, and tried again each second
                _log.warning("The commits of '%s' stay in its journal for now: %s", what.name, error)
            self._try_again(what)
            return
        except Exception:
            _log.exception("The commits of '%s' stay in its journal: this is a bug", what.name)
            self._try_again(what)
            return
        self._failing.discard(what)

    def _try_again(self, what: Checkpointable) -> None:
        if threading.main_thread().is_alive():
            self._failing.add(what)
            again = time.monotonic() + LATEST_SECONDS
            with self._state:
                self._due.setdefault(what, _Due(again, again))
