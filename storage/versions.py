"""The versions of files: what each commit made of one. They are kept packed small."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from storage.ids import BlobId, CommitId

NO_BLOB = "0" * 40  # what git tells of a file that is not there

_ID = 20  # bytes


@dataclass(frozen=True, slots=True)
class Version:
    """What a commit made of a file: its blob id, or None where the commit removed the file."""

    commit: CommitId
    blob: BlobId | None


@dataclass(frozen=True, slots=True)
class Known:
    """The versions of a file through a commit: positions in the line, oldest first, and as many blob ids."""

    through: CommitId | None
    positions: "array[int]"
    blobs: bytes

    def extended(self, through: CommitId, new: Sequence[tuple[int, BlobId | None]]) -> "Known":
        """Return these versions and later ones, oldest first."""
        positions = self.positions + array("q", [position for position, _ in new])
        ids = b"".join(bytes.fromhex(blob or NO_BLOB) for _, blob in new)
        return Known(through, positions, self.blobs + ids)

    def blob(self, number: int) -> BlobId | None:
        """Return the blob id of a version, or None where the file was taken away."""
        blob = self.blobs[number * _ID : (number + 1) * _ID].hex()
        return None if blob == NO_BLOB else BlobId(blob)

    @property
    def size(self) -> int:
        """How many bytes this takes."""
        return 8 * len(self.positions) + len(self.blobs)


NOTHING = Known(None, array("q"), b"")
