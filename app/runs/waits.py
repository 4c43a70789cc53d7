"""Who waits for the end of a run: each request that does holds a thread of the server."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

_MOST = 2  # requests of a user


class Waits:
    """How many requests of each user wait in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = Counter[str]()

    @contextmanager
    def place(self, user: str) -> Iterator[bool]:
        """Yield whether a user may have one more request wait, and count it for as long as the block runs."""
        with self._lock:
            is_free = self._users[user] < _MOST
            self._users[user] += is_free
        try:
            yield is_free
        finally:
            with self._lock:
                self._users[user] -= is_free
                self._users += Counter()  # forgets users without a request
