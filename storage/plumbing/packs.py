"""The pack format: many objects in one file, and the index git finds them by.

Source: git's `gitformat-pack`.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from storage.ids import ObjectId
from storage.plumbing.object import GitObject

_TYPE_NUMBERS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
_TYPE_NAMES = {number: name for name, number in _TYPE_NUMBERS.items()}
_DELTA = 6  # what differs from an earlier entry of the pack; 7 would name that by its id
_HEADER = struct.Struct(">4sII")
_CHECKSUM_SIZE = 20
_LONGEST_INSERT = 0x7F
_LONGEST_COPY = 0xFFFFFF


@dataclass(frozen=True, slots=True)
class Delta:
    """An object as a difference from another, its `base`: `data` replaces the bytes `start` to `end`."""

    id: ObjectId
    base: ObjectId
    base_size: int
    start: int
    end: int
    data: bytes

    @classmethod
    def of(cls, object_id: ObjectId, base: ObjectId, base_size: int, start: int, old: bytes, new: bytes) -> Self:
        """Return the delta that replaces `old` at `start` by `new`, without what both have in common."""
        before = _count_alike(old, new)
        old, new = old[before:], new[before:]
        after = _count_alike(old[::-1], new[::-1])
        start, end = start + before, start + before + len(old) - after
        return cls(object_id, base, base_size, start, end, new[: len(new) - after])

    def encode(self) -> bytes:
        """Return the delta as git writes it: both sizes, then what to copy from the base and to insert."""
        size = self.base_size - (self.end - self.start) + len(self.data)
        pieces = [self.data[at : at + _LONGEST_INSERT] for at in range(0, len(self.data), _LONGEST_INSERT)]
        return b"".join(
            [
                _number(self.base_size),
                _number(size),
                *_copies(0, self.start),
                *(bytes([len(piece)]) + piece for piece in pieces),
                *_copies(self.end, self.base_size - self.end),
            ]
        )


def encode(objects: Sequence[GitObject | Delta]) -> tuple[bytes, bytes]:
    """Return the bytes of a pack with these objects, and of its index (version 2).

    The base of a delta must come before the delta. git rejects a delta whose result is empty.
    Nothing is compressed: maintenance soon rolls such a pack into another, and compresses then.
    """
    pack = bytearray(_HEADER.pack(b"PACK", 2, len(objects)))
    entries = []
    offsets: dict[ObjectId, int] = {}
    for item in objects:
        offset = offsets[item.id] = len(pack)
        if isinstance(item, Delta):
            content = item.encode()
            head = _entry_header(_DELTA, len(content)) + _distance(offset - offsets[item.base])
        else:
            content = item.data
            head = _entry_header(_TYPE_NUMBERS[item.type], len(content))
        entry = head + zlib.compress(content, 0)
        entries.append((item.id, zlib.crc32(entry), offset))
        pack += entry
    checksum = hashlib.sha1(pack).digest()
    return bytes(pack + checksum), _index(entries, checksum)


def decode(pack: bytes) -> list[GitObject]:
    """Return the objects of a pack that `encode` made, whole.

    Raises ValueError for anything else: a pack that was cut off, or one with another kind of deltas.
    """
    content, checksum = pack[:-_CHECKSUM_SIZE], pack[-_CHECKSUM_SIZE:]
    if pack[:8] != b"PACK\0\0\0\2" or hashlib.sha1(content).digest() != checksum:
        raise ValueError("not a whole pack")
    _, _, count = _HEADER.unpack_from(content)
    found: dict[int, GitObject] = {}
    end = _HEADER.size
    for _ in range(count):
        start = end
        kind, position = content[start] >> 4 & 7, _end_of_number(content, start)
        base = None
        if kind == _DELTA:
            distance, position = _read_distance(content, position)
            base = found[start - distance]
        elif kind not in _TYPE_NAMES:
            raise ValueError("a pack with deltas of another kind")
        inflate = zlib.decompressobj()
        data = inflate.decompress(content[position:])
        end = len(content) - len(inflate.unused_data)
        item = GitObject.of(_TYPE_NAMES[kind], data) if base is None else apply_delta(base, data)
        found[start] = item
    return list(found.values())


def _index(entries: list[tuple[ObjectId, int, int]], checksum: bytes) -> bytes:
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


def _entry_header(type_number: int, size: int) -> bytes:
    """Type and size: 4 bits of the size first, then as any number."""
    first, rest = type_number << 4 | size & 0x0F, size >> 4
    return bytes([first | 0x80]) + _number(rest) if rest else bytes([first])


def _number(value: int) -> bytes:
    """Return a number, 7 bits a byte, least significant first."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _end_of_number(content: bytes, position: int) -> int:
    while content[position] & 0x80:
        position += 1
    return position + 1


def _distance(back: int) -> bytes:
    """How far back a delta's base begins: 7 bits a byte, most significant first, each rest less one."""
    found = [back & 0x7F]
    while back := back >> 7:
        back -= 1
        found.append(back & 0x7F | 0x80)
    return bytes(reversed(found))


def _read_distance(content: bytes, position: int) -> tuple[int, int]:
    back = content[position] & 0x7F
    while content[position] & 0x80:
        position += 1
        back = (back + 1) << 7 | content[position] & 0x7F
    return back, position + 1


def _count_alike(one: bytes, other: bytes) -> int:
    """Return how many bytes two contents have in common from the first."""
    least, most = 0, min(len(one), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        if one[least:middle] == other[least:middle]:
            least = middle
        else:
            most = middle - 1
    return least


def _copies(start: int, size: int) -> Iterator[bytes]:
    """Yield the commands to copy a part of the base."""
    while size:
        copied = min(size, _LONGEST_COPY)
        arguments = struct.pack("<I", start) + struct.pack("<I", copied)[:3]
        command = 0x80 | sum(1 << bit for bit, byte in enumerate(arguments) if byte)
        yield bytes([command]) + arguments.replace(b"\0", b"")
        start, size = start + copied, size - copied


def apply_delta(base: GitObject, delta: bytes) -> GitObject:
    """Return the object that a delta makes of its base."""
    position = _end_of_number(delta, _end_of_number(delta, 0))
    found = []
    while position < len(delta):
        command, position = delta[position], position + 1
        if command & 0x80:
            arguments = bytearray(7)
            for bit in range(7):
                if command >> bit & 1:
                    arguments[bit], position = delta[position], position + 1
            start, size = int.from_bytes(arguments[:4], "little"), int.from_bytes(arguments[4:], "little")
            found.append(base.data[start : start + (size or 0x10000)])
        else:
            found.append(delta[position : position + command])
            position += command
    return GitObject.of(base.type, b"".join(found))
