"""One block of the field index: the files that some commits in a row changed, and in which fields."""

import json
import sys
import zlib
from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from storage.comparisons import FileChange
from storage.ids import BlobId, CommitId
from storage.versions import NO_BLOB

ANY_FIELD = ""  # the name for a change that may be in any field

_ID = 20  # bytes


@dataclass(frozen=True, slots=True)
class Row:
    """A file that the commit at a position changed, and the names of the fields: JSON Pointers."""

    position: int
    file: FileChange
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Block:
    """Rows, newest first, in a form that takes little memory. `through` is the newest commit.

    `known` are the positions of the commits that were read. Each row has a position, a path, and its blob ids before
    and after. `rows` are the numbers of the rows by name.
    """

    through: CommitId
    known: Collection[int]
    positions: "array[int]"
    paths: Sequence[str]
    blobs: bytes
    rows: Mapping[str, "array[int]"]

    @classmethod
    def of(cls, through: CommitId, known: Collection[int], rows: Sequence[Row]) -> "Block":
        """Return the block of some commits and their rows, newest first."""
        by_name: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
        for number, row in enumerate(rows):
            for name in row.names:
                by_name[name].append(number)
        blobs = "".join((row.file.old or NO_BLOB) + (row.file.new or NO_BLOB) for row in rows)
        positions = array("I", [row.position for row in rows])
        paths = [sys.intern(row.file.path) for row in rows]
        return cls(through, known, positions, paths, bytes.fromhex(blobs), dict(by_name))

    def extended(self, through: CommitId, known: Collection[int], rows: Sequence[Row]) -> "Block":
        """Return a block that also has some further commits and their rows."""
        names: defaultdict[int, list[str]] = defaultdict(list)
        for name, numbers in self.rows.items():
            for number in numbers:
                names[number].append(name)
        own = [Row(at, self._file(number), names[number]) for number, at in enumerate(self.positions)]
        merged = sorted([*own, *rows], key=lambda row: row.position, reverse=True)
        return Block.of(through, {*self.known, *known}, merged)

    def reach(self, position: int) -> int:
        """Return how far back all commits from a position on are known; the next position where it is not known."""
        while position in self.known:
            position -= 1
        return position + 1

    def find(self, name: str, has_path: Callable[[str], bool]) -> Iterator[tuple[int, list[FileChange]]]:
        """Yield the positions of the commits that may have changed a field, or one within it, newest first.

        Each comes with the files in which it may have.
        """
        found = [rows for known, rows in self.rows.items() if _is_related(known, name)]
        numbers = found[0] if len(found) == 1 else sorted({number for rows in found for number in rows})
        wanted = (number for number in numbers if has_path(self.paths[number]))
        for position, group in groupby(wanted, key=self.positions.__getitem__):
            yield position, [self._file(number) for number in group]

    def _file(self, number: int) -> FileChange:
        start = 2 * _ID * number
        old, new = (self.blobs[at : at + _ID].hex() for at in (start, start + _ID))
        return FileChange(self.paths[number], *(None if blob == NO_BLOB else BlobId(blob) for blob in (old, new)))

    @property
    def size(self) -> int:
        """How many bytes this takes, about."""
        names = sum(sys.getsizeof(name) + sys.getsizeof(rows) for name, rows in self.rows.items())
        return 60 * len(self.paths) + sys.getsizeof(self.known) + names

    def dump(self) -> bytes:
        """Return the block as bytes."""
        content = {
            "positions": self.positions.tolist(),
            "paths": self.paths,
            "blobs": self.blobs.hex(),
            "rows": {name: rows.tolist() for name, rows in self.rows.items()},
        }
        return zlib.compress(json.dumps(content).encode())

    @classmethod
    def load(cls, through: CommitId, known: Collection[int], data: bytes) -> "Block":
        """Return the block of some commits that `dump` wrote."""
        content = json.loads(zlib.decompress(data))
        rows = {name: array("I", numbers) for name, numbers in content["rows"].items()}
        paths = [sys.intern(path) for path in content["paths"]]
        return cls(through, known, array("I", content["positions"]), paths, bytes.fromhex(content["blobs"]), rows)


def _is_related(known: str, name: str) -> bool:
    """Tell whether one of two pointers leads to the place of the other, or to a place within it."""
    return known in (ANY_FIELD, name) or known.startswith(f"{name}/") or name.startswith(f"{known}/")
