"""The records of a journal, as bytes: what is added at once is one frame.

A record is a commit and the files that it changed; all else follows from those and its parent.
A frame has one checksum: it is there whole or not at all. The checksum is also of the one before, so
what an append left that was cut off never counts behind another.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from storage.plumbing.packs import GitObject

_HEAD = struct.Struct("<QI")  # generation, size of the records that follow; then the CRC-32 of all that
_CRC = struct.Struct("<I")
_REMOVED = 0xFFFFFFFF  # in the place of a file's size

NONE = bytes(_HEAD.size)  # begins no frame: there is no generation 0


@dataclass(frozen=True, slots=True)
class Record:
    """A commit, and the files that it changed, by path; None for one that it took away."""

    commit: GitObject
    files: Mapping[str, GitObject | None]


def pack(records: Sequence[Record], generation: int, before: int) -> tuple[bytes, int]:
    """Return the frame that holds some records, and its checksum; `before` is that of the one before."""
    content = b"".join(map(_pack_record, records))
    data = _HEAD.pack(generation, len(content)) + content
    checksum = zlib.crc32(data, before)
    return data + _CRC.pack(checksum), checksum


def unpack(data: bytes, generation: int, before: int = 0) -> tuple[list[Record], int, int]:
    """Return the records of the whole frames that data begins with, their length, and the last checksum.

    The length is in bytes. `before` is that of the frame before, which is 0 for the first of a generation.
    """
    position, checksum = 0, before
    records: list[Record] = []
    while (frame := _find_frame(data, position, generation, checksum)) is not None:
        content, position, checksum = frame
        records += _unpack_records(content)
    return records, position, checksum


def is_followed(data: bytes, generation: int) -> bool:
    """Tell whether a whole frame comes behind the frame, not whole itself, that data begins with."""
    if len(data) < _HEAD.size:
        return False
    end = _HEAD.size + _HEAD.unpack_from(data)[1]
    after = end + _CRC.size
    if after >= len(data):
        return False
    (broken,) = _CRC.unpack_from(data, end)
    return _find_frame(data, after, generation, broken) is not None


def _find_frame(data: bytes, position: int, generation: int, before: int) -> tuple[bytes, int, int] | None:
    """Return the content of the frame at a position, where it ends, and its checksum; None if there is none.

    `before` is the checksum of the frame that it must follow.
    """
    if position + _HEAD.size > len(data):
        return None
    found, size = _HEAD.unpack_from(data, position)
    start = position + _HEAD.size
    end = start + size
    if found != generation or end + _CRC.size > len(data):
        return None
    checksum = zlib.crc32(data[position:end], before)
    if data[end : end + _CRC.size] != _CRC.pack(checksum):
        return None
    return data[start:end], end + _CRC.size, checksum


def _pack_record(record: Record) -> bytes:
    """Sizes first (the commit, how many files, each one's path and content), then what they are of."""
    sizes, parts = [len(record.commit.data), len(record.files)], [record.commit.data]
    for path, file in record.files.items():
        name = path.encode()
        sizes += [len(name), _REMOVED if file is None else len(file.data)]
        parts += [name] if file is None else [name, file.data]
    return struct.pack(f"<{len(sizes)}I", *sizes) + b"".join(parts)


def _unpack_records(content: bytes) -> Iterator[Record]:
    position = 0
    while position < len(content):
        commit_size, count = struct.unpack_from("<2I", content, position)
        sizes = struct.unpack_from(f"<{2 * count}I", content, position + 8)
        position += 8 + 8 * count
        commit = GitObject.of("commit", content[position : position + commit_size])
        position += commit_size
        files: dict[str, GitObject | None] = {}
        for name_size, size in zip(sizes[::2], sizes[1::2], strict=True):
            start = position + name_size
            path = content[position:start].decode()
            position = start if size == _REMOVED else start + size
            files[path] = None if size == _REMOVED else GitObject.of("blob", content[start:position])
        yield Record(commit, files)
