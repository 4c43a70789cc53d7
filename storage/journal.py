"""The journal of a repository: commits that were answered, and are not in git's own files yet.

A commit is durable once its record is: one write into a file that is there already, flushed as it is
made. Git's files (a pack, its index, the branch) take ten times as long, so they are made later, for
many commits at once (`tip`), and then the journal begins again from the front.

The file starts with a mark, which tells how far the journal goes. That is flushed only when the
journal is emptied: after a power loss the records tell for themselves (`recovery`). A record is a
commit and the files that it changed; all else follows from those and its parent.

What is added at once is one frame, with one checksum: it is there whole or not at all. The checksum
is also of the one before, so what an append left that was cut off never counts behind another.
"""

import fcntl
import hashlib
import os
import secrets
import struct
import time
import weakref
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from storage import disk
from storage.errors import RepositoryDamaged, RepositoryNotFound
from storage.packs import GitObject

NAME = "bakehouse-journal"

_START = 4096  # where the first frame begins: to flush it is not to flush the mark
_LARGE = 1024 * 1024  # what it holds: more is published before more is added
_STEP = 256 * 1024  # by which it grows at the most, unless it must
_ROOM = 4  # times what it held last, and times a step: the room it keeps
_REST = 64 * 1024  # what is looked for of an earlier generation
_FORMAT = b"BAKEJNL1"
_MARK = struct.Struct("<8s16sQQQI?")  # format, and the fields of a `Mark`; then their CRC-32
_FRAME = struct.Struct("<QI")  # generation, size of the records that follow; then the CRC-32 of all that
_CRC = struct.Struct("<I")
_REMOVED = 0xFFFFFFFF  # in the place of a file's size
_TRIES = 1000  # to read a mark that is always just being written
_A_LOOK = 1.0  # seconds until a file that a hand removed is noticed


def _read_boot() -> str:
    """Return what changes whenever the kernel, and with it what was not flushed, is gone."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:  # not Linux: be careful, and recover in each new process
        return secrets.token_hex(16)


BOOT = hashlib.sha256(_read_boot().encode()).digest()[:16]


class Mark(NamedTuple):
    """How far a journal goes: to byte `end`, as it was told since the machine started (`boot`).

    Its `generation` counts how often it was emptied; its file has `size` bytes at least. The next
    frame's checksum begins with the last one's, `checksum`. Once somebody has `begun` to publish,
    nothing may be added before it is emptied: git's lock has become the branch by then, or on disk it
    may be empty already.
    """

    boot: bytes
    generation: int
    end: int
    size: int
    checksum: int = 0
    begun: bool = False

    @property
    def start(self) -> "Mark":
        """The mark before the first record of this generation."""
        return self._replace(end=_START, checksum=0)

    @property
    def is_current(self) -> bool:
        """Tell whether it was told since the machine started; else it may be older than the records."""
        return self.boot == BOOT

    @property
    def is_empty(self) -> bool:
        """Tell whether git's own files have everything."""
        return self.end == _START

    @property
    def is_large(self) -> bool:
        """Tell whether it should be emptied before it grows."""
        return self.end > _LARGE


@dataclass(frozen=True, slots=True)
class Record:
    """A commit, and the files that it changed, by path; None for one that it took away."""

    commit: GitObject
    files: Mapping[str, GitObject | None]


