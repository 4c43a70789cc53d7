"""The field index: which commits changed which fields, found without reading the files of all commits.

Commits never change, so what they changed is derived once, in blocks of COMMITS commits, when somebody asks: newest
blocks first, and no more of them for one answer than its reader may read. Writes do nothing for the index.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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


@dataclass(slots=True)
class _Span:
    """Rows of the commits from the position `low` up to `through` at `high`."""

    through: CommitId
    high: int
    low: int
    rows: list[Row]


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
        self._spans: dict[int, _Span] = {}

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

    def _search(self, name: str, wanted: LogFilter, reader: Reader, newest: int, oldest: int) -> Iterator[LoggedCommit]:
        has_path, accepts, looked = cache(wanted.has_path), self._history.test_of_texts(wanted, newest), 0
        for number in range(newest // COMMITS, oldest // COMMITS - 1, -1):
            block, low = self._block(number, reader)
            for position, files in block.find(name, has_path):
                if not oldest <= position <= newest:
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

    def _block(self, number: int, reader: Reader) -> tuple[Block, int]:
        """Return the block of a number, and the position down to which it is whole."""
        first, last = number * COMMITS, min((number + 1) * COMMITS, self._ancestry.count()) - 1
        through, key = self._ancestry.id_at(last), (str(self._location.folder), number)
        block = self._blocks.get(key)
        if block is not None and block.through == through:
            return block, first
        is_full = last == first + COMMITS - 1
        data = self._file.read(number, through) if is_full else None
        low = first
        if data is not None:
            block = Block.load(through, data)
        else:
            with self._lock:
                span = self._spans[number] = self._extended(number, through, last, reader)
                low = span.low
                kept = (number, max(self._spans))  # the one that is being made, and the newest
                self._spans = {each: known for each, known in self._spans.items() if each in kept}
            block = Block.of(through, span.rows)
            if is_full and low == first:
                self._file.write(number, through, block.dump())
        if low == first:
            self._blocks.put(key, block, block.size)
        return block, low

    def _extended(self, number: int, through: CommitId, last: int, reader: Reader) -> _Span:
        """Return the span of a block up to its last commit, and as far down as the reader reads."""
        first, known = number * COMMITS, self._spans.get(number)
        if known is not None and self._ancestry.position(known.through) != known.high:
            known = None  # an operator rewrote the history
        rows, low = self._rows(last, first if known is None else known.high + 1, reader)
        if known is not None and low == known.high + 1:
            more, low = self._rows(known.low - 1, first, reader)
            rows += known.rows + more
        return _Span(through, last, low, rows)

    def _rows(self, newest: int, oldest: int, reader: Reader) -> tuple[list[Row], int]:
        """Return the rows of commits, newest first, and the position down to which the reader has read."""
        rows: list[Row] = []
        low = newest + 1
        if newest < oldest or reader.is_spent():
            return rows, low
        for logged in self._history.log(EVERYTHING, newest=newest, oldest=oldest):
            if reader.is_spent():
                break
            low -= 1
            for number, file in enumerate(logged.files):
                names = reader.names(logged.commit, file) if number < MOST_FILES else (ANY_FIELD,)
                rows.append(Row(low, file, names))
        return rows, low
