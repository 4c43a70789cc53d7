"""The run workers of a server: processes of their own, which carry out runs while the server answers requests.

gunicorn's master starts them as new programs, since a fork would take what its web workers have in memory. A worker
that ends is started again. The standard input of each is a pipe from the master, so that a worker ends with the
master, also where that was killed.
"""

import logging
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import app

_DELAY = 1.0  # seconds until the first ones start, so that the web workers come up first
_LEAST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # seconds before a worker that ended is started again
_GOOD_WHILE = 60.0  # seconds; after a worker that ran for so long, the pause is the least one again
_COMMAND = [sys.executable, "-P", "-m", "app.cli", "worker", "--end-with-stdin"]

_log = logging.getLogger(__name__)


@dataclass
class _Place:
    """The place of one worker: its process, or when the next one is due. Times are those of `monotonic`."""

    due: float
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    pause: float = _LEAST_PAUSE
    is_ending: bool = False


class RunWorkers:
    """The run workers of a server. Its methods are called by one thread."""

    def __init__(self, count: int) -> None:
        self._places = [_Place(monotonic() + _DELAY) for _ in range(count)]

    def keep_up(self) -> None:
        """Start the workers that are due."""
        self.look()
        for place in self._places:
            if place.process is None and place.due <= monotonic():
                self._start(place)

    def look(self) -> None:
        """Notice which workers have ended. gunicorn collects all children of the master, so look before it does."""
        for place in self._places:
            if place.process is not None and place.process.poll() is not None:
                self._ended(place, place.process)

    def renew(self) -> None:
        """End all workers, so that new ones take their places."""
        for place in self._places:
            _terminate(place)

    def end(self, seconds: float) -> None:
        """End all workers for good, and kill those that take longer than so many seconds."""
        self.renew()
        deadline = monotonic() + seconds
        for process in filter(None, [place.process for place in self._places]):
            try:
                process.wait(max(0.0, deadline - monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._places = []

    def leave_to_master(self) -> None:
        """Close a web worker's copies of the pipes, which it has from the master: only the master keeps workers up."""
        for place in self._places:
            if place.process is not None and place.process.stdin is not None:
                place.process.stdin.close()

    def _start(self, place: _Place) -> None:
        here = str(Path(app.__file__).parents[1])
        path = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
        try:
            place.process = subprocess.Popen(_COMMAND, stdin=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path})
        except OSError as error:  # no memory for another process, for now
            place.due = monotonic() + _LONGEST_PAUSE
            _log.error("No run worker could be started: %s. The next try is in %g s.", error, _LONGEST_PAUSE)
            return
        place.started, place.is_ending = monotonic(), False

    def _ended(self, place: _Place, process: "subprocess.Popen[bytes]") -> None:
        now = monotonic()
        if process.stdin is not None:
            process.stdin.close()
        if place.is_ending:
            place.due = now
        else:
            place.pause = _LEAST_PAUSE if now - place.started > _GOOD_WHILE else place.pause
            place.due = now + place.pause
            _log.error(
                "Run worker %d ended with status %d. Another one starts in %g s.",
                process.pid,
                process.returncode,
                place.pause,
            )
            place.pause = min(2 * place.pause, _LONGEST_PAUSE)
        place.process = None


def _terminate(place: _Place) -> None:
    if place.process is not None:
        place.is_ending = True
        with suppress(ProcessLookupError):
            place.process.terminate()
