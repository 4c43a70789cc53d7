"""The field index: which commits changed which fields, found without reading the files of all commits.

Commits never change, so what they changed is derived once, in blocks of COMMITS commits, when somebody asks: newest
blocks first, and no more of them for one answer than its reader may read. Writes do nothing for the index.
"""

import threading
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Protocol

from storage.ancestry import Ancestry
from storage.block import ANY_FIELD, Block, Row
from storage.block_file import BlockFile
from storage.caches import Cache
from storage.comparisons import FileChange
from storage.git_log import LoggedCommit
from storage.history import History
from storage.ids import CommitId
from storage.location import Location
from storage.log_filter import EVERYTHING, LogFilter
from storage.revisions import Revisions

COMMITS = 256  # of a block
MOST_FILES = 1000  # of a commit; any further ones are taken to have changed in any field
_MOST_TEXTS = 2000  # commits whose author or message is looked at for one answer


class Reader(Protocol):
    """What storage does not know: the fields of files."""

    def is_spent(self) -> bool:
        """Tell whether this answer has read enough files."""

    def names(self, commit: CommitId, file: FileChange) -> Sequence[str]:
        """Return the names of the fields that a commit changed in a file."""


class FieldIndex:
    """The index of one repository. Threads may share one."""

    def __init__(
        self,
        location: Location,
        ancestry: Ancestry,
        revisions: Revisions,
        history: History,
        blocks: Cache[tuple[str, int], Block],
        file: BlockFile,
    ) -> None:
        self._location = location
        self._ancestry = ancestry
        self._revisions = revisions
        self._history = history
        self._blocks = blocks
        self._file = file
        self._lock = threading.Lock()

    def search(
        self, name: str, wanted: LogFilter, reader: Reader, start: CommitId, before: CommitId | None
    ) -> Iterator[LoggedCommit]:
        """Yield the commits from `start` back that may have changed a field, with the files in which they may have.

        `name` is the field's JSON Pointer. A field in a longer list or deeper object may be named by its parent alone,
        so the caller must compare the files. A commit without files is the last one: all commits down to it were
        looked at, and the reader has read enough.
        """
        with self._location.explained():
            newest, oldest = self._history.span(wanted, self._revisions.newest(start, before))
            if newest >= oldest:
                yield from self._search(name, wanted, reader, newest, oldest)

    def fill(self, reader: Reader) -> int:
        """Make each whole block that is not on disk, and return the number of commits in those that are there now."""
        with self._location.explained():
            self._ancestry.catch_up()
            return sum(self._fill(number, reader) for number in reversed(range(self._ancestry.count() // COMMITS)))

    def _fill(self, number: int, reader: Reader) -> int:
        last = (number + 1) * COMMITS - 1
        through = self._ancestry.id_at(last)
        if self._file.read(number, through) is not None:
            return 0
        self._block(number, last, reader)
        return COMMITS if self._file.read(number, through) is not None else 0  # a full disk keeps nothing

    def _search(self, name: str, wanted: LogFilter, reader: Reader, newest: int, oldest: int) -> Iterator[LoggedCommit]:
        has_path, accepts, looked = cache(wanted.has_path), self._history.test_of_texts(wanted, newest), 0
        for number in range(newest // COMMITS, oldest // COMMITS - 1, -1):
            top = min(newest, (number + 1) * COMMITS - 1)
            block, low = self._block(number, top, reader)
            for position, files in block.find(name, has_path):
                if not max(low, oldest) <= position <= top:
                    continue
                if looked == _MOST_TEXTS:
                    yield LoggedCommit(self._ancestry.id_at(position + 1), [])
                    return
                commit = self._ancestry.id_at(position)
                looked += accepts is not None
                if accepts is None or accepts(position):
                    yield LoggedCommit(commit, files)
            if low > max(oldest, number * COMMITS):
                yield LoggedCommit(self._ancestry.id_at(low), [])
                return

    def _block(self, number: int, top: int, reader: Reader) -> tuple[Block, int]:
        """Return the block of a number, and the position down to which it has all commits from `top` back.

        It has the one at `top` at least, unless the reader is spent.
        """
        first, key = number * COMMITS, (str(self._location.folder), number)
        last = min(first + COMMITS, self._ancestry.count()) - 1
        through, is_full = self._ancestry.id_at(last), last == first + COMMITS - 1
        block = self._kept(key, through)
        if block.reach(top) > first:
            with self._lock:
                block = self._kept(key, through)  # another thread may have read some
                data = self._file.read(number, through) if is_full else None
                if data is not None:
                    block = Block.load(through, range(first, last + 1), data)
                elif block.reach(top) > first:
                    block = self._extended(block, through, top, first, reader)
                    if len(block.known) == COMMITS:
                        self._file.write(number, through, block.dump())
                self._blocks.put(key, block, block.size)
        return block, block.reach(top)

    def _kept(self, key: tuple[str, int], through: CommitId) -> Block:
        """Return what is in memory of a block, however little."""
        block = self._blocks.get(key)
        if block is None or (block.through != through and self._ancestry.position(block.through) is None):
            return Block.of(through, (), ())  # nothing, or of a history that an operator rewrote
        return block

    def _extended(self, block: Block, through: CommitId, top: int, first: int, reader: Reader) -> Block:
        """Return a block with more of its commits, from `top` back to where the reader has read enough."""
        known, rows, position = set[int](), list[Row](), top
        while position >= first and not reader.is_spent():
            oldest = position
            while oldest >= first and oldest not in block.known:
                oldest -= 1
            more, low = self._rows(position, oldest + 1, reader)
            rows += more
            known |= {*range(low, position + 1)}
            position = block.reach(low - 1) - 1
        return block.extended(through, known, rows) if known else block

    def _rows(self, newest: int, oldest: int, reader: Reader) -> tuple[list[Row], int]:
        """Return the rows of commits, newest first, and the position down to which the reader has read."""
        rows: list[Row] = []
        low = newest + 1
        if newest < oldest:
            return rows, low
        for logged in self._history.log(EVERYTHING, newest=newest, oldest=oldest):
            if reader.is_spent():
                break
            low -= 1
            for number, file in enumerate(logged.files):
                names = reader.names(logged.commit, file) if number < MOST_FILES else (ANY_FIELD,)
                rows.append(Row(low, file, names))
        return rows, low
