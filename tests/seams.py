"""The seams of the tests: setting the clock, letting the system refuse, waiting for threads and processes.

A test replaces a function of the standard library here, or looks at what the system shows of a process. So
tests need not know the private parts of the code, and these can change without them.
"""

import errno
import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from storage.journal.journal_file import JournalFile
from storage.repository import Repository
from storage.signatures import Person
from storage.store import Store
from storage.transaction import Transaction

_PATIENCE = 60  # seconds


class Clock:
    """The wall clock, as a test sets it: `now` is in seconds since 1970."""

    def __init__(self, now: float) -> None:
        self.now = now

    def time(self) -> float:
        """Return the time, as `time.time` does."""
        return self.now


def set_clock(patch: pytest.MonkeyPatch, seconds: float) -> Clock:
    """Let this process read the time from a clock that the test sets."""
    clock = Clock(seconds)
    patch.setattr(time, "time", clock.time)
    return clock


def refuse(patch: pytest.MonkeyPatch, call: str, below: Path, error: int) -> None:
    """Let a function of `os` fail with an error on each path that starts with `below`."""
    original: Callable[..., object] = getattr(os, call)

    def call_unless(*arguments: object, **options: object) -> object:
        if arguments and str(arguments[0]).startswith(str(below)):
            raise OSError(error, os.strerror(error), str(arguments[0]))
        return original(*arguments, **options)

    patch.setattr(os, call, call_unless)


def fill_disk(patch: pytest.MonkeyPatch) -> None:
    """Let each append to a journal fail, as on a disk without room."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    patch.setattr(os, "pwritev", full)


def count_parses(patch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the size of each YAML document that this process parses, in bytes."""
    sizes: list[int] = []

    class Counting(yaml.CSafeLoader):
        def __init__(self, data: bytes) -> None:
            sizes.append(len(data))
            super().__init__(data)

    patch.setattr(yaml, "CSafeLoader", Counting)
    return sizes


def count_processes(patch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return a list that gets the command of each process that this process starts."""
    commands: list[list[str]] = []
    original = subprocess.Popen.__init__

    def start(self: Any, command: list[str], *arguments: Any, **options: Any) -> None:
        commands.append(command)
        original(self, command, *arguments, **options)

    patch.setattr(subprocess.Popen, "__init__", start)
    return commands


def count_opened(patch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the name of each repository that this process asks a store for."""
    names: list[str] = []
    original = Store.open

    def find(store: Store, name: str) -> Repository:
        names.append(name)
        return original(store, name)

    patch.setattr(Store, "open", find)
    return names


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until something is true that another thread or process is about to make so."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.001)


def append_sizes(
    repository: Repository, patch: pytest.MonkeyPatch, writes: Sequence[Callable[[], Any]]
) -> tuple[list[int], list[Any]]:
    """Let writes wait together, in their order, while the flush of another is held up.

    Return the commits of each append, and what each write came to: its result, or its exception.
    """
    flushes: list[int] = []
    first_flush, go_on = threading.Event(), threading.Event()
    append = JournalFile.append

    def held_up(journal, after, records):
        flushes.append(len(records))
        if len(flushes) == 1:
            first_flush.set()
            go_on.wait()
        return append(journal, after, records)

    def first(transaction: Transaction) -> str:
        transaction.write("first", b"1")
        return transaction.commit("First\n", Person("Alice", "alice@example.org"))

    patch.setattr(JournalFile, "append", held_up)
    with ThreadPoolExecutor(len(writes) + 1) as pool:
        done = [pool.submit(repository.transact, first)]
        first_flush.wait()
        for number, write in enumerate(writes, 1):
            done.append(pool.submit(write))
            wait_until(lambda number=number: len(repository._writer._queue) == number or done[-1].done())
        go_on.set()
        return flushes, [each.exception() or each.result() for each in done]


def lock_waiters(path: Path) -> int:
    """Return how many threads and processes wait for the lock (`flock`) of a file."""
    inode = f":{path.stat().st_ino}"
    waiting = [line.split() for line in Path("/proc/locks").read_text().splitlines() if " -> FLOCK " in line]
    return sum(words[6].endswith(inode) for words in waiting)


def git_readers(git_folder: Path) -> list[int]:
    """Return the ids of this process's `git cat-file` processes that read objects of a repository."""
    found = []
    for children in Path("/proc/self/task").glob("*/children"):
        for child in children.read_text().split():
            process = Path("/proc", child)
            try:
                is_reader = b"cat-file" in (process / "cmdline").read_bytes()
                if is_reader and (process / "cwd").readlink() == git_folder:
                    found.append(int(child))
            except OSError:  # the process has just ended
                continue
    return found
