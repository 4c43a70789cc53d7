"""The steps of a process on files below a folder, and what a disk may hold after a power loss.

The model is that of ALICE and CrashMonkey, at its most pessimistic: data that was not flushed may be
missing, cut off, or zeros; what was written over other data may be there or not, sector by sector; a
name that was made, moved or removed may be so on disk or not, each by itself, until its folder was
flushed. A rename is one step, and so is a sector. What git's own processes write (maintenance, `git
init`) is not recorded: git flushes it (`core.fsync=all`), so it counts once its folder is flushed.
"""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

_SECTOR = 512  # bytes

Files = dict[str, bytes]  # content by path, relative to the folder


@dataclass(frozen=True)
class Data:
    """A file holds this now."""

    inode: int
    content: bytes


@dataclass(frozen=True)
class Flushed:
    """A file's data is on disk."""

    inode: int


@dataclass(frozen=True)
class Put:
    """Data was put at a place in a file; or with no data, the file was cut off there."""

    inode: int
    offset: int
    data: bytes


@dataclass(frozen=True)
class PutFlushed:
    """What was put there last is on disk."""

    put: Put


@dataclass(frozen=True)
class Names:
    """Names came, went, or moved: which file each is now, None for none; `folder` has to be flushed."""

    entries: tuple[tuple[str, int | None], ...]
    folder: str


@dataclass(frozen=True)
class FolderFlushed:
    """A folder's names are on disk."""

    folder: str


@dataclass(frozen=True)
class Answered:
    """From here on, this must hold."""

    promise: Any


Step = Data | Flushed | Put | PutFlushed | Names | FolderFlushed | Answered


