"""Files that survive a power loss, and locks between processes."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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


def read_file(path: Path, size: int) -> bytes:
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
def exclusive(folder: Path, wait: bool = True) -> Iterator[None]:
    """Hold the advisory lock (`flock`) of a folder against every other holder.

    Other threads and other processes alike: each call opens the folder anew. The kernel
    releases the lock of a process that dies. Raises BlockingIOError if `wait` is false and
    somebody else holds it.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(fd)


def sync_tree(folder: Path) -> None:
    """Flush every file and folder below a folder, and itself."""
    for parent, _, files in os.walk(folder):
        for name in files:
            sync(Path(parent, name))
        sync(Path(parent))
