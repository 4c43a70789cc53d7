"""What the tests of crashes share: the journal's file as bytes, and a repository that is opened anew."""

import os
import re
import signal
from pathlib import Path

import pytest

from storage.journal.file_engine import FileJournal
from storage.journal.journal_file import NAME, JournalFile
from storage.location import Location
from storage.repository import Repository
from storage.store import Store
from storage.waits import Waits
from tests.storage.repositories import git, increment

HEADER = 64  # bytes; a header has fewer


def read_header(repository: Repository) -> bytes:
    return (repository.path / NAME).read_bytes()[:HEADER]


def end(repository: Repository) -> int:
    """Return where the last record ends."""
    return FileJournal(Location("demo", repository.path), Waits()).head().end


def write_at(repository: Repository, position: int, data: bytes) -> None:
    with (repository.path / NAME).open("r+b") as file:
        file.seek(position)
        file.write(data)


def reopened(tmp_path: Path) -> Repository:
    return Store(tmp_path).open("alice/demo")


def check(after: Repository, count: int, more: int = 0) -> None:
    """Expect a counter at `count`, as many commits and `more`, and a repository that works."""
    assert after.head().read("counter").data == b"%d\n" % count
    assert after.transact(increment) == count + 1
    after.checkpoint()
    assert git(after.path, "rev-list", "--count", "main").strip() == f"{count + 2 + more}"
    assert git(after.path, "show", "main:counter") == f"{count + 1}\n"
    assert git(after.path, "fsck", "--strict") == ""
    assert not list(after.path.rglob("*.lock"))


def watch_the_disk(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list that flushes and renames are noted in from now on, as they happen."""
    events: list[str] = []
    paths: dict[int, str] = {}
    real_open, real_fsync, real_rename, real_write = os.open, os.fsync, Path.rename, os.pwritev

    def kind(path):
        return re.sub(r"[-_][0-9a-f]{16,}", "", Path(path).name)

    def open_(path, *arguments, **more):
        fd = real_open(path, *arguments, **more)
        paths[fd] = kind(path)
        return fd

    def fsync(fd):
        events.append(f"fsync {paths[fd]}")
        real_fsync(fd)

    def rename(path, to):
        events.append(f"rename {kind(to)}")
        return real_rename(path, to)

    def write(fd, buffers, offset, flags=0):
        what = "a record of" if offset else "the start of"
        events.append(f"{'flush' if flags else 'write'} {what} {paths[fd]}")
        return real_write(fd, buffers, offset, flags)

    monkeypatch.setattr(os, "open", open_)
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "pwritev", write)
    monkeypatch.setattr(Path, "rename", rename)
    return events


def kill_in_a_checkpoint(repository: Repository) -> None:
    """Kill a process of its own between the branch and the journal."""
    pid = os.fork()
    if not pid:
        JournalFile.checkpointed = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        repository.checkpoint()
    os.waitpid(pid, 0)