@dataclass
class Recording:
    """The steps, and the files before them, all of which are on disk."""

    root: str
    steps: list[Step] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    contents: dict[int, bytes] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)
    at_first: dict[int, bytes] = field(default_factory=dict)
    _open: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path) -> "Recording":
        """Start from the files of a folder."""
        recording = cls(str(root))
        recording._find_new(root)
        recording.before = dict(recording.names)
        recording.at_first = dict(recording.contents)
        recording.steps.clear()
        return recording

    def answered(self, promise: Any) -> None:
        """Note that something was answered."""
        self.steps.append(Answered(promise))

    def _find_new(self, folder: Path) -> None:
        """Take up files that git wrote, and flushed; and note the files that git removed."""
        for name in [name for name in self.names if Path(self.root, name).parent == folder]:
            if not Path(self.root, name).exists():
                self.removed(Path(self.root, name))
        for path in folder.rglob("*"):
            name = str(path.relative_to(self.root))
            if path.is_file() and self._is_new(path, name):
                inode = self.names[name] = len(self.contents)
                content = self.contents[inode] = path.read_bytes()
                self.steps += [
                    Data(inode, content),
                    Flushed(inode),
                    Names(((name, inode),), _folder(name)),  # git, too, gives a file its name last
                ]

    def _is_new(self, path: Path, name: str) -> bool:
        if name not in self.names:
            return True
        is_ref = name.startswith("refs/") or name == "packed-refs"
        return is_ref and path.read_bytes() != self.contents[self.names[name]]

    def _name(self, path: Any) -> str | None:
        text = os.fsdecode(path)
        return os.path.relpath(text, self.root) if text.startswith(self.root) else None

    def opened(self, fd: int, path: Any, flags: int) -> None:
        name = self._name(path)
        if name is not None:
            self._open[fd] = name
            if flags & os.O_CREAT and name not in self.names:
                inode = self.names[name] = len(self.contents)
                self.contents[inode] = b""
                self.steps.append(Names(((name, inode),), _folder(name)))

    def written(self, fd: int, data: bytes) -> None:
        inode = self.names.get(self._open.get(fd, ""))
        if inode is not None:
            self.contents[inode] += data
            self.steps.append(Data(inode, self.contents[inode]))

    def put(self, fd: int, data: bytes, offset: int, flushed: bool) -> None:
        inode = self.names.get(self._open.get(fd, ""))
        if inode is not None:
            put = Put(inode, offset, data)
            self.contents[inode] = _after(self.contents[inode], put)
            self.steps += [put, *([PutFlushed(put)] if flushed else [])]

    def synced(self, fd: int) -> None:
        name = self._open.get(fd)
        if name is None:
            return
        if name in self.names:
            self.steps.append(Flushed(self.names[name]))
        else:
            self._find_new(Path(self.root, name))
            self.steps.append(FolderFlushed("" if name == "." else name))

    def renamed(self, source: Any, target: Any) -> None:
        old, new = self._name(source), self._name(target)
        if old is not None and new is not None and old in self.names:
            inode = self.names[new] = self.names.pop(old)
            self.steps.append(Names(((old, None), (new, inode)), _folder(new)))

    def removed(self, path: Any) -> None:
        name = self._name(path)
        if name is not None and self.names.pop(name, None) is not None:
            self.steps.append(Names(((name, None),), _folder(name)))

    def closed(self, fd: int) -> None:
        self._open.pop(fd, None)

    def promises(self, at: int) -> list[Any]:
        """Return what was answered before a step."""
        return [step.promise for step in self.steps[:at] if isinstance(step, Answered)]

    def disk(self, at: int, chance: random.Random, kept: float) -> Files:
        """Return what may be on disk if power is lost before a step.

        `kept` is the chance of what need not be there to be there.
        """
        done = self.steps[:at]
        names = dict(self.before)
        for number, step in enumerate(done):
            if isinstance(step, Names):
                is_flushed = any(later == FolderFlushed(step.folder) for later in done[number:])
                if is_flushed or chance.random() < kept:
                    for name, inode in step.entries:
                        if inode is None:
                            names.pop(name, None)
                        else:
                            names[name] = inode
        return {name: self._data(inode, done, chance, kept) for name, inode in names.items()}

    def _data(self, inode: int, done: list[Step], chance: random.Random, kept: float) -> bytes:
        flushed = written = self.at_first.get(inode, b"")
        unflushed: list[Put] = []
        is_written_over = any(isinstance(step, Put) and step.inode == inode for step in done)
        for step in done:
            if isinstance(step, Data) and step.inode == inode:
                written = step.content
            elif step == Flushed(inode):
                flushed, unflushed = written, []
            elif isinstance(step, Put) and step.inode == inode:
                written = _after(written, step)
                unflushed.append(step)
            elif isinstance(step, PutFlushed) and step.put.inode == inode:
                for cut in (put for put in unflushed if not put.data):  # the size is flushed with the data
                    flushed = _after(flushed, cut)
                flushed = _after(flushed, step.put)
                unflushed = [put for put in unflushed if not _covers(step.put, put)]
        if flushed == written or chance.random() < kept:
            return written
        if not is_written_over:
            return chance.choice((flushed, written[: len(written) // 2], bytes(len(written))))
        for put in unflushed:
            for sector in _sectors(put):
                if chance.random() < kept:
                    flushed = _after(flushed, sector)
        return flushed


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _after(content: bytes, put: Put) -> bytes:
    before = content[: put.offset].ljust(put.offset, b"\0")
    return before + put.data + content[put.offset + len(put.data) :] if put.data else before


def _covers(one: Put, other: Put) -> bool:
    """Tell whether what is put leaves nothing of what the other puts, or is the other."""
    end, other_end = one.offset + len(one.data), other.offset + len(other.data)
    return one.offset <= other.offset and other_end <= end


def _sectors(put: Put) -> Iterator[Put]:
    """Yield what is put into each sector of the disk."""
    first = _SECTOR - put.offset % _SECTOR
    yield Put(put.inode, put.offset, put.data[:first])
    for start in range(first, len(put.data), _SECTOR):
        yield Put(put.inode, put.offset + start, put.data[start : start + _SECTOR])


@contextmanager
def recorded(root: Path) -> Iterator[Recording]:
    """Record what this process does to files below a folder."""
    recording = Recording.of(root)
    note: dict[str, Callable[..., None]] = {
        "open": lambda fd, path, flags, *_, **__: recording.opened(fd, path, flags),
        "write": lambda size, fd, data: recording.written(fd, bytes(data)[:size]),
        "pwritev": lambda size, fd, data, at, flags=0: recording.put(
            fd, b"".join(data)[:size], at, bool(flags & os.RWF_DSYNC)
        ),
        "ftruncate": lambda _, fd, size: recording.put(fd, b"", size, False),
        "fsync": lambda _, fd: recording.synced(fd),
        "rename": lambda _, source, target, **__: recording.renamed(source, target),
        "unlink": lambda _, path, **__: recording.removed(path),
        "close": lambda _, fd: recording.closed(fd),
    }

    def noted(name: str) -> Callable[..., Any]:
        original = getattr(os, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            note[name](result, *args, **kwargs)
            return result

        return call

    with ExitStack() as stack:
        for name in note:
            stack.enter_context(patch.object(os, name, noted(name)))
        yield recording
