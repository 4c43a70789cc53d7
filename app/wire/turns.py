"""Give the users of a worker turns, so that one user's heavy requests leave the others their threads."""

import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

_MEMORY = 2.0  # seconds, after which a third of the time that a user took still counts
_FAIR = 0.25  # of a core: a user who takes less never waits
_LONG = 0.25  # seconds of a request, after which others do not queue behind it in many threads
_PATIENCE = 10.0  # seconds
_PRESENCE = 60.0  # seconds since the last request of a user who may send another soon
_RETRY_AFTER = 1  # seconds


class TooBusy(Exception):
    """The user's other requests keep the server busy, and other users wait. Try again after `seconds`."""

    def __init__(self) -> None:
        super().__init__("Your other requests keep this server busy, and other users wait. Send fewer at once.")
        self.seconds = _RETRY_AFTER


class Turn(NamedTuple):
    """A request that a thread works on: since when, and what the thread had taken of the processor by then."""

    user: str
    started: float  # seconds
    worked: float  # seconds


class _Use:
    """What one user's requests take of the worker."""

    def __init__(self) -> None:
        self.seconds = 0.0  # of the processor, the older the less
        self.seen = 0.0
        self.running: list[float] = []  # when each request began
        self.waiting = 0
        self.streams = 0
        self.watches = 0

    def pass_time(self, now: float) -> None:
        """Let what was taken earlier count less."""
        self.seconds *= math.exp((self.seen - now) / _MEMORY)
        self.seen = now


class Turns:
    """The users of one worker that has `threads` threads.

    Who takes more than a fair part of the processor while others are there has one request worked on at a time. Their
    next requests wait in at most half of the threads. Where requests are short the wait is short, and none is refused.
    """

    def __init__(self, threads: int) -> None:
        self._most = max(1, threads // 2)
        self._most_streams = max(1, threads * 3 // 4)
        self._most_watches = threads // 4
        self._is_closing = False
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self._uses: defaultdict[str, _Use] = defaultdict(_Use)

    def stream(self, user: str) -> Callable[[], None]:
        """Begin an answer that a thread sends for as long as the client takes it; call what is returned at its end.

        TooBusy where the user has three quarters of the threads for such answers, and others are there.
        """
        with self._lock:
            use = self._uses[user]
            if use.streams >= self._most_streams and self._others(user, _PRESENCE):
                raise TooBusy
            use.streams += 1

        def end() -> None:
            with self._lock:
                use.streams -= 1

        return end

    def watch(self, user: str) -> Callable[[], None]:
        """Begin an answer that waits for what happens, in a thread; call what is returned at its end.

        TooBusy where a quarter of the threads wait so, half of these for this user, or where no thread can be spared.
        """
        with self._lock:
            use, watches = self._uses[user], sum(each.watches for each in self._uses.values())
            is_full = watches >= self._most_watches or use.watches >= max(1, self._most_watches // 2)
            if is_full or not self._can_spare(1):
                raise TooBusy
            use.watches += 1

        def end() -> None:
            with self._lock:
                use.watches -= 1

        return end

    def may_watch_on(self) -> bool:
        """Tell whether answers that wait for what happens may go on: not while others need the threads."""
        with self._lock:
            return self._can_spare(0)

    def close(self) -> None:
        """Have answers that wait for what happens end soon, since the worker is to stop."""
        self._is_closing = True

    def begin(self, user: str) -> Turn:
        """Begin to work on a request of a user, perhaps after a wait; TooBusy where no thread is left for it.

        The same thread gives what is returned to `end`.
        """
        with self._lock:
            arrived = time.monotonic()
            use = self._uses[user]
            use.pass_time(arrived)
            use.waiting += 1
            try:
                while use.running and self._is_unfair(user, use):
                    now = time.monotonic()
                    use.pass_time(now)
                    is_crowded = len(use.running) + use.waiting > self._most and now - use.running[0] > _LONG
                    if is_crowded or now - arrived > _PATIENCE:
                        raise TooBusy
                    self._ended.wait(_LONG)
            finally:
                use.waiting -= 1
            started = time.monotonic()
            use.running.append(started)
            return Turn(user, started, time.thread_time())

    def end(self, turn: Turn) -> None:
        """Let another request of the user be worked on."""
        seconds = time.thread_time() - turn.worked
        with self._lock:
            use = self._uses[turn.user]
            use.running.remove(turn.started)
            use.pass_time(time.monotonic())
            use.seconds += seconds
            if use.waiting:
                self._ended.notify_all()

    def _can_spare(self, more: int) -> bool:
        """Tell whether half of the threads are left for short answers, also with `more` that last."""
        lasting = sum(use.streams + use.watches for use in self._uses.values())
        return not self._is_closing and lasting + more <= self._most

    def _is_unfair(self, user: str, use: _Use) -> bool:
        """Tell whether a user takes too much while others are there."""
        return use.seconds >= _FAIR * _MEMORY and self._others(user, _MEMORY)

    def _others(self, user: str, seconds: float) -> bool:
        """Tell whether other users sent requests in the last seconds; forget users who have gone."""
        now = time.monotonic()
        for name, use in list(self._uses.items()):
            if now - use.seen > _PRESENCE and not (use.running or use.waiting or use.streams or use.watches):
                del self._uses[name]
        return any(name != user and (use.running or now - use.seen <= seconds) for name, use in self._uses.items())
