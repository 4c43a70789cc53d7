"""The data sets by name: what a file has, kept as long as the file is the same."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Protocol

from app.domain import canonical_json
from app.runs.datasets import hub, places
from app.runs.datasets.csv_files import CsvFile
from app.runs.datasets.hub import HubTable
from app.runs.datasets.json_lines import JsonLines
from app.runs.datasets.parquet_files import ParquetFile
from app.runs.datasets.problems import DatasetProblem, Unusable
from storage.caches import Cache

_CACHE = 256 * 1024 * 1024  # bytes: the places of 32 million rows
_NOT_LOADED = 1024 * 1024  # bytes
_HUB_TABLE = 1024 * 1024  # bytes, about: the rows themselves are in a file
# Nanoseconds after a change in which a file may change again and have the same time: the clocks of files are coarse.
_YOUNG = 100_000_000
_PAUSE = 60.0  # seconds until the hub is asked again for what it did not give: an answer may take it that long


class _Table(Protocol):
    """What is known of a file: which column has the questions, and where each row is."""

    @property
    def column(self) -> str: ...
    @property
    def weight(self) -> int: ...
    def __len__(self) -> int: ...
    def texts(self, file: BinaryIO, indexes: Sequence[int]) -> list[str]: ...


_READERS: dict[str, Callable[[BinaryIO, str | None], _Table]] = {
    ".csv": CsvFile.of,
    ".jsonl": JsonLines.of,
    ".parquet": ParquetFile.of,
}


@dataclass(frozen=True, slots=True)
class _Read:
    """A file as it was read."""

    digest: str
    table: _Table


@dataclass(frozen=True, slots=True)
class _Known:
    """What came of reading a file, or why it is unusable: true as long as the file has the same identity."""

    identity: tuple[int, ...]
    wanted: str | None
    outcome: _Read | str

    @property
    def weight(self) -> int:
        """The bytes that this takes in memory."""
        return len(self.outcome) if isinstance(self.outcome, str) else self.outcome.table.weight


class Datasets:
    """The data sets in a folder, and those of the hub. Threads may share one.

    Its methods raise DatasetProblem, whose message is for users. Names come from users, too: no name leads out of the
    folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: Cache[str, _Known] = Cache(_CACHE)
        self._loaded: Cache[str, HubTable] = Cache(_CACHE)
        self._not_loaded: Cache[str, tuple[float, str]] = Cache(_NOT_LOADED)

    def has(self, name: str) -> bool:
        """Tell whether the folder has a file for a data set."""
        with _explained(name):
            return bool(places.files(self._folder, name))

    def is_at_hand(self, name: str) -> bool:
        """Tell whether a data set is one of files, or was loaded from the hub by this process."""
        return not _is_of_hub(name) or self._loaded.get(name) is not None

    def digest(self, name: str) -> str:
        """Return a SHA-256 that is another where the content is, or where another column is read."""
        with _explained(name):
            if _is_of_hub(name):
                return canonical_json.digest({"hub": hub.pinned(name)})
            with self._opened(name) as (read, _):
                return read.digest

    def size(self, name: str) -> int:
        """Return how many questions a data set has, one or more."""
        with _explained(name):
            if _is_of_hub(name):
                return len(self._of_hub(name))
            with self._opened(name) as (read, _):
                return len(read.table)

    def questions(self, name: str, indexes: Sequence[int], digest: str | None = None) -> list[str]:
        """Return the questions at some indexes, in that order, of the data set with a digest, or as it is now."""
        with _explained(name):
            if _is_of_hub(name):
                return self._of_hub(name).texts(indexes)
            with self._opened(name) as (read, file):
                if digest not in (None, read.digest):
                    raise Unusable("was changed after the run was started. Start the run again.")
                with _unchanged(file):
                    return read.table.texts(file, indexes)

    @contextmanager
    def _opened(self, name: str) -> Iterator[tuple[_Read, BufferedReader]]:
        path = places.file_of(self._folder, name)
        wanted = places.column_of(self._folder, name)
        with path.open("rb") as file:
            identity = places.identity(file.fileno())
            known = self._known.get(name)
            if known is None or (known.identity, known.wanted) != (identity, wanted):
                known = _Known(identity, wanted, _outcome(path, file, wanted))
                if _is_settled(identity):
                    self._known.put(name, known, known.weight)
            if isinstance(known.outcome, str):
                raise Unusable(known.outcome)
            yield known.outcome, file

    def _of_hub(self, name: str) -> HubTable:
        table = self._loaded.get(name)
        if table is not None:
            return table
        since, message = self._not_loaded.get(name) or (-_PAUSE, "")
        if time.monotonic() - since < _PAUSE:
            raise Unusable(message)
        try:
            table = HubTable.of(name)
        except Unusable as error:
            self._not_loaded.put(name, (time.monotonic(), str(error)), len(str(error)))
            raise
        self._loaded.put(name, table, _HUB_TABLE)
        return table


def _outcome(path: Path, file: BufferedReader, wanted: str | None) -> _Read | str:
    """Read a whole file, a part at a time; return why it is unusable unless each row has a question."""
    try:
        with _unchanged(file):
            content = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            table = _READERS[path.suffix](file, wanted)
    except Unusable as error:
        return str(error)
    if not len(table):
        return "is empty: it must have at least one row."
    told = {"format": path.suffix, "content": content, "column": table.column}
    return _Read(canonical_json.digest(told), table)


@contextmanager
def _unchanged(file: BufferedReader) -> Iterator[None]:
    """Raise Unusable where a file changes meanwhile."""
    identity = places.identity(file.fileno())
    yield
    if places.identity(file.fileno()) != identity:
        raise Unusable("changed while it was read. Try again when it is written.")


def _is_settled(identity: tuple[int, ...]) -> bool:
    """Tell whether another content would have another identity."""
    return time.time_ns() - identity[-1] > _YOUNG


def _is_of_hub(name: str) -> bool:
    return "/" in name


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Raise DatasetProblem for what is wrong with a data set."""
    try:
        yield
    except Unusable as error:
        raise DatasetProblem(name, str(error)) from error
    except OSError as error:
        raise DatasetProblem(name, f"cannot be read: {error.strerror}. Ask the operator.") from error
