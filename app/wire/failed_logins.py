"""Slow down the guessing of credentials, by the address that the guesses come from."""

import threading
import time
from math import ceil

from cachetools import TTLCache

_PER_MINUTE = 30
_WINDOW = 60.0  # seconds
_ADDRESSES = 10_000  # that are remembered at once


class TooManyFailedLogins(Exception):
    """Another login failed after too many. The address may try again after `seconds`."""

    def __init__(self, seconds: int) -> None:
        wait = f"{seconds} second{'' if seconds == 1 else 's'}"
        super().__init__(f"Too many logins from your address have failed; try again in {wait}.")
        self.seconds = seconds


class FailedLogins:
    """The failed logins that this process saw. Each is paid off after two seconds, and thirty may be open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paid_off: TTLCache[str, float] = TTLCache(_ADDRESSES, 2 * _WINDOW, time.monotonic)

    def seconds_to_wait(self, address: str) -> int:
        """Return how long an address has to wait; 0 if it may try now."""
        with self._lock:
            return max(0, ceil(self._paid_off.get(address, 0.0) - time.monotonic() - _WINDOW))

    def count(self, address: str) -> None:
        """Count a login that failed."""
        with self._lock:
            paid_off = max(time.monotonic(), self._paid_off.get(address, 0.0))
            self._paid_off[address] = paid_off + _WINDOW / _PER_MINUTE
