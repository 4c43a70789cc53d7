"""The versions of files: what each commit made of one. They are kept packed small."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

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
        """How many bytes this takes."""
        return 8 * len(self.positions) + len(self.blobs)


NOTHING = Known("", array("q"), b"")
