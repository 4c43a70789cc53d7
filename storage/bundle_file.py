"""The header of a git bundle: the refs in it, and where its pack begins.

Source: git's `gitformat-bundle` and `gitformat-pack`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

_FIRST_LINES = (b"# v2 git bundle\n", b"# v3 git bundle\n")
_SHA1 = b"@object-format=sha1\n"
_LONGEST_LINE = 4096  # bytes
_MOST_LINES = 10_000
_MOST_OBJECTS = 1_000_000
_ID = 40  # hex digits
_DIGITS = frozenset(b"0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Header:
    """The refs of a bundle, each with the id of its object, and how many bytes are before the pack."""

    refs: Mapping[str, str]
    size: int


def read_header(file: IO[bytes]) -> Header:
    """Return the header of a bundle that has a whole history; ValueError says what is wrong."""
    if file.readline(_LONGEST_LINE) not in _FIRST_LINES:
        raise ValueError("it is no git bundle")
    refs: dict[str, str] = {}
    for _ in range(_MOST_LINES):
        line = file.readline(_LONGEST_LINE)
        if line == b"\n":
            size = file.tell()
            _check_pack(file.read(12))
            return Header(refs, size)
        if line.startswith(b"-"):
            raise ValueError("it has only a part of the history: make it of 'main', not of a range of commits")
        if line == _SHA1:
            continue
        digits, space, ref = line[:_ID], line[_ID : _ID + 1], line[_ID + 1 :].rstrip(b"\n")
        if len(digits) < _ID or not _DIGITS.issuperset(digits) or space != b" " or not line.endswith(b"\n"):
            raise ValueError("its header has a line that is no ref with the SHA-1 of an object")
        refs[ref.decode("utf-8", "replace")] = digits.decode()
    raise ValueError(f"it has over {_MOST_LINES} refs")


def _check_pack(start: bytes) -> None:
    if len(start) < 12 or not start.startswith(b"PACK"):
        raise ValueError("it has no pack")
    count = int.from_bytes(start[8:])
    if count > _MOST_OBJECTS:
        raise ValueError(f"it has {count} objects, and {_MOST_OBJECTS} are allowed")
