"""Files that survive a power loss, and locks between processes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.waits import Waits

# Linux writes and flushes in one system call.
_FLUSHED = getattr(os, "RWF_DSYNC", 0)


def write_file(path: Path, data: bytes, *, mode: int = 0o444, flush: bool) -> None:
    """Create a file, and flush its data if `flush`; FileExistsError if there is such a file.

    No file stays if the data cannot be written. The file's name is durable after `sync` of its folder.
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
    """Replace a file, durably, whole or not at all; it is written as `scratch` and renamed."""
    scratch.unlink(missing_ok=True)
    try:
        write_file(scratch, data, mode=0o644, flush=True)
        scratch.rename(path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise
    sync(path.parent)


def write_at(fd: int, data: bytes, offset: int, *, flush: bool) -> None:
    """Write into an open file; if `flush`, flush these bytes and no others."""
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
    """Flush the data of a file, or the names in a folder."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def exclusive(folder: Path, waits: Waits) -> Iterator[None]:
    """Hold the advisory lock (`flock`) of a folder against all other threads and processes.

    The kernel frees the lock of a process that dies. Raises TimeoutError where somebody else holds it too
    long.
    """
    fd = waits.lock(str(folder), os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield
    finally:
        os.close(fd)


def usage(folder: Path) -> int:
    """Return how many bytes a folder takes on disk; files that go meanwhile do not count."""
    total = 0
    for parent, _, files in os.walk(folder):
        for path in (parent, *(os.path.join(parent, name) for name in files)):
            with suppress(FileNotFoundError):
                total += os.lstat(path).st_blocks * 512  # the unit of the system, whatever the disk's blocks are
    return total


def sync_tree(folder: Path) -> None:
    """Flush a folder, and every file and folder in it."""

    def fail(error: OSError) -> None:  # `os.walk` would skip a folder that cannot be listed
        raise error

    for parent, _, files in os.walk(folder, onerror=fail):
        for name in files:
            sync(Path(parent, name))
        sync(Path(parent))
