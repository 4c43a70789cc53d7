"""The lines of a text file, read one by one."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from app.runs.datasets.problems import Unusable

_MOST_BYTES = 16 * 1024 * 1024  # of a line


def lines(file: BinaryIO, start: int = 0) -> Iterator[tuple[int, int, str]]:
    """Yield each line from a place on, with where it begins and ends, in bytes; Unusable unless it is UTF-8."""
    file.seek(start)
    place, number = start, 0
    while data := file.readline(_MOST_BYTES + 1):
        number += 1
        if len(data) > _MOST_BYTES:
            raise Unusable(f"has more than {_MOST_BYTES} bytes in line {number}: write each row on a line of its own.")
        try:
            line = (data.removeprefix(codecs.BOM_UTF8) if place == 0 else data).decode()
        except UnicodeDecodeError as error:
            raise Unusable(
                f"is not UTF-8: line {number} has a byte 0x{data[error.start]:02x}. Save the file as UTF-8."
            ) from None
        yield place, place + len(data), line
        place += len(data)
