"""Ending calls that last too long. One thread watches all of them: a timer for each would cost more."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LONGEST_PAUSE = 1.0  # seconds between two looks
_IDLE_LOOKS = 10  # the thread ends after so many looks without a call


class Ended(Exception):
    """A call lasted too long, and was ended."""


class Watch:
    """Ends each call that it watches after some seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._pause = min(_LONGEST_PAUSE, max(0.05, seconds / 4))
        self._state = threading.Lock()
        self._going: dict[object, tuple[float, Callable[[], None]]] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(self, end: Callable[[], None]) -> Iterator[None]:
        """Call `end` if the block lasts too long; then raise Ended, even if the block raised something else."""
        key = object()
        with self._state:
            self._going[key] = (time.monotonic() + self._seconds, end)
            if self._thread is None or not self._thread.is_alive():
                self._start()
        try:
            yield
        finally:
            with self._state:
                was_ended = self._going.pop(key, None) is None
            if was_ended:
                raise Ended

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name="watch", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # there are too many threads; the next call tries again
            return
        self._thread = thread

    def _work(self) -> None:
        idle = 0
        while True:
            time.sleep(self._pause)
            now = time.monotonic()
            with self._state:
                late = [(key, end) for key, (deadline, end) in self._going.items() if now >= deadline]
                for key, _ in late:
                    del self._going[key]
                idle = 0 if self._going or late else idle + 1
                if idle > _IDLE_LOOKS:
                    self._thread = None
                    return
            for _, end in late:
                end()
