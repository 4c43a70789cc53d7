"""Drafts: changes on top of a snapshot that are never committed, for dry runs."""

import hashlib

from storage.budget import Budget, Limits
from storage.ids import BlobId
from storage.snapshot import File, Snapshot


class Draft:
    """The files of a snapshot, with replacements that exist only here. A draft takes no lock."""

    def __init__(self, snapshot: Snapshot, limits: Limits) -> None:
        self.budget = Budget(limits)
        self.name = snapshot.name
        self._snapshot = snapshot
        self._written: dict[str, File | None] = {}
        self._blobs: dict[BlobId, bytes] = {}

    def read(self, path: str) -> File | None:
        """Return a file, or None."""
        return self._written[path] if path in self._written else self._snapshot.read(path)

    def version(self, path: str) -> BlobId | None:
        """Return the blob id of the file at a path, or None. The file itself is not read."""
        if path in self._written:
            written = self._written[path]
            return None if written is None else written.id
        return self._snapshot.version(path)

    def blob(self, blob_id: BlobId) -> bytes:
        """Return the content of a blob of the snapshot's history, or of one that was written."""
        written = self._blobs.get(blob_id)
        return self._snapshot.blob(blob_id) if written is None else written

    def list(self, folder: str) -> list[str]:
        """Return the names in a folder of the snapshot: a draft adds and removes only question templates."""
        return self._snapshot.list(folder)

    def versions(self, folder: str) -> dict[str, BlobId]:
        """Return the blob ids of all files in a folder, by name, as `list` has the names."""
        found = self._snapshot.versions(folder)
        written = {name: self._written.get(f"{folder}/{name}") for name in found}
        return found | {name: file.id for name, file in written.items() if file is not None}

    def write(self, path: str, data: bytes) -> BlobId:
        """Put a file at a path, and return the blob id that git would give the content.

        Raises TooLarge as the write itself would.
        """
        self.budget.spend(path, len(data))
        blob_id = BlobId(hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest())
        self._written[path], self._blobs[blob_id] = File(blob_id, data), data
        return blob_id

    def remove(self, path: str) -> None:
        """Remove the file at a path."""
        self._written[path] = None
