"""A checkpoint that a kill, a power loss, a full disk or an operator interrupts loses nothing."""

import os
import threading
from pathlib import Path

import pytest

from storage.errors import RepositoryDamaged, StorageUnavailable
from storage.journal.file_engine import FileJournal
from storage.journal.journal_file import NAME, JournalFile
from storage.location import Location
from storage.machine import disk
from storage.objects.database import ObjectDatabase
from storage.plumbing.branch import Branch
from storage.repository import Repository
from storage.waits import Waits
from tests.storage.journal.crashes import (
    check,
    kill_in_a_checkpoint,
    read_header,
    reopened,
    watch_the_disk,
    write_at,
)
from tests.storage.repositories import ALICE, checkpointed, commit_at, git, increment, put

pytestmark = pytest.mark.usefixtures("no_checkpoints")


STEPS = {
    "the pack": (ObjectDatabase, "pack_pending"),
    "the branch": (Branch, "move"),
    "the journal": (JournalFile, "checkpointed"),
}


@pytest.mark.parametrize("loses_power", [False, True])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_checkpoint_that_is_cut_short_is_done_again(
    repository: Repository,
    tmp_path: Path,
    power,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    when: str,
    loses_power: bool,
):
    repository.transact(increment)
    repository.transact(increment)
    owner, name = STEPS[step]
    original = getattr(owner, name)

    def die(*arguments):
        if when == "after":
            original(*arguments)
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, die)
        with pytest.raises(SystemExit):
            repository.checkpoint()
    if loses_power:
        power()
    check(reopened(tmp_path), 2)


def test_writers_go_on_without_a_checkpoint_until_the_journal_is_full(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
):
    """What git's files have no room for is not piled up in the journal without end."""
    repository.transact(increment)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Branch, "move", full)
        with pytest.raises(StorageUnavailable, match="No space left"):
            repository.checkpoint()
        assert repository.transact(increment) == 2
        repository.transact(put("much", bytes(2 * 1024 * 1024)))
        with pytest.raises(StorageUnavailable, match="No space left"):
            repository.transact(increment)
        assert repository.head().read("counter").data == b"2\n"
    check(repository, 2, more=1)


@pytest.mark.parametrize("loses_power", [False, True])
def test_gits_lock_is_held_while_the_journal_has_records(
    repository: Repository, tmp_path: Path, power, loses_power: bool
):
    """A process was killed between the branch and the journal; another had followed it, and writes."""
    repository.transact(increment)
    told = read_header(repository)
    kill_in_a_checkpoint(repository)
    lock = repository.path / "refs/heads/main.lock"
    assert lock.exists()
    assert not FileJournal(Location("demo", repository.path), Waits()).head().is_empty
    if loses_power:
        write_at(repository, 0, told)
        lock.unlink()
        power()
        repository = reopened(tmp_path)
    repository.transact(increment)
    assert lock.exists()
    check(reopened(tmp_path), 2)


def test_a_lock_of_a_git_command_is_waited_for_after_a_power_loss(repository: Repository, tmp_path: Path, power):
    """Our lock was never flushed. A lock that another program took since is waited for, not removed."""
    repository.transact(increment)
    lock = repository.path / "refs/heads/main.lock"
    lock.unlink()
    power()
    lock.touch()
    letting_go = threading.Timer(0.3, lock.unlink)
    letting_go.start()
    after = reopened(tmp_path)
    assert not letting_go.is_alive()
    assert lock.exists()
    after.checkpoint()
    check(after, 1)


