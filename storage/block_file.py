"""The field index on disk: blocks of bytes in an SQLite file that lies in the repository's folder.

The file holds nothing that cannot be derived from the commits. So it may be lost, old, locked, damaged or impossible
to write: a block that cannot be read is None, and is made anew. SQLite keeps the writes of several processes apart,
and each block has a checksum, since SQLite does not notice a bit that has changed in a row.
"""

import hashlib
import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from storage.ids import CommitId

NAME = "field-index.sqlite"
_LAYOUT = 1  # of the blocks; a block of another layout is not read
_TABLE = "CREATE TABLE IF NOT EXISTS blocks (number INTEGER PRIMARY KEY, checksum BLOB NOT NULL, data BLOB NOT NULL)"
_PATIENCE = 0.1  # seconds that a reader or writer waits for another process
_REST = 5.0  # seconds for which the file is left alone once it could not be used: an answer may ask for many blocks

_log = logging.getLogger(__name__)


class BlockFile:
    """The blocks of one repository, by number. Threads and processes may share one."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._rested = 0.0  # when the file may be used again

    def read(self, number: int, through: CommitId) -> bytes | None:
        """Return a block; None if there is none that was made at this commit, or if it cannot be read."""
        if time.monotonic() < self._rested or not self._path.is_file():
            return None
        try:
            with self._open("ro") as file:
                rows = file.execute("SELECT checksum, data FROM blocks WHERE number = ?", (number,)).fetchall()
        except sqlite3.OperationalError:
            self._rested = time.monotonic() + _REST
            return None
        except sqlite3.DatabaseError:  # damaged; the next writer begins the file anew
            return None
        for checksum, data in rows:
            if isinstance(data, bytes) and checksum == _checksum(number, through, data):
                return data
        return None

    def write(self, number: int, through: CommitId, data: bytes) -> None:
        """Keep a block that was made at a commit, in place of one with its number, unless the disk refuses."""
        if time.monotonic() < self._rested:
            return
        try:
            with self._open("rwc") as file, file:
                file.execute(_TABLE)
                row = (number, _checksum(number, through, data), data)
                file.execute("INSERT OR REPLACE INTO blocks VALUES (?, ?, ?)", row)
        except sqlite3.OperationalError as error:  # a full or read-only disk, or another process that writes
            self._rested = time.monotonic() + _REST
            _log.debug("A block of the field index is not kept: %s", error)
        except sqlite3.DatabaseError as error:
            _log.warning("The field index %s is damaged, and begins anew: %s", self._path, error)
            with suppress(OSError):
                self._path.unlink()

    @contextmanager
    def _open(self, mode: str) -> Iterator[sqlite3.Connection]:
        address = f"file:{quote(str(self._path))}?mode={mode}"
        with closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE)) as file:
            yield file


class NoBlockFile(BlockFile):
    """No file, for a repository that is only read: each block is made anew."""

    def read(self, *_: object) -> None:
        """Return None."""

    def write(self, *_: object) -> None:
        """Keep nothing."""


def _checksum(number: int, through: CommitId, data: bytes) -> bytes:
    """Return the hash of a block and of what it is: of the commit that it was made at, and thus of all before it."""
    return hashlib.sha256(f"{_LAYOUT} {number} {through} ".encode() + data).digest()
