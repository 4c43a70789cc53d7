"""The records of a journal, as bytes: those that are appended at once are one frame.

A frame has one checksum, so it counts whole or not at all. The checksum continues that of the frame before:
so the remains of an append that was cut off never count behind another frame.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence

from storage.journal.records import CommitRecord, Record, TagRecord
from storage.plumbing.object import GitObject

_HEAD = struct.Struct("<QI")  # generation, size of the records that follow; then the CRC-32 of all that
_CRC = struct.Struct("<I")
_REMOVED = 0xFFFFFFFF  # in the place of a file's size
_TAG = 0xFFFFFFFF  # in the place of a commit's number of files

NONE = bytes(_HEAD.size)  # no frame begins like this: there is no generation 0


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
    """Write the sizes first, then the contents.

    Of a commit: its size, the number of files, each file's size of path and of content. Of a tag: its size,
    `_TAG`, the size of its name.
    """
    if isinstance(record, TagRecord):
        name = record.name.encode()
        return struct.pack("<3I", len(record.tag.data), _TAG, len(name)) + record.tag.data + name
    sizes, parts = [len(record.commit.data), len(record.files)], [record.commit.data]
    for path, file in record.files.items():
        name = path.encode()
        sizes += [len(name), _REMOVED if file is None else len(file.data)]
        parts += [name] if file is None else [name, file.data]
    return struct.pack(f"<{len(sizes)}I", *sizes) + b"".join(parts)


def _unpack_records(content: bytes) -> Iterator[Record]:
    position = 0
    while position < len(content):
        size, count = struct.unpack_from("<2I", content, position)
        if count == _TAG:
            (name_size,) = struct.unpack_from("<I", content, position + 8)
            start = position + 12 + size
            tag = GitObject.of("tag", content[position + 12 : start])
            position = start + name_size
            yield TagRecord(content[start:position].decode(), tag)
            continue
        sizes = struct.unpack_from(f"<{2 * count}I", content, position + 8)
        position += 8 + 8 * count
        commit = GitObject.of("commit", content[position : position + size])
        position += size
        files: dict[str, GitObject | None] = {}
        for name_size, file_size in zip(sizes[::2], sizes[1::2], strict=True):
            start = position + name_size
            path = content[position:start].decode()
            position = start if file_size == _REMOVED else start + file_size
            files[path] = None if file_size == _REMOVED else GitObject.of("blob", content[start:position])
        yield CommitRecord(commit, files)
