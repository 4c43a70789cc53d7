"""Git's answers about a repository, after the checksums of its files were compared.

git compares the checksums of packs and indexes in `git fsck` only. So a bit that has changed on disk leads
git to another object, or past one. Here the checksum of each file is compared once, and again when the file
has changed.

Source: git's `gitformat-pack`, `gitformat-commit-graph`: each of these files ends in the SHA-1 of the rest.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from storage.errors import RepositoryDamaged
from storage.location import Location
from storage.machine import git_command

_CHECKSUM_SIZE = 20
_PIECE = 1024 * 1024
_SUMMED = (".pack", ".idx", ".rev", ".bitmap", ".mtimes", ".midx", ".graph")
_GRAPHS = "objects/info/commit-graphs"
# The files that git can do without, and the setting that makes it ignore them.
WITHOUT_GRAPH = "core.commitGraph=false"
_OPTIONAL = {"multi-pack-index": "core.multiPackIndex=false", "commit-graph": WITHOUT_GRAPH}

_Signature = tuple[int, int, int]  # of a file: inode, time of change in nanoseconds, size in bytes


class CheckedGit:
    """Git's commands on a repository. Threads may share one."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self._whole: dict[str, _Signature] = {}

    def ask(self, *arguments: str, options: Sequence[str] = ()) -> str:
        """Return what a git command prints; RepositoryDamaged if it fails, or would read a damaged file."""
        return git_command.run(self.location, *arguments, options=[*options, *self._settings()])

    def ask_up_to(self, most: int, *arguments: str, options: Sequence[str] = ()) -> str | None:
        """Return what `ask` does; None, and git is stopped, if that is over `most` bytes."""
        return git_command.run_up_to(self.location, most, *arguments, options=[*options, *self._settings()])

    def _settings(self) -> list[str]:
        """Check the files, and return the options that make git ignore those that it can do without."""
        with self.location.explained():
            without = self.check()
        return [word for setting in without for word in ("-c", setting)]

    def is_ancestor(self, commit: str, of: str) -> bool:
        """Tell whether a commit is in the history of another, or of a ref; False if git has no such commit."""
        with self.location.explained():
            self.check()  # raises for damage, which must not look like a `no`
        try:
            self.ask("merge-base", "--is-ancestor", commit, of)
        except RepositoryDamaged:
            return False
        return True

    def check(self) -> list[str]:
        """Raise RepositoryDamaged where a pack or its index is damaged.

        Returns the settings that make git ignore other files that are damaged.
        """
        without = set()
        whole: dict[str, _Signature] = {}
        for path, signature in _summed_files(self.location.folder):
            if self._whole.get(path) == signature or is_whole(Path(path)):
                whole[path] = signature
                continue
            setting = next((value for part, value in _OPTIONAL.items() if part in path), None)
            if setting is not None:
                without.add(setting)
            elif path.endswith((".pack", ".idx")):
                raise RepositoryDamaged(self.location.name, f"the checksum of {Path(path).name} is wrong")
        self._whole = whole
        return sorted(without)


def damaged_files(git_folder: Path) -> list[Path]:
    """Return git's files whose checksums are wrong."""
    return [Path(path) for path, _ in _summed_files(git_folder) if not is_whole(Path(path))]


def is_whole(path: Path) -> bool:
    """Tell whether a file ends in the SHA-1 of the bytes before; True for a file that has just been removed."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        left = os.fstat(file.fileno()).st_size - _CHECKSUM_SIZE
        digest = hashlib.sha1(usedforsecurity=False)
        while left > 0 and (piece := file.read(min(left, _PIECE))):
            digest.update(piece)
            left -= len(piece)
        return left == 0 and file.read() == digest.digest()
    return True


def _summed_files(git_folder: Path) -> Iterator[tuple[str, _Signature]]:
    """Yield the path of each file that ends in a checksum, with a signature that changes with the file."""
    for folder in ("objects/pack", "objects/pack/multi-pack-index.d", "objects/info", _GRAPHS):
        with suppress(FileNotFoundError), os.scandir(git_folder / folder) as entries:
            for entry in entries:
                if entry.name.endswith(_SUMMED) or entry.name in _OPTIONAL:
                    with suppress(FileNotFoundError):  # maintenance has just removed it
                        found = entry.stat()
                        yield entry.path, (found.st_ino, found.st_ctime_ns, found.st_size)
