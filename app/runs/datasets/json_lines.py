"""Data sets in JSON Lines: an object a line."""

import json
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO

from app.runs.datasets.columns import choose, text_of
from app.runs.datasets.lines import lines
from app.runs.datasets.problems import Unusable


@dataclass(frozen=True, slots=True)
class JsonLines:
    """Where each row of a file is, in bytes, and which column has the questions."""

    column: str
    places: "array[int]"

    @classmethod
    def of(cls, file: BinaryIO, wanted: str | None) -> "JsonLines":
        """Read a whole file, row by row; Unusable unless each row has a question."""
        column = None
        places = array("Q")
        for number, (place, _, line) in enumerate(lines(file), 1):
            if not line.strip():
                continue
            row = _object(line, number)
            column = column or choose(row, wanted)
            if column not in row:
                raise Unusable(f"has no '{column}' in line {number}.")
            text_of(row[column], column, f"line {number}")
            places.append(place)
        return cls(column or "", places)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.places)

    @property
    def weight(self) -> int:
        """The bytes that this takes in memory."""
        return self.places.itemsize * len(self.places)

    def texts(self, file: BinaryIO, indexes: Iterable[int]) -> list[str]:
        """Return the questions of some rows."""
        return [self._text(file, index) for index in indexes]

    def _text(self, file: BinaryIO, index: int) -> str:
        _, _, line = next(lines(file, self.places[index]))
        return text_of(_object(line, index + 1)[self.column], self.column, f"row {index + 1}")


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        why = getattr(error, "msg", "it is nested too deeply or has a number that is too long")
        raise Unusable(f"has no JSON in line {number}: {why}.") from None
    if not isinstance(row, dict):
        raise Unusable(f"has no JSON object in line {number}.")
    return row
