"""What a kill or a power loss leaves: every answered write is there, and no other."""

import os
import random
from pathlib import Path

import pytest

from storage.errors import RepositoryDamaged, StorageUnavailable, TagExists
from storage.journal.journal_file import NAME, JournalFile
from storage.machine import disk
from storage.repository import Repository
from tests.storage.journal.crashes import (
    check,
    end,
    read_header,
    reopened,
    write_at,
)
from tests.storage.repositories import ALICE, checkpointed, git, increment, put

pytestmark = pytest.mark.usefixtures("no_checkpoints")


def test_commits_of_a_killed_process_are_there(repository: Repository, tmp_path: Path):
    before = (repository.path / "refs/heads/main").read_bytes()
    for _ in range(6):
        repository.transact(increment)
    assert (repository.path / "refs/heads/main").read_bytes() == before
    check(reopened(tmp_path), 6)


@pytest.mark.parametrize("seed", range(20))
def test_any_earlier_header_leads_to_all_records(repository: Repository, tmp_path: Path, power, seed: int):
    """It is flushed when the journal is emptied, and may or may not be on disk as it was after that."""
    chance, count = random.Random(seed), 0
    headers = [read_header(repository)]
    for _ in range(chance.randint(1, 25)):
        count = repository.transact(increment)
        headers.append(read_header(repository))
        if chance.random() < 0.15:
            repository.checkpoint()
            headers = [read_header(repository)]
    write_at(repository, 0, chance.choice(headers))
    if chance.random() < 0.5:
        (repository.path / "refs/heads/main.lock").unlink(missing_ok=True)
    power()
    check(reopened(tmp_path), count)


@pytest.mark.parametrize("cut", ["nothing", "a byte", "half", "all but a byte", "zeros"])
def test_a_record_that_was_cut_off_does_not_count(repository: Repository, tmp_path: Path, power, cut: str):
    for _ in range(3):
        repository.transact(increment)
    before, start = (repository.path / NAME).read_bytes(), end(repository)
    repository.transact(increment)
    record = (repository.path / NAME).read_bytes()[start : end(repository)]
    kept = {"nothing": 0, "a byte": 1, "half": len(record) // 2, "all but a byte": len(record) - 1}
    left = record[: kept[cut]] if cut in kept else bytes(len(record))
    (repository.path / NAME).write_bytes(before[:start] + left)
    power()
    check(reopened(tmp_path), 3)


def test_a_record_behind_the_header_does_not_count(repository: Repository, tmp_path: Path):
    """Killed behind the record: nobody was answered, and nobody may have seen it."""
    for _ in range(2):
        repository.transact(increment)
    told = read_header(repository)
    repository.transact(increment)
    write_at(repository, 0, told)
    check(reopened(tmp_path), 2)


def test_a_refused_record_does_not_come_back(
    repository: Repository, tmp_path: Path, power, monkeypatch: pytest.MonkeyPatch
):
    """It was written whole, and then the disk said no."""
    repository.transact(increment)
    write = os.pwritev

    def fail_after(*arguments):
        write(*arguments)
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwritev", fail_after)
        with pytest.raises(StorageUnavailable):
            repository.transact(increment)
    power()
    check(reopened(tmp_path), 1)


def test_records_of_an_earlier_generation_do_not_count(repository: Repository, tmp_path: Path, power):
    for _ in range(9):
        repository.transact(increment)
    checkpointed(repository, increment)
    repository.transact(increment)
    power()
    check(reopened(tmp_path), 11)


def test_a_damaged_record_is_reported(repository: Repository, tmp_path: Path, power):
    """What comes behind it was answered, too: it must not be dropped in silence."""
    repository.transact(put("a", b"1" * 100))
    middle = end(repository)
    repository.transact(put("b", b"2" * 100))
    write_at(repository, middle - 50, b"rot")
    content = (repository.path / NAME).read_bytes()
    with pytest.raises(RepositoryDamaged, match="cannot be read"):
        reopened(tmp_path).head()
    power()
    for _ in range(2):
        with pytest.raises(RepositoryDamaged, match="cannot be read"):
            reopened(tmp_path).head()
    assert (repository.path / NAME).read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"x", b"garbage" * 1000])
