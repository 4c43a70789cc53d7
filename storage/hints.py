"""Hints about the repositories of a folder: lines that are added, and never changed. All processes share them."""

import errno
import os
from collections.abc import Iterable, Set
from pathlib import Path

from storage.errors import explained
from storage.machine import disk

_END = " ."  # a line that a power loss cut off does not end so


class Hints:
    """The hints in one file: a set of lines."""

    def __init__(self, path: Path) -> None:
        """Keep hints in the file `path`. The first line makes the file."""
        self.path = path
        self._name = path.parent.name

    def version(self) -> tuple[int, int] | None:
        """Return what is another one as soon as a line was added; None where there is no file."""
        with explained(self._name, self.path.parent):
            try:
                found = self.path.stat()
            except FileNotFoundError:
                return None
        return found.st_ino, found.st_size

    def lines(self) -> Set[str]:
        """Return all lines; none where there is no file."""
        with explained(self._name, self.path.parent):
            try:
                text = self.path.read_text("utf-8", errors="replace")
            except FileNotFoundError:
                return frozenset()
        return {line.removesuffix(_END) for line in text.split("\n") if line.endswith(_END)}

    def add(self, lines: Iterable[str], *, flush: bool) -> None:
        """Add lines, in one write, so that other processes may add theirs at the same time."""
        data = "".join(f"\n{line}{_END}\n" for line in lines).encode()
        with explained(self._name, self.path.parent):
            file = os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
            try:
                if os.write(file, data) < len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                if flush:
                    os.fsync(file)
            finally:
                os.close(file)
            if flush:
                disk.sync(self.path.parent)
