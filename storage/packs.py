"""The pack format: many objects in one file, and the index git finds them by.

Source: git's `gitformat-pack`.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TYPE_NUMBERS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
_TYPE_NAMES = {number: name for name, number in _TYPE_NUMBERS.items()}
_HEADER = struct.Struct(">4sII")
_CHECKSUM_SIZE = 20


@dataclass(frozen=True, slots=True)
class GitObject:
    """An object as git names it: its type (`blob`, …), content, and 20-byte id."""

    type: str
    data: bytes
    id: bytes

    @classmethod
    def of(cls, type_: str, data: bytes) -> "GitObject":
        """Name an object by its content, as `git hash-object` does."""
        return cls(type_, data, hashlib.sha1(f"{type_} {len(data)}\0".encode() + data).digest())


def encode(objects: Sequence[GitObject]) -> tuple[bytes, bytes]:
    """Return the bytes of a pack with these objects, and of its index (version 2).

    Nothing is compressed: such a pack lives until maintenance rolls it up, which compresses.
    """
    pack = bytearray(_HEADER.pack(b"PACK", 2, len(objects)))
    entries = []
    for item in objects:
        entry = _entry_header(item) + zlib.compress(item.data, 0)
        entries.append((item.id, zlib.crc32(entry), len(pack)))
        pack += entry
    checksum = hashlib.sha1(pack).digest()
    return bytes(pack + checksum), _index(entries, checksum)


def decode(pack: bytes) -> list[GitObject]:
    """Return the objects of a pack that `encode` made, whole.

    Raises ValueError for anything else: a pack that was cut off, or one with deltas.
    """
    return [item for item, _, _ in _scan(pack)]


def index_of(pack: bytes) -> bytes:
    """Return the index of a pack that `encode` made; ValueError for anything else."""
    entries = [(item.id, zlib.crc32(pack[start:end]), start) for item, start, end in _scan(pack)]
    return _index(entries, pack[-_CHECKSUM_SIZE:])


def _scan(pack: bytes) -> Iterator[tuple[GitObject, int, int]]:
    """Yield each object with where its entry begins and ends."""
    content, checksum = pack[:-_CHECKSUM_SIZE], pack[-_CHECKSUM_SIZE:]
    if pack[:8] != b"PACK\0\0\0\2" or hashlib.sha1(content).digest() != checksum:
        raise ValueError("not a whole pack")
    _, _, count = _HEADER.unpack_from(content)
    end = _HEADER.size
    for _ in range(count):
        start = position = end
        type_name = _TYPE_NAMES.get((content[start] >> 4) & 7)
        if type_name is None:
            raise ValueError("a pack with deltas")
        while content[position] & 0x80:
            position += 1
        inflate = zlib.decompressobj()
        data = inflate.decompress(content[position + 1 :])
        end = len(content) - len(inflate.unused_data)
        yield GitObject.of(type_name, data), start, end


def _index(entries: list[tuple[bytes, int, int]], checksum: bytes) -> bytes:
    """Return an index of entries: id, CRC-32 and offset of each."""
    entries.sort()
    fanout, first = [0] * 256, 0
    for position, (object_id, _, _) in enumerate(entries):
        fanout[first : object_id[0]] = [position] * (object_id[0] - first)
        first = object_id[0]
    fanout[first:] = [len(entries)] * (256 - first)
    index = b"".join(
        (
            struct.pack(">4sI256I", b"\xfftOc", 2, *fanout),
            *(object_id for object_id, _, _ in entries),
            struct.pack(f">{len(entries)}I", *(crc for _, crc, _ in entries)),
            struct.pack(f">{len(entries)}I", *(offset for _, _, offset in entries)),
            checksum,
        )
    )
    return index + hashlib.sha1(index).digest()


def _entry_header(item: GitObject) -> bytes:
    """Type and size, 4 bits of the size first, then 7 a byte, least significant first."""
    size = len(item.data)
    header = bytearray([_TYPE_NUMBERS[item.type] << 4 | size & 0x0F])
    size >>= 4
    while size:
        header[-1] |= 0x80
        header.append(size & 0x7F)
        size >>= 7
    return bytes(header)
