"""The journal of a repository: commits that were answered, and are not in git's own files yet.

A commit is durable once its record is: one write into a file that is there already, flushed as it is
made. Git's files (a pack, its index, the branch) take ten times as long, so they are made later, for
many commits at once (`tip`), and then the journal begins again from the front.

The file starts with a mark, which tells how far the journal goes (`marks`). That is flushed only when
the journal is emptied: after a power loss the records tell for themselves (`recovery`). What is added at
once is one frame of records (`frames`).
"""

import os
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.errors import RepositoryDamaged, RepositoryNotFound
from storage.journal import frames, header
from storage.journal.frames import Record
from storage.journal.header import START, Mark
from storage.machine import disk
from storage.waits import Waits

NAME = "bakehouse-journal"

_STEP = 256 * 1024  # by which it grows at the most, unless it must
_ROOM = 4  # times what it held last, and times a step: the room it keeps
_REST = 64 * 1024  # what is looked for of an earlier generation
_TRIES = 1000  # to read a mark that is always just being written
_A_LOOK = 1.0  # seconds until a file that a hand removed is noticed
_UNREADABLE = (
    f"its journal, the file {NAME}, cannot be read. Put a copy of the repository in its place; or move "
    "that file away, and lose what was written last"
)


class Journal:
    """The journal of the repository `name` in a folder."""

    def __init__(self, name: str, git_folder: Path, waits: Waits | None = None) -> None:
        self.path = str(git_folder / NAME)
        self._name = name
        self._path = git_folder / NAME
        self._waits = waits or Waits()
        self._open: OpenJournal | None = None
        self._inode = 0
        self._looked = 0.0

    def create(self) -> None:
        """Make an empty one, durably, where there is none."""
        if self._path.exists():
            return
        folder = self._path.parent
        with disk.exclusive(folder, self._waits):
            if not self._path.exists():  # else another process was quicker
                mark = Mark.now(1, START, START).pack()
                disk.put_file(self._path, mark.ljust(START, b"\0"), folder / "tmp_journal")

    def mark(self) -> Mark:
        """Return how far it goes now; that waits for nobody."""
        return self.opened().mark()

    def opened(self) -> "OpenJournal":
        """Return it to read from; that waits for nobody.

        The file is the one that was there first, whatever lies there now: see `is_gone`.
        """
        if self._open is None:  # kept open: every read of the repository asks
            fd = os.open(self._path, os.O_RDONLY)
            weakref.finalize(self, os.close, fd)
            self._inode = os.fstat(fd).st_ino
            self._open = OpenJournal(self._name, fd)
        return self._open

    def is_gone(self) -> bool:
        """Tell whether a hand removed the file that `mark` reads, or put another in its place.

        It is looked at once a second, since each request asks: until then it may be told to be there.
        """
        now = time.monotonic()
        if self._open is None or now < self._looked + _A_LOOK:
            return False
        self._looked = now
        try:
            return self._path.stat().st_ino != self._inode
        except OSError:  # whoever opens it will tell
            return True

    def cut(self) -> None:
        """Give back the room that it has grown into, where it is empty and nobody is writing."""
        with suppress(TimeoutError), self.exclusive(0) as journal:
            mark = journal.mark()
            if mark.is_current and mark.is_empty:
                journal.resize(mark, START)

    @contextmanager
    def exclusive(self, seconds: float | None = None) -> Iterator["OpenJournal"]:
        """Hold it, and with it the repository, against every other thread and process.

        The lock is advisory (`flock`); the kernel releases that of a process that dies. Raises TimeoutError
        where somebody else holds it for so many seconds, by default those of this process.
        """
        fd = self._waits.lock(self.path, os.O_RDWR, seconds)
        try:
            self._refuse_another(fd)
            yield OpenJournal(self._name, fd)
        finally:
            os.close(fd)

    def _refuse_another(self, fd: int) -> None:
        """Raise RepositoryNotFound where another file, or none, lies in the place of the one that is read."""
        inode = os.fstat(fd).st_ino
        if (self._open is not None and inode != self._inode) or self._path.stat().st_ino != inode:
            self._looked = 0.0
            raise RepositoryNotFound(self._name)


