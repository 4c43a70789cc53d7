"""Data sets in CSV (RFC 4180): a header, and a record a row, which may go over several lines."""

import csv
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from app.runs.datasets.columns import choose, text_of
from app.runs.datasets.lines import lines
from app.runs.datasets.problems import Unusable
from app.runs.datasets.text_rows import TextRows


@dataclass(frozen=True, slots=True)
class CsvFile(TextRows):
    """The rows of a file; `position` is that of the column in the header."""

    position: int

    @classmethod
    def of(cls, file: BinaryIO, wanted: str | None) -> "CsvFile":
        """Read a whole file, row by row; Unusable unless each row has as many fields as the header, and a question."""
        header: list[str] = []
        places = array("Q")
        column, position = "", 0
        for place, number, fields in _records(file):
            if not header:
                header = fields
                column = choose(header, wanted)
                position = header.index(column)
            elif len(fields) != len(header):
                raise Unusable(
                    f"has {len(fields)} fields in the row that ends in line {number}, and {len(header)} in its header: "
                    "put quotes around a field with commas."
                )
            else:
                text_of(fields[position], column, f"the row that ends in line {number}")
                places.append(place)
        return cls(column, places, position)

    def text(self, file: BinaryIO, index: int) -> str:
        """Return the question of a row."""
        _, _, fields = next(_records(file, self.places[index]))
        return text_of(fields[self.position], self.column, f"row {index + 1}")


def _records(file: BinaryIO, start: int = 0) -> Iterator[tuple[int, int, list[str]]]:
    """Yield the place of each record, in bytes, the number of its last line, and its fields."""
    reached = start

    def text() -> Iterator[str]:
        nonlocal reached
        for _, end, line in lines(file, start):
            if "\0" in line:
                raise Unusable(f"has a NUL character in line {reader.line_num + 1}.")
            reached = end
            yield line

    reader = csv.reader(text(), strict=True)
    while True:
        place = reached
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Unusable(f"is no CSV: {error}, in line {reader.line_num}.") from None
        if fields:
            yield place, reader.line_num, fields
