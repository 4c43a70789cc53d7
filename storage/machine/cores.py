"""Which of the machine's cores a process runs on.

Python runs one thread of a process at a time. If each process of a server is pinned to cores of its own, a
thread hands over to the next on the same core, and wakes no core that another process needs.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


def _allowed() -> frozenset[int]:
    """Return the cores that this thread may run on; none where the system cannot say (not Linux)."""
    return frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset()


_ALL = _allowed()


def share(cores: Sequence[int], number: int, shares: int) -> Sequence[int]:
    """Return one of `shares` equal parts of some cores; all cores where there are fewer than `shares`."""
    if len(cores) < shares:
        return cores
    return cores[len(cores) * number // shares : len(cores) * (number + 1) // shares]


def pin_to_share(number: int, shares: int) -> None:
    """Pin this process to one of `shares` parts of the cores, before it starts its threads."""
    if _ALL:
        os.sched_setaffinity(0, share(sorted(_ALL), number, shares))


@contextmanager
def on_all_cores() -> Iterator[None]:
    """Let the processes that this thread starts in the block, such as git, run on any core."""
    own = _allowed()
    if own == _ALL:
        yield
        return
    os.sched_setaffinity(0, _ALL)
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)
