"""How often each token may call: a count for each, in a file that all processes on a directory share."""

import fcntl
import hashlib
import logging
import math
import mmap
import os
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path
from time import sleep

_WINDOW = 60.0  # seconds
_SLOTS = 65_536
_TRIES, _PAUSE = 1000, 0.0005  # and seconds between them; counting takes some microseconds
_WITHOUT_COUNT = 10.0  # seconds
# Whose slot it is, and when (on the machine's monotonic clock) all that they asked for is paid off.
_SLOT = struct.Struct("=16sd")

_log = logging.getLogger(__name__)


class TooManyRequests(Exception):
    """A token was used more often than the server's settings let it. `seconds`: until it may again."""

    def __init__(self, per_minute: int, seconds: int) -> None:
        wait = f"{seconds} second{'' if seconds == 1 else 's'}"
        super().__init__(f"A token may be used {per_minute} times a minute here; try again in {wait}.")
        self.seconds = seconds


class RateLimiter:
    """A minute's requests may come at once, and are then made up for evenly (the GCRA of ATM networks).

    Two tokens in a million share a slot; the one that calls takes it over, and starts anew.
    """

    def __init__(self, path: Path, per_minute: int) -> None:
        """Count in a file at `path`, which is made where it is missing."""
        self._per_minute = per_minute
        self._lock = threading.Lock()
        self._uncounted_until = 0.0
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.fstat(self._file).st_size < _SLOTS * _SLOT.size:
            os.ftruncate(self._file, _SLOTS * _SLOT.size)
        self._slots = mmap.mmap(self._file, _SLOTS * _SLOT.size)

    def count(self, token: str) -> None:
        """Take note of a request of a token; TooManyRequests where that was one too many."""
        digest = hashlib.sha256(token.encode()).digest()
        key, at = digest[:16], int.from_bytes(digest[16:20]) % _SLOTS * _SLOT.size
        interval = _WINDOW / self._per_minute
        with self._lock:  # between threads: they share the file's lock
            if not self._take_file():
                return
            try:
                now = time.monotonic()
                owner, paid_off = _SLOT.unpack_from(self._slots, at)
                if owner != key or not now < paid_off <= now + _WINDOW:  # the latter: before a reboot
                    paid_off = now
                if paid_off + interval > now + _WINDOW:
                    raise TooManyRequests(self._per_minute, math.ceil(paid_off + interval - now - _WINDOW))
                _SLOT.pack_into(self._slots, at, key, paid_off + interval)
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _take_file(self) -> bool:
        """Take the lock between processes, and tell whether that was possible.

        A process that was stopped may hold it. Nobody else's request must wait for that one, so it is not
        counted, and for a while no other is.
        """
        if time.monotonic() < self._uncounted_until:
            return False
        for _ in range(_TRIES):
            with suppress(OSError):
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            sleep(_PAUSE)
        _log.warning("Requests are not counted for now: another program holds the lock of 'rates'.")
        self._uncounted_until = time.monotonic() + _WITHOUT_COUNT
        return False
