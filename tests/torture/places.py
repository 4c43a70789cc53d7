"""Where a bit may flip: each kind of file of each repository has a fair chance."""

import os
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from storage.journal import header, journal_file
from storage.journal.file_engine import FileJournal
from storage.location import Location
from storage.waits import Waits
from tests.torture.everything import FOLDERS, State

_WEIGHTS = {"demo": 6, "accounts": 3, "other": 1}
_AROUND = 40  # bytes
# Names in `packed-refs` that no other file repeats: without a checksum a changed name looks as valid.
_NAMES = re.compile(rb"refs/(?:heads/main|tags/light-1)(?=\n)")
_KINDS = (  # the first that a path below the repository matches
    ("objects/pack/flush-*.pack", "flushed pack"),
    ("objects/pack/flush-*.idx", "flushed idx"),
    ("objects/pack/*.pack", "pack"),
    ("objects/pack/*.idx", "idx"),
    ("objects/pack/*.rev", "rev"),
    ("objects/pack/multi-pack-index", "multi-pack-index"),
    ("objects/info/commit-graphs/*.graph", "commit-graph"),
    ("objects/info/commit-graphs/commit-graph-chain", "commit-graph chain"),
    ("objects/info/packs", "list of packs"),
    ("info/refs", "list of refs"),
    ("objects/*/*", "loose object"),
    ("refs/heads/main", "branch"),
    ("refs/heads/main.lock", "lock"),
    ("refs/tags/*", "loose tag"),
    ("packed-refs", "packed-refs"),
    ("HEAD", "HEAD"),
    ("config", "config"),
)


@dataclass(frozen=True)
class Part:
    """A file, or a part of one, whose bytes all have the same purpose."""

    path: Path  # below the data directory
    start: int
    end: int


@dataclass(frozen=True)
class Flip:
    """One bit of one byte of a file; `is_dated`: the file's time tells of it, as that of a write."""

    state: State
    place: str
    kind: str
    path: Path
    byte: int
    bit: int
    is_dated: bool

    def do(self, data_dir: Path) -> None:
        """Flip it."""
        path = data_dir / self.path
        before = path.stat()
        path.chmod(0o644)  # git makes packed files read-only
        self._flip(path)
        path.chmod(before.st_mode)
        if not self.is_dated:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def undo(self, data_dir: Path) -> None:
        """Flip it back, unless the bytes around it are others by now."""
        path = data_dir / self.path
        was = bytearray((self.state.data_dir / self.path).read_bytes())
        was[self.byte] ^= 1 << self.bit
        around = slice(max(0, self.byte - _AROUND), self.byte + _AROUND)
        if path.exists() and path.stat().st_size == len(was) and path.read_bytes()[around] == was[around]:
            path.chmod(0o644)
            self._flip(path)

    def _flip(self, path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(self.byte)
            (byte,) = file.read(1)
            file.seek(self.byte)
            file.write(bytes([byte ^ 1 << self.bit]))

    def __str__(self) -> str:
        dated = "" if self.is_dated else ", silently"
        return f"{self.kind}: {self.state.name} {self.path}, byte {self.byte}, bit {self.bit}{dated}"


def choose(state: State, chance: random.Random) -> Flip:
    """Choose a bit: first the repository, then the kind of file, then the file."""
    (place,) = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
    kinds = _parts(state.data_dir, place)
    kind = chance.choice(sorted(kinds))
    part = chance.choice(kinds[kind])
    byte, bit = chance.randrange(part.start, part.end), chance.randrange(8)
    return Flip(state, place, f"{place} {kind}", part.path, byte, bit, chance.random() < 0.5)


@cache
def _parts(data_dir: Path, place: str) -> Mapping[str, list[Part]]:
    """Return the files of a repository by kind, those with nothing in them left out."""
    found = defaultdict(list)
    folder = data_dir / FOLDERS[place]
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        for kind, start, end in _spans(path, folder):
            if start < end:
                found[kind].append(Part(path.relative_to(data_dir), start, end))
    return found


def _spans(path: Path, folder: Path) -> Iterator[tuple[str, int, int]]:
    """Yield the parts of a file, each with its kind, from where, and to where."""
    size = path.stat().st_size
    if path.name == journal_file.NAME:  # most of the file is unused room
        end = FileJournal(Location(folder.stem, folder), Waits()).head().end
        yield "journal's header", 0, header.SIZE
        yield "journal's records", header.START, end
        yield "journal's room", end, size
    elif path.name == "packed-refs":
        names = [name.span() for name in _NAMES.finditer(path.read_bytes())]
        starts, ends = [0, *(end for _, end in names)], [*(start for start, _ in names), size]
        for start, end in zip(starts, ends, strict=True):
            yield "packed-refs", start, end
    else:
        yield _kind(path, folder), 0, size


def _kind(path: Path, folder: Path) -> str:
    return next(kind for pattern, kind in _KINDS if path.relative_to(folder).match(pattern))
