"""Cells and lines of CSV files (RFC 4180)."""

import csv
import json
from collections.abc import Sequence
from io import StringIO
from typing import Any

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the list of OWASP


def cell(value: Any) -> str:
    """Return a value as a cell of a CSV file: a text as it is, all else as JSON.

    A text that a spreadsheet would take for a formula begins with `'` in its cell.
    """
    if not isinstance(value, str):
        return _encode(value)
    return f"'{value}" if value.startswith(_FORMULA) else value


def line(cells: Sequence[str]) -> bytes:
    """Return a line of a CSV file, without its end."""
    file = StringIO()
    csv.writer(file).writerow(cells)
    return file.getvalue().removesuffix("\r\n").encode()
