"""Data sets in Parquet, which pyarrow reads. It comes with `bakehouse[parquet]`."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from app.runs.datasets.columns import choose, text_of
from app.runs.datasets.problems import Unusable, first_line

_BATCH = 1000  # rows


@dataclass(frozen=True, slots=True)
class ParquetFile:
    """Which column of a file has the questions, and with which row each of its row groups begins, and the last ends."""

    column: str
    starts: Sequence[int]

    @classmethod
    def of(cls, file: BinaryIO, wanted: str | None) -> "ParquetFile":
        """Read the column of questions; Unusable unless each row has one."""
        with _opened(file) as parquet:
            column = choose(parquet.schema_arrow.names, wanted)
            starts = [0]
            for group in range(parquet.num_row_groups):
                number = starts[-1]
                for batch in parquet.iter_batches(_BATCH, row_groups=[group], columns=[column]):
                    for value in batch.column(0).to_pylist():
                        number += 1
                        text_of(value, column, f"row {number}")
                starts.append(number)
            return cls(column, starts)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.starts[-1]

    @property
    def weight(self) -> int:
        """The bytes that this takes in memory."""
        return 40 * len(self.starts)

    def texts(self, file: BinaryIO, indexes: Sequence[int]) -> list[str]:
        """Return the questions of some rows; one row group at a time is in memory."""
        found: dict[int, str] = {}
        with _opened(file) as parquet:
            for group, within in self._by_group(indexes).items():
                values = parquet.read_row_group(group, columns=[self.column]).column(0)
                for index in within:
                    value = values[index - self.starts[group]].as_py()
                    found[index] = text_of(value, self.column, f"row {index + 1}")
        return [found[index] for index in indexes]

    def _by_group(self, indexes: Iterable[int]) -> dict[int, list[int]]:
        """Return which of the indexes are in which row group."""
        groups: defaultdict[int, list[int]] = defaultdict(list)
        for index in indexes:
            groups[bisect_right(self.starts, index) - 1].append(index)
        return groups


@contextmanager
def _opened(file: BinaryIO) -> Iterator[Any]:
    """Open a file with pyarrow; Unusable where it is not installed, and for whatever it cannot read."""
    try:
        import pyarrow  # 60 ms and 60 MB, measured: only for who has Parquet files
        from pyarrow import parquet
    except ImportError:
        raise Unusable(
            "is a Parquet file, which needs pyarrow: ask the operator to install bakehouse[parquet], or to put the "
            "data there as JSON Lines or CSV."
        ) from None
    try:
        yield parquet.ParquetFile(file)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise Unusable(f"is no Parquet file that can be read: {first_line(error)}") from None
