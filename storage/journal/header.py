"""The mark at the front of a journal's file: how far it goes."""

import hashlib
import secrets
import struct
import zlib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Self

START = 4096  # where the first frame begins: to flush it is not to flush the mark

_LARGE = 1024 * 1024  # what a journal holds: more is published before more is added
_FORMAT = b"BAKEJNL1"
_MARK = struct.Struct("<8s16sQQQI?")  # format, and the fields of a `Mark`; then their CRC-32
_CRC = struct.Struct("<I")

SIZE = _MARK.size + _CRC.size  # of a mark, in bytes


def _read_boot() -> str:
    """Return what changes whenever the kernel, and with it what was not flushed, is gone."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:  # not Linux: be careful, and recover in each new process
        return secrets.token_hex(16)


BOOT = hashlib.sha256(_read_boot().encode()).digest()[:16]


class Mark(NamedTuple):
    """How far a journal goes: to byte `end`, as it was told since the machine started (`boot`).

    Its `generation` counts how often it was emptied; its file has `size` bytes at least. The next
    frame's checksum begins with the last one's, `checksum`. Once somebody has `begun` to publish,
    nothing may be added before it is emptied: git's lock has become the branch by then, or on disk it
    may be empty already.
    """

    boot: bytes
    generation: int
    end: int
    size: int
    checksum: int = 0
    begun: bool = False

    @classmethod
    def now(cls, generation: int, end: int, size: int, checksum: int = 0, *, begun: bool = False) -> Self:
        """Return the mark to tell now, since the machine started."""
        return cls(BOOT, generation, end, size, checksum, begun)

    @classmethod
    @lru_cache(maxsize=1024)  # each request asks for two repositories', and mostly nobody wrote
    def parse(cls, data: bytes) -> Self | None:
        """Read a mark; None where it is none, or neither old nor new, as it is while it is written."""
        if len(data) != SIZE or not data.startswith(_FORMAT):
            return None
        if data[_MARK.size :] != _CRC.pack(zlib.crc32(data[: _MARK.size])):
            return None
        return cls(*_MARK.unpack_from(data)[1:])

    def pack(self) -> bytes:
        """Return its `SIZE` bytes."""
        data = _MARK.pack(_FORMAT, *self)
        return data + _CRC.pack(zlib.crc32(data))

    @property
    def start(self) -> Self:
        """The mark before the first record of this generation."""
        return self._replace(end=START, checksum=0)

    @property
    def is_current(self) -> bool:
        """Tell whether it was told since the machine started; else it may be older than the records."""
        return self.boot == BOOT

    @property
    def is_empty(self) -> bool:
        """Tell whether git's own files have everything."""
        return self.end == START

    @property
    def is_large(self) -> bool:
        """Tell whether the journal should be emptied before it grows."""
        return self.end > _LARGE
