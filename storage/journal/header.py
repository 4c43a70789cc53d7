"""The header of a journal's file: how far the records go."""

import hashlib
import secrets
import struct
import zlib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Self

START = 4096  # bytes: the first frame is on another page than the header, so each can be flushed alone

_FULL = 1024 * 1024  # bytes of records: a checkpoint comes before more is appended
_FORMAT = b"BAKEJNL1"
_HEADER = struct.Struct("<8s16sQQQI?")  # the format, and the fields of a `Header`; then their CRC-32
_CRC = struct.Struct("<I")

SIZE = _HEADER.size + _CRC.size  # of a header, in bytes


def _read_boot() -> str:
    """Return what is another one whenever the machine has started anew, and has lost what was not flushed."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:  # not Linux: assume a new start with each process
        return secrets.token_hex(16)


BOOT = hashlib.sha256(_read_boot().encode()).digest()[:16]


class Header(NamedTuple):
    """How far a journal goes: to byte `end` of a file that has `size` bytes at least.

    The header is not flushed with each record. `boot` tells during which run of the machine it was written:
    after a power loss it may be older than the records. `generation` counts the checkpoints.
    The next frame's checksum continues the last one's, `checksum`. A header that is `emptying` may be
    on disk already as that of the next generation.
    """

    boot: bytes
    generation: int
    end: int
    size: int
    checksum: int = 0
    emptying: bool = False

    @classmethod
    def now(cls, generation: int, end: int, size: int, checksum: int = 0) -> Self:
        """Return a header of this run of the machine."""
        return cls(BOOT, generation, end, size, checksum)

    @classmethod
    @lru_cache(maxsize=1024)  # each request asks for two repositories', which mostly have not changed
    def parse(cls, data: bytes) -> Self | None:
        """Read a header; None for other bytes, and for one that is just being written."""
        if len(data) != SIZE or not data.startswith(_FORMAT):
            return None
        if data[_HEADER.size :] != _CRC.pack(zlib.crc32(data[: _HEADER.size])):
            return None
        return cls(*_HEADER.unpack_from(data)[1:])

    def pack(self) -> bytes:
        """Return the header's `SIZE` bytes."""
        data = _HEADER.pack(_FORMAT, *self)
        return data + _CRC.pack(zlib.crc32(data))

    @property
    def start(self) -> Self:
        """The header before the first record of this generation."""
        return self._replace(end=START, checksum=0)

    @property
    def is_current(self) -> bool:
        """Whether the header was written since the machine started."""
        return self.boot == BOOT

    @property
    def is_empty(self) -> bool:
        """Whether there is no record: git's own files have everything."""
        return self.end == START

    @property
    def is_full(self) -> bool:
        """Whether a checkpoint should come before more is appended."""
        return self.end > _FULL
