"""The file of a journal: a header, and frames of records behind it.

To append is one write into room that the file has already, flushed as it is made. Git's files (a pack, its
index, the branch) take ten times as long. After a checkpoint the next generation of frames begins at the
front.

The header is flushed only at a checkpoint: after a power loss the frames tell by their checksums how far they
go (`recover_end`).
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

from storage.errors import RepositoryDamaged, TipMoved
from storage.journal import frames, header
from storage.journal.header import START, Header
from storage.journal.interface import Position
from storage.journal.records import Record
from storage.machine import disk

NAME = "bakehouse-journal"

_MAX_GROWTH = 256 * 1024  # bytes per append; one larger record may grow the file further
_SPARE = 4  # the room that is kept: this times what the last generation had, and times _MAX_GROWTH
_TRIES = 1000  # to read a header that others write again and again
_UNREADABLE = (
    f"its journal, the file {NAME}, cannot be read. Put a copy of the repository in its place; or move "
    "that file away, and lose what was written last"
)


class JournalFile:
    """An open journal. Any thread may read. Who holds the file's lock may write, and nobody else."""

    def __init__(self, name: str, fd: int) -> None:
        self._name = name
        self._fd = fd

    def header(self) -> Header:
        """Return how far the journal goes now."""
        for _ in range(_TRIES):  # a header that is just being written has a wrong checksum
            found = Header.parse(os.pread(self._fd, header.SIZE, 0))
            if found is not None:
                return found
        raise self.damage()

    def damage(self) -> RepositoryDamaged:
        """Return the error for a journal whose records cannot be read."""
        return RepositoryDamaged(self._name, _UNREADABLE)

    def between(self, since: Header, until: Header) -> list[Record] | None:
        """Return the records between two headers; None where they were just written over."""
        data = os.pread(self._fd, until.end - since.end, since.end)
        records, length, _ = frames.unpack(data, since.generation, since.checksum)
        return records if since.end + length == until.end else None

    def append(self, after: Position, records: Sequence[Record]) -> Header:
        """Add records as `LockedJournal.append` has it.

        The file grows ahead of its records: otherwise each append would flush a new size, too.
        """
        before = self.header()
        if before != after:
            raise TipMoved(self._name)
        if before.emptying:  # on disk the header may be of the next generation, which has no such records
            self._write_header(before, flush=True)
        data, checksum = frames.pack(records, before.generation, before.checksum)
        end = size = before.end + len(data)
        if end <= before.size:
            size = before.size
        elif end < (ahead := before.size + min(before.size, _MAX_GROWTH)):
            data, size = data.ljust(ahead - before.end, b"\0"), ahead
        try:
            disk.write_at(self._fd, data, before.end, flush=True)
        except BaseException:
            self._invalidate(before.end)
            raise
        try:
            return self._write_header(Header.now(before.generation, end, size, checksum))
        except OSError:  # another exception, as at a kill, may come when others have seen the header
            self._invalidate(before.end)
            raise

    def checkpointed(self, end: Position) -> Header:
        """Begin the next generation at the front, as `LockedJournal.checkpointed` has it."""
        before = self._write_header(cast(Header, end)._replace(emptying=True))
        emptied = Header.now(before.generation + 1, START, before.size)
        try:
            self._write_header(emptied, flush=True)
        except BaseException:
            with suppress(OSError):
                self._write_header(before)
            raise
        with suppress(OSError):  # the file then keeps its size
            return self._resize(emptied, min(before.size, _SPARE * before.end, _SPARE * _MAX_GROWTH))
        return emptied

    def shrink(self) -> None:
        """Give back all room behind the header, if there are no records."""
        found = self.header()
        if found.is_empty and found.is_current:
            self._resize(found, START)

    def recover_end(self) -> None:
        """Write the header anew after a power loss: the journal goes as far as its frames are whole.

        Each frame was flushed before the next was written, and so was the header of this generation. Raises
        RepositoryDamaged where a whole frame follows a broken one.
        """
        found = self.header()
        if found.is_current:  # another process was quicker
            return
        size = os.fstat(self._fd).st_size
        data = os.pread(self._fd, max(0, size - START), START)
        _, length, checksum = frames.unpack(data, found.generation)
        end = START + length
        # A frame is flushed before the header tells of it. So a power loss cannot have cut off such a frame.
        if end < found.end or frames.is_followed(data[length:], found.generation):
            raise self.damage()
        self._write_header(Header.now(found.generation, end, size, checksum))

    def _invalidate(self, position: int) -> None:
        """Leave no frame at a position, whose writing failed."""
        with suppress(OSError):
            disk.write_at(self._fd, frames.NONE, position, flush=True)

    def _write_header(self, new: Header, *, flush: bool = False) -> Header:
        disk.write_at(self._fd, new.pack(), 0, flush=flush)
        return new

    def _resize(self, found: Header, size: int) -> Header:
        """Let the file have no more than `size` bytes, and return its header."""
        if size == found.size:
            return found
        resized = self._write_header(found._replace(size=size))
        with suppress(OSError):  # the file then has more bytes, which is no harm
            os.ftruncate(self._fd, size)
        return resized
