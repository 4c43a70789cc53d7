"""The pack format: many objects in one file, and the index git finds them by.

Sources: git's `gitformat-pack`. Bakehouse writes one pack a flush, as a push does: making a
pack durable takes 3 fsyncs whatever it holds, loose objects take about 2 each.
"""

import hashlib
import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from storage import disk

_TYPE_NUMBERS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
_TYPE_NAMES = {number: name for name, number in _TYPE_NUMBERS.items()}
# Half of a tree are object ids, which do not compress: a large one is stored as it is, 9 times faster.
_COMPRESS_BELOW = 4 * 1024


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


def write_pack(folder: Path, objects: Sequence[GitObject]) -> str:
    """Write a pack and its index into `folder`, durably; return their name without its ending, `pack-…`.

    The index appears last and whole: until then git does not see the pack.
    """
    pack, index, checksum = _encode(objects)
    name = f"pack-{checksum.hex()}"
    path = folder / f"{name}.pack"
    scratch = folder / f"tmp_idx_{os.urandom(8).hex()}"  # `git gc` clears `tmp_*` that a crash leaves
    try:
        disk.write_file(path, pack)
    except FileExistsError:  # the same objects again, after a failure further on
        path.unlink()
        disk.write_file(path, pack)
    disk.write_file(scratch, index)
    scratch.rename(folder / f"{name}.idx")
    disk.sync_folder(folder)
    return name


def read_pack(data: bytes) -> list[GitObject]:
    """Return the objects of a pack that `write_pack` made.

    Raises ValueError for a pack that is anything else, such as one with deltas.
    """
    if data[:8] != b"PACK\0\0\0\2":
        raise ValueError("not a pack")
    (count,) = struct.unpack_from(">I", data, 8)
    objects, offset = [], 12
    for _ in range(count):
        type_name = _TYPE_NAMES.get((data[offset] >> 4) & 7)
        if type_name is None:
            raise ValueError("a pack with deltas")
        while data[offset] & 0x80:
            offset += 1
        inflate = zlib.decompressobj()
        content = inflate.decompress(data[offset + 1 :])
        offset = len(data) - len(inflate.unused_data)
        objects.append(GitObject.of(type_name, content))
    return objects


def _encode(objects: Sequence[GitObject]) -> tuple[bytes, bytes, bytes]:
    """Return the pack's bytes, its index's bytes (version 2) and the pack's checksum."""
    pack = bytearray(b"PACK" + struct.pack(">II", 2, len(objects)))
    entries = []
    for item in objects:
        large_tree = item.type == "tree" and len(item.data) > _COMPRESS_BELOW
        entry = _entry_header(item) + zlib.compress(item.data, 0 if large_tree else 1)
        entries.append((item.id, zlib.crc32(entry), len(pack)))
        pack += entry
    checksum = hashlib.sha1(pack).digest()
    pack += checksum

    entries.sort()
    per_first_byte = [0] * 256
    for object_id, _, _ in entries:
        per_first_byte[object_id[0]] += 1
    index = bytearray(b"\xfftOc" + struct.pack(">I256I", 2, *accumulate(per_first_byte)))
    index += b"".join(object_id for object_id, _, _ in entries)
    index += struct.pack(f">{len(entries)}I", *(crc for _, crc, _ in entries))
    index += struct.pack(f">{len(entries)}I", *(offset for _, _, offset in entries))
    index += checksum
    index += hashlib.sha1(index).digest()
    return bytes(pack), bytes(index), checksum


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