class OpenJournal:
    """A journal that is open. Who holds it alone may write."""

    def __init__(self, name: str, fd: int) -> None:
        self._name = name
        self._fd = fd

    def mark(self) -> Mark:
        """Return how far it goes now."""
        for _ in range(_TRIES):  # read while it is written it may be neither old nor new
            mark = Mark.parse(os.pread(self._fd, header.SIZE, 0))
            if mark is not None:
                return mark
        raise self.damage()

    def damage(self) -> RepositoryDamaged:
        """Return the error for a journal whose records cannot be read."""
        return RepositoryDamaged(self._name, _UNREADABLE)

    def between(self, since: Mark, until: Mark) -> list[Record] | None:
        """Return the records between two marks; None where they were just written over."""
        records, length = self._read(since, until.end)
        return records if since.end + length == until.end else None

    def rest(self, since: Mark) -> list[Record]:
        """Return what comes behind a mark of an earlier generation, as far as it was not written over.

        It may hold records more than were ever told of.
        """
        return self._read(since, min(since.size, since.end + _REST))[0]

    def _read(self, since: Mark, end: int) -> tuple[list[Record], int]:
        """Return the records of the whole frames between a mark and a place, and how long those are."""
        data = os.pread(self._fd, max(0, end - since.end), since.end)
        records, length, _ = frames.unpack(data, since.generation, since.checksum)
        return records, length

    def append(self, mark: Mark, records: Sequence[Record]) -> Mark:
        """Add records behind a mark, durably, let everybody see them, and return the mark behind them.

        Where that fails they count for nothing, now or after a power loss. The file grows ahead of
        what it holds: to write where it ends would be to flush its new size each time.
        """
        data, checksum = frames.pack(records, mark.generation, mark.checksum)
        end = size = mark.end + len(data)
        if end <= mark.size:
            size = mark.size
        elif end < (ahead := mark.size + min(mark.size, _STEP)):
            data, size = data.ljust(ahead - mark.end, b"\0"), ahead
        try:
            disk.write_at(self._fd, data, mark.end, flush=True)
        except BaseException:
            self._take_back(mark)
            raise
        try:
            return self.tell(Mark.now(mark.generation, end, size, checksum))
        except OSError:  # any other exception may come when it was told of
            self._take_back(mark)
            raise

    def _take_back(self, mark: Mark) -> None:
        """Let what lies behind a mark be no frame."""
        with suppress(OSError):
            disk.write_at(self._fd, frames.NONE, mark.end, flush=True)

    def tell(self, mark: Mark) -> Mark:
        """Let everybody see how far it goes."""
        disk.write_at(self._fd, mark.pack(), 0, flush=False)
        return mark

    def find_end(self) -> None:
        """Tell how far it goes, after a power loss: as far as its frames are whole.

        Each was flushed before the next was written, and so was the mark that began this generation.
        Raises RepositoryDamaged where one is whole behind one that is not.
        """
        mark, size = self.mark(), os.fstat(self._fd).st_size
        data = os.pread(self._fd, max(0, size - START), START)
        _, length, checksum = frames.unpack(data, mark.generation)
        end = START + length
        # Each frame is flushed before the mark tells of it. So one that is told of was not cut off.
        if end < mark.end or frames.is_followed(data[length:], mark.generation):
            raise self.damage()
        begun = length > 0  # or may have: the branch may be where its records lead, and git's lock gone
        self.tell(Mark.now(mark.generation, end, size, checksum, begun=begun))

    def empty(self, mark: Mark) -> Mark:
        """Begin again from the front, durably: git's own files have everything. Return the new mark.

        It keeps room for some times what it held, to a limit.
        """
        emptied = Mark.now(mark.generation + 1, START, mark.size)
        try:
            disk.write_at(self._fd, emptied.pack(), 0, flush=True)
        except BaseException:
            with suppress(OSError):  # on disk, too, it may be either
                disk.write_at(self._fd, mark.pack(), 0, flush=True)
            raise
        return self.resize(emptied, min(mark.size, _ROOM * mark.end, _ROOM * _STEP))

    def resize(self, mark: Mark, size: int) -> Mark:
        """Let it have no more room than some bytes, all behind its records, and return the new mark."""
        if size == mark.size:
            return mark
        resized = self.tell(mark._replace(size=size))
        with suppress(OSError):  # then it has more
            os.ftruncate(self._fd, size)
        return resized
