"""The journal as a file in the repository's folder: the engine that a store has by default."""

import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import cast

from storage.errors import RepositoryNotFound
from storage.journal.header import START, Header
from storage.journal.interface import Position, Reading
from storage.journal.journal_file import NAME, JournalFile
from storage.location import Location
from storage.machine import disk
from storage.waits import Waits

_TRIES = 5  # at the lock of a repository that is moved away and back meanwhile


class FileJournal:
    """The journal of a repository: see `interface.Journal`."""

    def __init__(self, location: Location, waits: Waits) -> None:
        """Open the file, which is made where there is none; after a power loss, find its end."""
        self._name = location.name
        self._path = location.folder / NAME
        self._key = str(self._path)
        self._waits = waits
        self._create()
        fd = os.open(self._path, os.O_RDONLY)  # stays open, since each request reads the header
        weakref.finalize(self, os.close, fd)
        self._inode = os.fstat(fd).st_ino
        self._file = JournalFile(self._name, fd)
        if not self._file.header().is_current:
            with self.lock() as locked:
                locked.recover_end()

    @property
    def key(self) -> str:
        """The path of the file, whose lock a writer holds."""
        return self._key

    def head(self) -> Header:
        """Return how far the journal goes now."""
        return self._file.header()

    def read(self, after: Position | None) -> Reading:
        """Return the records behind a position, or all of them."""
        since = cast("Header | None", after)
        while True:
            end = self._file.header()
            restarted = since is None or end.generation != since.generation or end.end < since.end
            records = self._file.between(end.start if restarted or since is None else since, end)
            if records is not None:
                return Reading(records, end, restarted)
            if self._file.header() == end:  # otherwise a checkpoint came, and others have written since
                raise self._file.damage()

    @contextmanager
    def lock(self, seconds: float | None = None) -> Iterator[JournalFile]:
        """Hold the advisory lock of the file (`flock`), which the kernel frees when a process dies."""
        fd = self._take_in_place(seconds)
        try:
            yield JournalFile(self._name, fd)
        finally:
            os.close(fd)

    def shrink(self) -> None:
        """Give back room that the file has grown into, unless somebody is writing."""
        with suppress(TimeoutError), self.lock(0) as locked:
            locked.shrink()

    def _take_in_place(self, seconds: float | None) -> int:
        """Take the lock, and return its descriptor; RepositoryNotFound where the repository was removed or moved.

        Where the file alone is missing, that is damage. But the repository may just have been moved away and back.
        """
        for tries_left in reversed(range(_TRIES)):
            try:
                return self._take(seconds)
            except FileNotFoundError as error:
                if not self._path.parent.exists():
                    raise RepositoryNotFound(self._name) from error
                if not tries_left:
                    raise
        raise AssertionError("unreachable")

    def _take(self, seconds: float | None) -> int:
        fd = self._waits.lock(self._key, os.O_RDWR, seconds)
        try:
            if not os.fstat(fd).st_ino == self._path.stat().st_ino == self._inode:
                raise RepositoryNotFound(self._name)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def is_gone(self) -> bool:
        """Tell whether the file was removed, or another one put in its place, since it was opened."""
        try:
            return self._path.stat().st_ino != self._inode
        except OSError:  # opening the repository anew will tell what is wrong
            return True

    def _create(self) -> None:
        """Make an empty file, durably, where there is none."""
        if self._path.exists():
            return
        folder = self._path.parent
        with disk.exclusive(folder, self._waits):
            if not self._path.exists():  # otherwise another process was quicker
                empty = Header.now(1, START, START).pack()
                disk.put_file(self._path, empty.ljust(START, b"\0"), folder / "tmp_journal")
