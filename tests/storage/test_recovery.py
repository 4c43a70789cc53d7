"""What a kill or a power loss leaves: every answered write is there, and nothing else."""

import os
import random
import re
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.errors import RepositoryDamaged, StorageUnavailable, TagExists
from storage.journal import header
from storage.journal.file_engine import FileJournal
from storage.journal.journal_file import NAME, JournalFile
from storage.location import Location
from storage.machine import disk
from storage.objects.database import ObjectDatabase
from storage.plumbing.branch import Branch
from storage.repository import Repository
from storage.store import Store
from storage.waits import Waits
from tests.storage.repositories import ALICE, commit_at, git, increment, publish, put

MARK = 64  # bytes, and more than it has

pytestmark = pytest.mark.usefixtures("unpublished")


@pytest.fixture(autouse=True)
def power(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return what makes every process from then on take the machine for one that was started anew."""
    boots = iter(range(1000))
    return lambda: monkeypatch.setattr(header, "BOOT", b"a boot, number %02d" % next(boots))


def read_mark(repository: Repository) -> bytes:
    return (repository.path / NAME).read_bytes()[:MARK]


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


def test_what_a_killed_process_committed_is_there(repository: Repository, tmp_path: Path):
    before = (repository.path / "refs/heads/main").read_bytes()
    for _ in range(6):
        repository.transact(increment)
    assert (repository.path / "refs/heads/main").read_bytes() == before
    check(reopened(tmp_path), 6)


@pytest.mark.parametrize("seed", range(20))
def test_the_mark_may_be_any_that_it_was(repository: Repository, tmp_path: Path, power, seed: int):
    """It is flushed when the journal is emptied, and may or may not be on disk as it was after that."""
    chance, count = random.Random(seed), 0
    marks = [read_mark(repository)]
    for _ in range(chance.randint(1, 25)):
        count = repository.transact(increment)
        marks.append(read_mark(repository))
        if chance.random() < 0.15:
            repository.checkpoint()
            marks = [read_mark(repository)]
    write_at(repository, 0, chance.choice(marks))
    if chance.random() < 0.5:
        (repository.path / "refs/heads/main.lock").unlink(missing_ok=True)
    power()
    check(reopened(tmp_path), count)


@pytest.mark.parametrize("cut", ["nothing", "a byte", "half", "all but a byte", "zeros"])
def test_a_record_that_was_cut_off_was_never_answered(
    repository: Repository, tmp_path: Path, power, cut: str
):
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


def test_a_record_that_was_not_told_of_does_not_count(repository: Repository, tmp_path: Path):
    """Killed behind the record: nobody was answered, and nobody may have seen it."""
    for _ in range(2):
        repository.transact(increment)
    told = read_mark(repository)
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
    publish(repository, increment)
    repository.transact(increment)
    power()
    check(reopened(tmp_path), 11)


def test_a_rotten_record_is_told_of(repository: Repository, tmp_path: Path, power):
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
def test_what_is_no_journal_is_told_of(repository: Repository, tmp_path: Path, content: bytes):
    repository.transact(put("a", b"1"))
    (repository.path / NAME).write_bytes(content)
    for damaged in (repository, reopened):
        with pytest.raises(RepositoryDamaged, match="journal"):
            (damaged if isinstance(damaged, Repository) else damaged(tmp_path)).head()
    with pytest.raises(RepositoryDamaged, match="journal"):
        repository.transact(put("a", b"2"))
    assert (repository.path / NAME).read_bytes() == content


STEPS = {
    "the pack": (ObjectDatabase, "pack_pending"),
    "the branch": (Branch, "move"),
    "the journal": (JournalFile, "checkpointed"),
}


@pytest.mark.parametrize("loses_power", [False, True])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_publication_that_is_cut_short_is_made_up_for(
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


def kill_while_publishing(repository: Repository) -> None:
    """Kill a process of its own between the branch and the journal."""
    pid = os.fork()
    if not pid:
        JournalFile.checkpointed = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        repository.checkpoint()
    os.waitpid(pid, 0)


@pytest.mark.parametrize("loses_power", [False, True])
def test_git_s_lock_is_held_again_before_others_go_on(
    repository: Repository, tmp_path: Path, power, loses_power: bool
):
    """A process was killed between the branch and the journal; another had followed it, and writes."""
    repository.transact(increment)
    told = read_mark(repository)
    kill_while_publishing(repository)
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


def test_a_lock_of_git_s_is_respected_after_a_power_loss(repository: Repository, tmp_path: Path, power):
    """Ours was never flushed. Whoever has taken it since is waited for, and told apart."""
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


def test_a_branch_that_a_killed_process_moved_is_made_durable(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
):
    repository.transact(increment)
    kill_while_publishing(repository)
    events = watch_the_disk(monkeypatch)
    repository.checkpoint()
    told, emptied = f"write the start of {NAME}", f"flush the start of {NAME}"
    assert events == ["fsync heads", told, emptied]


def test_what_could_not_be_told_of_does_not_come_back(
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


def test_a_journal_of_earlier_may_be_put_back(repository: Repository):
    """In its place, as `cp` of a backup does."""
    repository.transact(increment)
    earlier = (repository.path / NAME).read_bytes()
    repository.transact(increment)
    write_at(repository, 0, earlier)
    check(repository, 1)


def test_nothing_follows_a_mark_that_may_be_emptied_on_disk(
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
    told = read_mark(repository)
    assert other.transact(increment) == 2
    if read_mark(repository) == told:  # nobody has flushed a mark since
        write_at(repository, 0, reached[0])
    power()
    check(reopened(tmp_path), 2)


def test_who_is_interrupted_behind_the_record_has_written(
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


def test_a_hand_may_go_on_from_what_was_published(repository: Repository, tmp_path: Path, monkeypatch):
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
def test_git_cannot_move_the_branch_under_the_journal(repository: Repository, tmp_path: Path, pending: bool):
    """While it holds commits it holds git's own lock; a hand that breaks that is told of."""
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
    publish(repository, increment)
    (repository.path / "refs/heads/main.lock").write_bytes(lock)
    assert repository.transact(increment) == 2
    repository.checkpoint()
    (repository.path / "refs/heads/main.lock").write_bytes(lock)
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


def test_nothing_is_looked_for_without_a_new_start(repository: Repository, tmp_path: Path):
    """A ref that a hand has damaged is told of, and not guessed at."""
    publish(repository, increment)
    (repository.path / "refs/heads/main").write_text("nonsense")
    with pytest.raises(RepositoryDamaged):
        reopened(tmp_path).head()


def test_a_repository_of_before_the_journal_gets_one(repository: Repository, tmp_path: Path):
    publish(repository, increment)
    (repository.path / NAME).unlink()
    check(reopened(tmp_path), 1)


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


def test_a_commit_is_on_disk_before_it_is_seen(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    events = watch_the_disk(monkeypatch)
    repository.transact(increment)
    assert events == [f"flush a record of {NAME}", f"write the start of {NAME}"]


def test_git_has_all_on_disk_before_the_journal_forgets(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
):
    """The order on disk: objects, their names, the branch, its name, then the journal's header."""
    repository.transact(increment)
    events = watch_the_disk(monkeypatch)
    repository.checkpoint()
    objects = ["fsync tmp", "fsync tmp", "rename flush.pack", "rename flush.idx", "fsync pack"]
    branch = ["fsync tmp_branch", "rename main", "fsync heads"]
    journal = [f"write the start of {NAME}", f"flush the start of {NAME}"]
    assert events == [*objects, *branch, *journal]


def test_a_tag_is_on_disk_before_it_is_answered(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    """In the journal. Git has the tag at once, too: its object first, then its ref, and their names."""
    first = repository.head().commit
    events = watch_the_disk(monkeypatch)
    repository.create_tag("v1", first, ALICE, "Stable\n")
    object_ = ["fsync tmp", "fsync tmp", "rename flush.pack", "rename flush.idx", "fsync pack"]
    ref = ["fsync tmp_ref", "rename v1", "fsync tags", "fsync refs"]
    appended = [f"flush a record of {NAME}", f"write the start of {NAME}"]
    emptied = [f"write the start of {NAME}", f"flush the start of {NAME}"]
    assert events == [*appended, *object_, *ref, *emptied]