def test_a_branch_that_a_killed_process_moved_is_flushed(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    repository.transact(increment)
    kill_in_a_checkpoint(repository)
    events = watch_the_disk(monkeypatch)
    repository.checkpoint()
    told, emptied = f"write the start of {NAME}", f"flush the start of {NAME}"
    assert events == ["fsync heads", told, emptied]


def test_an_operator_may_go_on_from_a_checkpoint_that_was_cut_short(
    repository: Repository, tmp_path: Path, monkeypatch
):
    """Killed between the branch and the journal; an operator removes git's lock, which was left."""
    repository.transact(increment)

    def die(*_):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(JournalFile, "checkpointed", die)
        with pytest.raises(SystemExit):
            repository.checkpoint()
    journal_, hidden = repository.path / NAME, repository.path / "elsewhere"
    journal_.rename(hidden)  # otherwise `commit_at` would wait for a checkpoint
    (repository.path / "refs/heads/main.lock").unlink()
    (by_hand,) = commit_at(repository.path, [4_000_000_000])
    hidden.rename(journal_)
    after = reopened(tmp_path)
    after.checkpoint()
    assert after.head().commit == by_hand
    assert after.transact(increment) == 2
    after.checkpoint()
    assert git(after.path, "rev-list", "--count", "main").strip() == "4"
    assert git(after.path, "fsck", "--strict") == ""


@pytest.mark.parametrize("pending", [False, True])
def test_a_branch_moved_under_the_journal_is_damage(repository: Repository, tmp_path: Path, pending: bool):
    """While the journal has records, Bakehouse holds git's lock; a branch that moves all the same is reported."""
    first = repository.head().commit
    repository.transact(increment)
    other = reopened(tmp_path).path / "refs/heads/main"
    other.write_text(f"{'1' * 40}\n")
    with pytest.raises(RepositoryDamaged, match="was moved"):
        repository.checkpoint()
    if pending:
        with pytest.raises(RepositoryDamaged, match="was moved"):
            repository.transact(increment)
    other.write_text(f"{first}\n")
    check(repository, 1)


@pytest.mark.parametrize("lock", [b"", b"Bakehouse\n", b"0" * 40 + b"\n", b"half a comm"])
def test_a_lock_that_a_kill_left_is_cleared(repository: Repository, tmp_path: Path, lock: bytes):
    checkpointed(repository, increment)
    (repository.path / "refs/heads/main.lock").write_bytes(lock)
    assert repository.transact(increment) == 2
    repository.checkpoint()
    (repository.path / "refs/heads/main.lock").write_bytes(lock)
    check(reopened(tmp_path), 2)


def test_no_record_is_lost_where_two_flushes_of_the_header_fail(
    repository: Repository, tmp_path: Path, power, monkeypatch: pytest.MonkeyPatch
):
    """The emptied header reached the disk, though its flush failed. So did the flush before the next record."""
    repository.transact(increment)
    on_disk: list[bytes] = []
    failures = [True, False]  # whether the header reaches the disk

    def write_at(fd: int, data: bytes, offset: int, *, flush: bool) -> None:
        os.pwrite(fd, data, offset)
        if offset == 0 and flush:
            if failures:
                on_disk.extend([data] if failures.pop(0) else [])
                raise OSError(5, "Input/output error")
            on_disk.append(data)

    with monkeypatch.context() as patch:
        patch.setattr(disk, "write_at", write_at)
        for refused in (repository.checkpoint, lambda: repository.transact(increment)):
            with pytest.raises(StorageUnavailable):
                refused()
        assert repository.transact(increment) == 2
    write_at_front(repository, on_disk[-1])
    power()
    check(reopened(tmp_path), 2)


def write_at_front(repository: Repository, header: bytes) -> None:
    """Leave the header that is on disk, as a power loss does."""
    with (repository.path / NAME).open("r+b") as file:
        file.write(header)


def test_a_pack_with_one_object_more_has_another_name(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    """Otherwise maintenance, which has read the first pack, would remove the second."""
    commit = repository.transact(put("a", b"1"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def packs() -> set[str]:
        return {path.name for path in (repository.path / "objects/pack").glob("flush-*.pack")}

    before = packs()
    with monkeypatch.context() as patch:
        patch.setattr(Branch, "move", full)
        with pytest.raises(StorageUnavailable):
            repository.checkpoint()
        first = packs() - before
        repository.create_tag("v1", commit, ALICE, "One\n")
    repository.checkpoint()
    assert len(first) == 1
    assert len(packs() - before - first) >= 1
    assert git(repository.path, "fsck", "--strict") == ""


def test_gits_lock_is_gone_where_the_emptied_file_cannot_shrink(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object) -> None:
        raise OSError(5, "Input/output error")

    repository.transact(put("a", bytes(2_000_000)))
    monkeypatch.setattr(JournalFile, "_resize", refuse)
    repository.checkpoint()
    assert not (repository.path / "refs/heads/main.lock").exists()
    assert git(repository.path, "rev-list", "--count", "main").strip() == "2"


def test_reads_need_no_room_where_gits_lock_is_missing(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """After a power loss, or a copy without lock files. The next writer takes the lock."""
    repository.transact(increment)
    lock = repository.path / "refs/heads/main.lock"
    lock.unlink()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(disk, "write_file", full)
        after = reopened(tmp_path)
        assert after.head().read("counter").data == b"1\n"
    assert after.transact(increment) == 2
    assert lock.exists()
    check(after, 2)


def test_a_git_that_is_killed_is_no_damage(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Nor does it stop writers: the answer of `git merge-base` is missing, and the branch was not moved."""
    repository.transact(increment)
    kill_in_a_checkpoint(repository)
    program = tmp_path / "bin/git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    program.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        with pytest.raises(StorageUnavailable, match="git merge-base was killed"):
            repository.checkpoint()
        assert repository.transact(increment) == 2
    check(repository, 2)
