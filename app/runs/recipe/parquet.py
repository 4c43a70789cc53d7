"""The rows of a run as a Parquet file, written while it is sent. Needs pyarrow, the extra `bakehouse[parquet]`."""

from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from io import RawIOBase
from typing import Any

from app.runs.recipe.formats import Row, values

_MOST_ROWS = 1000  # of a row group, which is in memory until it is written
_MOST_TEXT = 4 * 1024 * 1024  # characters of a row group


def is_installed() -> bool:
    """Tell whether Parquet files can be made here."""
    return find_spec("pyarrow") is not None


def pieces(rows: Iterable[Row], columns: Mapping[str, bool]) -> Iterator[bytes]:
    """Yield a Parquet file with these columns, a row group at a time."""
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    kinds = {True: pyarrow.int64(), False: pyarrow.string()}
    schema = pyarrow.schema([(name, kinds[is_number]) for name, is_number in columns.items()])
    sink = _Sink()
    with ParquetWriter(sink, schema, compression="zstd") as writer:
        for group in _groups(rows, columns):
            lists = [list(column) for column in zip(*group, strict=True)]
            writer.write_batch(pyarrow.record_batch(lists, schema=schema))
            yield sink.take()
    yield sink.take()


def _groups(rows: Iterable[Row], columns: Mapping[str, bool]) -> Iterator[list[list[Any]]]:
    group: list[list[Any]] = []
    size = 0
    for row in rows:
        group.append(values(row, columns))
        size += sum(len(value) for value in group[-1] if isinstance(value, str))
        if len(group) == _MOST_ROWS or size > _MOST_TEXT:
            yield group
            group, size = [], 0
    if group:
        yield group


class _Sink(RawIOBase):
    """A file that is only written, and keeps no more than what was not taken yet."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        """Tell pyarrow so."""
        return True

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._size

    def write(self, data: Any) -> int:
        """Keep some bytes until they are taken."""
        self._parts.append(bytes(data))
        self._size += len(self._parts[-1])
        return len(self._parts[-1])

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken
