"""Data sets in JSON Lines: an object a line."""

import json
from array import array
from dataclasses import dataclass
from typing import Any, BinaryIO

from app.runs.datasets.columns import choose, text_of
from app.runs.datasets.lines import lines
from app.runs.datasets.problems import Unusable
from app.runs.datasets.text_rows import TextRows


@dataclass(frozen=True, slots=True)
class JsonLines(TextRows):
    """The rows of a file."""

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

    def text(self, file: BinaryIO, index: int) -> str:
        """Return the question of a row."""
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