def test_journal_rejects_a_file_it_did_not_write(repository: Repository, tmp_path: Path, content: bytes):
    repository.transact(put("a", b"1"))
    (repository.path / NAME).write_bytes(content)
    for damaged in (repository, reopened):
        with pytest.raises(RepositoryDamaged, match="journal"):
            (damaged if isinstance(damaged, Repository) else damaged(tmp_path)).head()
    with pytest.raises(RepositoryDamaged, match="journal"):
        repository.transact(put("a", b"2"))
    assert (repository.path / NAME).read_bytes() == content


def test_a_record_without_a_header_does_not_come_back(
    repository: Repository, tmp_path: Path, power, monkeypatch: pytest.MonkeyPatch
):
    repository.transact(increment)

    def fail(*_, **__):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(JournalFile, "_write_header", fail)
        with pytest.raises(StorageUnavailable):
            repository.transact(increment)
    power()
    check(reopened(tmp_path), 1)


def test_an_earlier_copy_of_the_journal_may_be_put_back(repository: Repository):
    """In its place, as `cp` of a backup does."""
    repository.transact(increment)
    earlier = (repository.path / NAME).read_bytes()
    repository.transact(increment)
    write_at(repository, 0, earlier)
    check(repository, 1)


def test_no_record_follows_a_header_that_may_be_emptied_on_disk(
    repository: Repository, tmp_path: Path, power, monkeypatch: pytest.MonkeyPatch
):
    """The disk refuses to flush it, but has it, and refuses to take it back; another process writes."""
    other = reopened(tmp_path)
    repository.transact(increment)
    reached = []

    def fail(fd, data, offset, *, flush):
        os.pwrite(fd, data, offset)
        if flush and offset == 0:
            reached.append(data)
            raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(disk, "write_at", fail)
        with pytest.raises(StorageUnavailable):
            repository.checkpoint()
    assert len(reached) == 1
    told = read_header(repository)
    assert other.transact(increment) == 2
    if read_header(repository) == told:  # nobody has flushed a header since
        write_at(repository, 0, reached[0])
    power()
    check(reopened(tmp_path), 2)


def test_a_writer_interrupted_behind_the_record_has_written(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_header = JournalFile._write_header

    def interrupt(*arguments):
        write_header(*arguments)
        raise KeyboardInterrupt

    repository.transact(increment)
    with monkeypatch.context() as patch:
        patch.setattr(JournalFile, "_write_header", interrupt)
        with pytest.raises(KeyboardInterrupt):
            repository.transact(increment)
    assert repository.head().read("counter").data == b"2\n"
    check(reopened(tmp_path), 2)


def test_a_tag_survives_with_the_commit_that_it_is_on(repository: Repository, tmp_path: Path, power):
    commit = repository.transact(put("a", b"1"))
    tag = repository.create_tag("v1", commit, ALICE, "Stable\n")
    later = repository.transact(put("a", b"2"))
    power()
    after = reopened(tmp_path)
    assert after.tags() == [after.tag("v1")] == [tag]
    assert after.find("v1") == commit
    assert after.head().commit == later
    assert after.at(commit).read("a").data == b"1"
    after.checkpoint()
    assert git(after.path, "fsck", "--strict") == ""
    with pytest.raises(TagExists):
        after.create_tag("v1", commit, ALICE, "Again\n")


def test_a_damaged_branch_is_not_guessed_at(repository: Repository, tmp_path: Path):
    """A ref that somebody has damaged is reported."""
    checkpointed(repository, increment)
    (repository.path / "refs/heads/main").write_text("nonsense")
    with pytest.raises(RepositoryDamaged):
        reopened(tmp_path).head()


def test_a_repository_without_a_journal_gets_one(repository: Repository, tmp_path: Path):
    checkpointed(repository, increment)
    (repository.path / NAME).unlink()
    check(reopened(tmp_path), 1)
