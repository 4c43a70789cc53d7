"""The versions of files, in a form that takes little memory."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from storage.ids import BlobId, CommitId

NO_BLOB = "0" * 40  # git's id for no file

_ID = 20  # bytes


@dataclass(frozen=True, slots=True)
class Version:
    """The version of a file that a commit made: its blob id, or None where the commit removed the file."""

    commit: CommitId
    blob: BlobId | None


@dataclass(frozen=True, slots=True)
class Known:
    """The versions of a file up to a commit: positions in the ancestry, oldest first, and as many blob ids."""

    through: CommitId | None
    positions: "array[int]"
    blobs: bytes

    def extended(self, through: CommitId, new: Sequence[tuple[int, BlobId | None]]) -> "Known":
        """Return these versions and later ones, oldest first."""
        positions = self.positions + array("q", [position for position, _ in new])
        ids = b"".join(bytes.fromhex(blob or NO_BLOB) for _, blob in new)
        return Known(through, positions, self.blobs + ids)

    def blob(self, number: int) -> BlobId | None:
        """Return the blob id of a version, or None where the file was removed."""
        blob = self.blobs[number * _ID : (number + 1) * _ID].hex()
        return None if blob == NO_BLOB else BlobId(blob)

    def find(self, blob: BlobId, count: int) -> int:
        """Return the number of the newest of the first `count` versions that has a content; -1 if none has."""
        wanted, end = bytes.fromhex(blob), count * _ID
        start = self.blobs.rfind(wanted, 0, end)
        while start >= 0 and start % _ID:
            start = self.blobs.rfind(wanted, 0, start + _ID - 1)
        return start // _ID if start >= 0 else -1

    @property
    def size(self) -> int:
        """How many bytes this takes."""
        return 8 * len(self.positions) + len(self.blobs)


NOTHING = Known(None, array("q"), b"")
