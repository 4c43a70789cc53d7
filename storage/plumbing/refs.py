"""Refs, read by git's own rules: ids in upper or lower case, packed refs, and refs to refs.

A ref that git could not read raises RepositoryDamaged: it must not look like a ref that does not exist.

Source: git's `gitrepository-layout` and `refs/files-backend.c`.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from storage.errors import RepositoryDamaged
from storage.ids import ObjectId
from storage.location import Location
from storage.machine import disk
from storage.plumbing.packed_refs import REF_NAME, PackedRef, PackedRefs

HEADS = "refs/heads"
MAIN = "main"
BRANCH = f"{HEADS}/{MAIN}"
TAGS = "refs/tags"

# Python knows more kinds of white space than git.
_LOOSE = re.compile(rb"([0-9a-fA-F]{40})(?:[ \t\r\n].*)?", re.DOTALL)
_TO_ANOTHER = re.compile(rb"ref:[ \t\r\n]*([^ \t\r\n]+)[ \t\r\n]*")
_MOST_STEPS = 5  # from ref to ref; git's own limit
# A loose ref holds an id, or the name of another ref.
_LARGEST_REF = 4096


def is_repository(folder: Path) -> bool:
    """Tell whether git takes a folder for a repository. GitPython would hide errors of the system."""
    try:
        head = disk.read_file(folder / "HEAD", _LARGEST_REF)
        (folder / "objects").stat()
        (folder / "refs").stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return bool(_TO_ANOTHER.fullmatch(head) or _LOOSE.fullmatch(head))


_NONE = PackedRefs()
_Signature = tuple[int, int, int]  # of a file: inode, time of change in nanoseconds, size in bytes


class Refs:
    """The refs of a repository. Threads may share one."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self._folder = str(location.folder)
        self._packed_path, self._head_path = location.folder / "packed-refs", location.folder / "HEAD"
        self._packed: tuple[_Signature | None, PackedRefs] = (None, PackedRefs())
        self._loose: dict[str, tuple[_Signature, str]] = {}  # by ref: the id that a file named when last read
        self._head: _Signature | None = None

    def read(self, ref: str) -> str | None:
        """Return the object id (40 hex digits) that a ref such as `refs/tags/v1` names; None: no such ref."""
        asked = ref
        for _ in range(_MOST_STEPS):
            try:  # each request asks, and joining with `Path` is slow
                content = disk.read_file(f"{self._folder}/{ref}", _LARGEST_REF)
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                packed = self.packed().get(ref)
                return packed and packed.id
            if named := _LOOSE.fullmatch(content):
                return named[1].decode().lower()
            other = _TO_ANOTHER.fullmatch(content)
            if other is None or not REF_NAME.fullmatch(ref := other[1].decode("utf-8", "replace")):
                raise RepositoryDamaged(self.location.name, f"its ref {asked} names no object")
        raise RepositoryDamaged(self.location.name, f"its ref {asked} leads through too many others")

    def write(self, ref: str, named: ObjectId) -> None:
        """Let a ref name an object, durably. The caller holds the repository."""
        path = self.location.folder / ref
        path.parent.mkdir(exist_ok=True)
        disk.put_file(path, f"{named.hex()}\n".encode(), self.location.folder / "tmp_ref")
        disk.sync(path.parent.parent)

    def packed(self) -> Mapping[str, PackedRef]:
        """Return the refs in `packed-refs`, where `git gc` and maintenance put them."""
        return self._read_packed().refs

    def _read_packed(self) -> PackedRefs:
        try:
            signature = _signature(self._packed_path.stat())
            if self._packed[0] != signature:
                self._packed = (signature, PackedRefs(self._packed_path.read_bytes()))
        except FileNotFoundError:
            return _NONE
        except ValueError as error:
            reason = f"its packed-refs cannot be read at {str(error)[:80]!r}"
            raise RepositoryDamaged(self.location.name, reason) from error
        return self._packed[1]

    def below(self, ref: str) -> str | None:
        """Return a ref whose name starts with `ref` and a slash, or None: git allows only one of the two."""
        with suppress(OSError):  # git removes such an empty folder, too
            (self.location.folder / ref).rmdir()
        loose = (path for path in (self.location.folder / ref).rglob("*") if path.is_file())
        names = (path.relative_to(self.location.folder).as_posix() for path in loose)
        return next(names, None) or self._read_packed().below(ref)

    def alike(self, ref: str) -> str | None:
        """Return the ref itself, one in the same folder whose name differs only in case, or None.

        RepositoryDamaged where the folder has any ref that cannot be read.
        """
        folder = ref.rpartition("/")[0]
        same = [f"{folder}/{name}" for name in self._read_loose(folder) if f"{folder}/{name}".lower() == ref.lower()]
        return ref if ref in same else next(iter(same), None) or self._read_packed().alike(ref)

    def exists(self, ref: str) -> bool:
        """Tell whether there is a ref of some name; any text may be asked for."""
        return REF_NAME.fullmatch(ref) is not None and self.read(ref) is not None

    def all(self, folder: str) -> dict[str, str]:
        """Return the ids that the refs in a folder such as `refs/tags` name, by their names in the folder."""
        start = f"{folder}/"
        loose = self._read_loose(folder)  # first: a ref that is packed meanwhile is found below
        found = {ref[len(start) :]: packed.id for ref, packed in self.packed().items() if ref.startswith(start)}
        return found | loose

    def _read_loose(self, folder: str) -> dict[str, str]:
        """Return the ids that the files in a folder name, by their names. Only files that changed are read."""
        found, known = {}, {}
        for entry in _loose(self.location.folder / folder):
            ref = f"{folder}/{entry.name}"
            with suppress(FileNotFoundError):  # maintenance has just packed the ref
                signature = _signature(entry.stat())
                if self._loose.get(ref, (None, ""))[0] == signature:
                    known[ref] = self._loose[ref]
                elif direct := _LOOSE.fullmatch(disk.read_file(entry.path, _LARGEST_REF)):
                    known[ref] = (signature, direct[1].decode().lower())
            named = known[ref][1] if ref in known else self.read(ref)
            if named is not None:  # otherwise the ref has just been removed
                found[entry.name] = named
        self._loose = known
        return found

    def check_head(self) -> None:
        """Raise RepositoryDamaged unless HEAD names the branch: git would show another branch, or none."""
        try:  # each request asks, so a file that has not changed is not read again
            signature = _signature(self._head_path.stat())
            if signature == self._head:
                return
            to = _TO_ANOTHER.fullmatch(disk.read_file(self._head_path, _LARGEST_REF))
        except FileNotFoundError:  # git needs the file to see a repository here
            self.location.folder.stat()  # FileNotFoundError where the whole folder is missing
            raise RepositoryDamaged(self.location.name, "its HEAD is missing") from None
        if to is None or to[1] != BRANCH.encode():
            raise RepositoryDamaged(self.location.name, f"its HEAD does not lead to {BRANCH}")
        self._head = signature


def _signature(found: os.stat_result) -> _Signature:
    return found.st_ino, found.st_ctime_ns, found.st_size


def _loose(folder: Path) -> "list[os.DirEntry[str]]":
    """Return the files in a folder that are refs to git."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        return [entry for entry in entries if entry.is_file() and not _is_passed_over(entry.name)]
    return []


def _is_passed_over(name: str) -> bool:
    return name.startswith(".") or name.endswith(".lock")
