"""Limit the rate of requests of each token. The counts are in a file that all processes share."""

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
_TRIES, _PAUSE = 1000, 0.0005  # seconds between tries; a count holds the lock for microseconds
_PAUSE_OF_COUNTS = 10.0  # seconds without counts after the lock was not to be had
# The start of the token's hash, and the time (monotonic) at which all its requests are paid off.
_SLOT = struct.Struct("=16sd")

_log = logging.getLogger(__name__)


class TooManyRequests(Exception):
    """A token was used too often. It may be used again after `seconds`."""

    def __init__(self, per_minute: int, seconds: int) -> None:
        wait = f"{seconds} second{'' if seconds == 1 else 's'}"
        super().__init__(f"A token may be used {per_minute} times a minute here; try again in {wait}.")
        self.seconds = seconds


class RateLimiter:
    """A limit by GCRA: a minute's requests may come at once, and are then paid off evenly.

    Two tokens whose hashes share a slot take it from each other, and then start again at zero.
    """

    def __init__(self, path: Path, per_minute: int) -> None:
        """Count in the file `path`, which is created if it is missing."""
        self._per_minute = per_minute
        self._lock = threading.Lock()
        self._uncounted_until = 0.0
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.fstat(self._file).st_size < _SLOTS * _SLOT.size:
            os.ftruncate(self._file, _SLOTS * _SLOT.size)
        self._slots = mmap.mmap(self._file, _SLOTS * _SLOT.size)

    def count(self, token: str) -> None:
        """Count a request of a token; TooManyRequests if it is one too many."""
        digest = hashlib.sha256(token.encode()).digest()
        key, at = digest[:16], int.from_bytes(digest[16:20]) % _SLOTS * _SLOT.size
        interval = _WINDOW / self._per_minute
        with self._lock:  # the lock of the file does not exclude threads of one process
            if not self._take_file():
                return
            try:
                now = time.monotonic()
                owner, paid_off = _SLOT.unpack_from(self._slots, at)
                if owner != key or not now < paid_off <= now + _WINDOW:  # a time out of range is from before a reboot
                    paid_off = now
                if paid_off + interval > now + _WINDOW:
                    raise TooManyRequests(self._per_minute, math.ceil(paid_off + interval - now - _WINDOW))
                _SLOT.pack_into(self._slots, at, key, paid_off + interval)
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _take_file(self) -> bool:
        """Take the lock between processes; return whether that was possible.

        A stopped process may hold the lock. Requests must not wait for that process, so for some seconds
        they are not counted.
        """
        if time.monotonic() < self._uncounted_until:
            return False
        for _ in range(_TRIES):
            with suppress(OSError):
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            sleep(_PAUSE)
        _log.warning("Requests are not counted for now: another program holds the lock of the file 'rates'.")
        self._uncounted_until = time.monotonic() + _PAUSE_OF_COUNTS
        return False