class Journal:
    """The journal of the repository `name` in a folder."""

    def __init__(self, name: str, git_folder: Path) -> None:
        self._name = name
        self._path = git_folder / NAME
        self._open: OpenJournal | None = None
        self._inode = 0
        self._looked = 0.0

    def create(self) -> None:
        """Make an empty one, durably, where there is none."""
        if self._path.exists():
            return
        folder = self._path.parent
        with disk.exclusive(folder):
            if not self._path.exists():  # else another process was quicker
                mark = _pack_mark(Mark(BOOT, 1, _START, _START))
                disk.put_file(self._path, mark.ljust(_START, b"\0"), folder / "tmp_journal")

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
        """Give back the room that it has grown into, where it is empty."""
        with self.exclusive() as journal:
            mark = journal.mark()
            if mark.is_current and mark.is_empty:
                journal.resize(mark, _START)

    @contextmanager
    def exclusive(self) -> Iterator["OpenJournal"]:
        """Hold it, and with it the repository, against every other thread and process.

        The lock is advisory (`flock`); the kernel releases that of a process that dies.
        """
        fd = os.open(self._path, os.O_RDWR)
        try:
            self._refuse_another(fd)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                fcntl.flock(fd, fcntl.LOCK_EX)
                if self._path.stat().st_ino != os.fstat(fd).st_ino:  # a hand was quicker
                    raise RepositoryNotFound(self._name) from None
            yield OpenJournal(self._name, fd)
        finally:
            os.close(fd)

    def _refuse_another(self, fd: int) -> None:
        """Raise RepositoryNotFound where another file lies in the place of the one that `mark` reads."""
        if self._open is not None and os.fstat(fd).st_ino != self._inode:
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
            data = os.pread(self._fd, _MARK.size + _CRC.size, 0)
            if len(data) == _MARK.size + _CRC.size and data.startswith(_FORMAT) and _is_whole(data):
                return Mark(*_MARK.unpack_from(data)[1:])
        raise RepositoryDamaged(self._name, "its journal cannot be read")

    def between(self, since: Mark, until: Mark) -> list[Record] | None:
        """Return the records between two marks; None where they were just written over."""
        records, end, _ = self._unpack(since, until.end)
        return records if end == until.end else None

    def rest(self, since: Mark) -> list[Record]:
        """Return what comes behind a mark of an earlier generation, as far as it was not written over.

        It may hold records more than were ever told of.
        """
        return self._unpack(since, min(since.size, since.end + _REST))[0]

    def append(self, mark: Mark, records: Sequence[Record]) -> Mark:
        """Add records behind a mark, durably, let everybody see them, and return the mark behind them.

        Where that fails they count for nothing, now or after a power loss. The file grows ahead of
        what it holds: to write where it ends would be to flush its new size each time.
        """
        data, checksum = _pack_frame(records, mark)
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
            return self.tell(Mark(BOOT, mark.generation, end, size, checksum))
        except OSError:  # any other exception may come when it was told of
            self._take_back(mark)
            raise

    def _take_back(self, mark: Mark) -> None:
        """Let what lies behind a mark be no frame."""
        with suppress(OSError):
            disk.write_at(self._fd, bytes(_FRAME.size), mark.end, flush=True)

    def tell(self, mark: Mark) -> Mark:
        """Let everybody see how far it goes."""
        disk.write_at(self._fd, _pack_mark(mark), 0, flush=False)
        return mark

    def find_end(self) -> None:
        """Tell how far it goes, after a power loss: as far as its frames are whole.

        Each was flushed before the next was written, and so was the mark that began this generation.
        Raises RepositoryDamaged where one is whole behind one that is not.
        """
        mark, size = self.mark(), os.fstat(self._fd).st_size
        _, end, checksum = self._unpack(mark.start, size)
        head = os.pread(self._fd, _FRAME.size, end)
        if len(head) == _FRAME.size:
            after = end + _FRAME.size + _FRAME.unpack(head)[1] + _CRC.size
            if after < size:
                (broken,) = _CRC.unpack(os.pread(self._fd, _CRC.size, after - _CRC.size))
                if self._unpack(mark._replace(end=after, checksum=broken), size)[0]:
                    raise RepositoryDamaged(self._name, "its journal has a record that cannot be read")
        begun = end > _START  # or may have: the branch may be where its records lead, and git's lock gone
        self.tell(Mark(BOOT, mark.generation, end, size, checksum, begun))

    def empty(self, mark: Mark) -> Mark:
        """Begin again from the front, durably: git's own files have everything. Return the new mark.

        It keeps room for some times what it held, to a limit.
        """
        emptied = Mark(BOOT, mark.generation + 1, _START, mark.size)
        try:
            disk.write_at(self._fd, _pack_mark(emptied), 0, flush=True)
        except BaseException:
            with suppress(OSError):  # on disk, too, it may be either
                disk.write_at(self._fd, _pack_mark(mark), 0, flush=True)
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

    def _unpack(self, since: Mark, end: int) -> tuple[list[Record], int, int]:
        """Return the records of the whole frames behind a mark, where the last ends, and its checksum."""
        data, position, checksum = os.pread(self._fd, max(0, end - since.end), since.end), 0, since.checksum
        records: list[Record] = []
        while (frame := _find_frame(data, position, since.generation, checksum)) is not None:
            content, position, checksum = frame
            records += _unpack_records(content)
        return records, since.end + position, checksum


def _with_crc(data: bytes) -> bytes:
    return data + _CRC.pack(zlib.crc32(data))


def _is_whole(data: bytes) -> bool:
    return data[-_CRC.size :] == _CRC.pack(zlib.crc32(data[: -_CRC.size]))


def _pack_mark(mark: Mark) -> bytes:
    return _with_crc(_MARK.pack(_FORMAT, *mark))


def _pack_frame(records: Sequence[Record], mark: Mark) -> tuple[bytes, int]:
    """Return the frame that holds some records behind a mark, and its checksum."""
    content = b"".join(map(_pack_record, records))
    data = _FRAME.pack(mark.generation, len(content)) + content
    checksum = zlib.crc32(data, mark.checksum)
    return data + _CRC.pack(checksum), checksum


def _pack_record(record: Record) -> bytes:
    """Sizes first (the commit, how many files, each one's path and content), then what they are of."""
    sizes, parts = [len(record.commit.data), len(record.files)], [record.commit.data]
    for path, file in record.files.items():
        name = path.encode()
        sizes += [len(name), _REMOVED if file is None else len(file.data)]
        parts += [name] if file is None else [name, file.data]
    return struct.pack(f"<{len(sizes)}I", *sizes) + b"".join(parts)


def _find_frame(data: bytes, position: int, generation: int, before: int) -> tuple[bytes, int, int] | None:
    """Return the content of the frame at a position, where it ends, and its checksum; None if there is none.

    `before` is the checksum of the frame that it must follow.
    """
    if position + _FRAME.size > len(data):
        return None
    found, size = _FRAME.unpack_from(data, position)
    start = position + _FRAME.size
    end = start + size
    if found != generation or end + _CRC.size > len(data):
        return None
    checksum = zlib.crc32(data[position:end], before)
    if data[end : end + _CRC.size] != _CRC.pack(checksum):
        return None
    return data[start:end], end + _CRC.size, checksum


def _unpack_records(content: bytes) -> Iterator[Record]:
    position = 0
    while position < len(content):
        commit_size, count = struct.unpack_from("<2I", content, position)
        sizes = struct.unpack_from(f"<{2 * count}I", content, position + 8)
        position += 8 + 8 * count
        commit = GitObject.of("commit", content[position : position + commit_size])
        position += commit_size
        files: dict[str, GitObject | None] = {}
        for name_size, size in zip(sizes[::2], sizes[1::2], strict=True):
            start = position + name_size
            path = content[position:start].decode()
            position = start if size == _REMOVED else start + size
            files[path] = None if size == _REMOVED else GitObject.of("blob", content[start:position])
        yield Record(commit, files)
