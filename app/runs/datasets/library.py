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

_CACHE = 64 * 1024 * 1024  # bytes: the places of 8 million rows
_HUB_TABLE = 1024 * 1024  # bytes, about: the rows themselves are in a file
# Nanoseconds after a change in which a file may change again and have the same time: the clocks of files are coarse.
_YOUNG = 100_000_000


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
    """A file as it was read: what is said here is true as long as its identity is the same."""

    identity: tuple[int, ...]
    wanted: str | None
    digest: str
    table: _Table


class Datasets:
    """The data sets in a folder, and those of the hub. Threads may share one.

    Its methods raise DatasetProblem, whose message is for users. Names come from users, too: no name leads out of the
    folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: Cache[str, _Read] = Cache(_CACHE)
        self._loaded: Cache[str, HubTable] = Cache(_CACHE)

    def has(self, name: str) -> bool:
        """Tell whether the folder has a file for a data set."""
        with _explained(name):
            return bool(places.files(self._folder, name))

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
                texts = read.table.texts(file, indexes)
                _refuse_changed(read, file)
                return texts

    @contextmanager
    def _opened(self, name: str) -> Iterator[tuple[_Read, BufferedReader]]:
        path = places.file_of(self._folder, name)
        wanted = places.column_of(self._folder, name)
        with path.open("rb") as file:
            read = self._read.get(name)
            if read is None or (read.identity, read.wanted) != (places.identity(file.fileno()), wanted):
                read = _read(path, file, wanted)
                if _is_settled(read):
                    self._read.put(name, read, read.table.weight)
            yield read, file

    def _of_hub(self, name: str) -> HubTable:
        table = self._loaded.get(name)
        if table is None:
            table = HubTable.of(name)
            self._loaded.put(name, table, _HUB_TABLE)
        if not len(table):
            raise Unusable("is empty.")
        return table


def _read(path: Path, file: BufferedReader, wanted: str | None) -> _Read:
    """Read a whole file, a part at a time; Unusable unless each of its rows has a question, and there is one."""
    identity = places.identity(file.fileno())
    content = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    table = _READERS[path.suffix](file, wanted)
    digest = canonical_json.digest({"format": path.suffix, "content": content, "column": table.column})
    read = _Read(identity, wanted, digest, table)
    _refuse_changed(read, file)
    if not len(table):
        raise Unusable("is empty: it must have at least one row.")
    return read


def _refuse_changed(read: _Read, file: BinaryIO) -> None:
    if places.identity(file.fileno()) != read.identity:
        raise Unusable("changed while it was read. Try again when it is written.")


def _is_settled(read: _Read) -> bool:
    """Tell whether another content would have another identity."""
    return time.time_ns() - read.identity[-1] > _YOUNG


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
