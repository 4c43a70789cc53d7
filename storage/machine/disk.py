"""Files that survive a power loss, and locks between processes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.waits import Waits

# Written and flushed in one system call, where the system has that (Linux).
_FLUSHED = getattr(os, "RWF_DSYNC", 0)


def write_file(path: Path, data: bytes, *, mode: int = 0o444, flush: bool) -> None:
    """Create `path`, and flush its data where that is asked; FileExistsError if it is there.

    If the data cannot be written, no file stays. The name itself is durable only after
    `sync` of its folder.
    """
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        if flush:
            os.fsync(fd)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)


def put_file(path: Path, data: bytes, scratch: Path) -> None:
    """Put a file in its place, durably, whole or not at all; `scratch` is what it is called before."""
    scratch.unlink(missing_ok=True)
    try:
        write_file(scratch, data, mode=0o644, flush=True)
        scratch.rename(path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise
    sync(path.parent)


def write_at(fd: int, data: bytes, offset: int, *, flush: bool) -> None:
    """Write into an open file, and flush what was written, and no more, where that is asked."""
    view = memoryview(data)
    while view:
        written = os.pwritev(fd, [view], offset, _FLUSHED if flush else 0)
        view, offset = view[written:], offset + written
    if flush and not _FLUSHED:
        os.fsync(fd)


def read_file(path: Path | str, size: int) -> bytes:
    """Return the first `size` bytes of a file, in three system calls."""
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.read(fd, size)
    finally:
        os.close(fd)


def sync(path: Path) -> None:
    """Flush a file's data, or a folder's names: what was created, renamed or removed in it."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def exclusive(folder: Path, waits: Waits) -> Iterator[None]:
    """Hold the advisory lock (`flock`) of a folder against every other holder.

    Other threads and other processes alike: each call opens the folder anew. The kernel
    releases the lock of a process that dies. Raises TimeoutError where somebody else holds it too long.
    """
    fd = waits.lock(str(folder), os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield
    finally:
        os.close(fd)


def sync_tree(folder: Path) -> None:
    """Flush every file and folder below a folder, and itself."""

    def fail(error: OSError) -> None:  # else what cannot be listed would be passed over
        raise error

    for parent, _, files in os.walk(folder, onerror=fail):
        for name in files:
            sync(Path(parent, name))
        sync(Path(parent))
