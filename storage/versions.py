"""The versions of files: what each commit made of one. Those that were asked for are kept, packed small."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from cachetools import LRUCache

NO_BLOB = "0" * 40  # what git tells of a file that is not there

_ID = 20  # bytes


@dataclass(frozen=True, slots=True)
class Version:
    """What a commit made of a file: its blob id (40 hex digits), or None where it took the file away."""

    commit: str
    blob: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """The versions of a file through a commit: positions in the line, oldest first, and as many blob ids."""

    through: str
    positions: "array[int]"
    blobs: bytes

    def extended(self, through: str, new: Sequence[tuple[int, str | None]]) -> "Known":
        """Return these versions and later ones, oldest first."""
        positions = self.positions + array("q", [position for position, _ in new])
        ids = b"".join(bytes.fromhex(blob or NO_BLOB) for _, blob in new)
        return Known(through, positions, self.blobs + ids)

    def blob(self, number: int) -> str | None:
        """Return the blob id of a version, or None where the file was taken away."""
        blob = self.blobs[number * _ID : (number + 1) * _ID].hex()
        return None if blob == NO_BLOB else blob

    @property
    def size(self) -> int:
        """About how many bytes this takes."""
        return 500 + 8 * len(self.positions) + len(self.blobs)


NOTHING = Known("", array("q"), b"")


class VersionCache:
    """The versions that were asked for lately, of all repositories; bounded by `size` bytes."""

    def __init__(self, size: int = 32 * 1024 * 1024) -> None:
        self._lock = Lock()
        self._known: LRUCache[tuple[str, str], Known] = LRUCache(size, lambda known: known.size)

    def get(self, key: tuple[str, str]) -> Known:
        """Return what is known of a file, by its repository's folder and its path."""
        with self._lock:
            return self._known.get(key, NOTHING)

    def put(self, key: tuple[str, str], known: Known) -> None:
        """Remember the versions of a file, unless they alone are more than the cache may hold."""
        with self._lock:
            if known.size <= self._known.maxsize:
                self._known[key] = known
