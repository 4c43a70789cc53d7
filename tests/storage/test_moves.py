"""Moving and removing whole repositories, beside readers, writers, and processes that die."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from storage import moves
from storage.errors import NameTaken, RepositoryExists, RepositoryNotFound, StorageError, StorageUnavailable
from storage.journal.file_engine import FileJournal
from storage.location import Location
from storage.machine import disk
from storage.repository import Repository
from storage.store import Store
from storage.waits import Waits
from tests.storage.repositories import first_commit, git, increment, put

NAMES = ("alice/demo", "bob/other")


def nothing() -> None:
    """Do nothing before a move."""


def fail(path: object, **_: object) -> None:
    """Refuse a call of the system."""
    raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))


def moved(store: Store, old: str, new: str) -> None:
    store.move(old, store, new, nothing)


def test_a_moved_repository_is_at_its_new_name_only(store: Store, repository: Repository, tmp_path: Path):
    commit = repository.transact(put("a", b"1"))
    moved(store, "alice/demo", "bob/other")
    assert (store.list("alice"), store.list("bob")) == ((), ("other",))
    with pytest.raises(RepositoryNotFound, match="'demo'"):
        store.open("alice/demo")
    found = store.open("bob/other")
    assert (found.name, found.head().commit) == ("other", commit)
    assert git(tmp_path / "bob/other.git", "rev-parse", "main").strip() == commit


@pytest.mark.usefixtures("no_checkpoints")
def test_what_only_the_journal_has_moves_along(store: Store, repository: Repository):
    """The checkpoint before a move may fail, and other processes may write behind it."""
    inode = store.inode("alice/demo")
    commit = repository.transact(put("a", b"1"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Repository, "checkpoint", lambda *_: None)
        moved(store, "alice/demo", "bob/other")
    assert (store.inode("alice/demo"), store.inode("bob/other")) == (None, inode)
    assert not FileJournal(Location("other", store.open("bob/other").path), Waits()).head().is_empty
    assert Store(repository.path.parents[1]).open("bob/other").head().commit == commit


@pytest.mark.parametrize(
    ("new", "error"),
    [("alice/taken", RepositoryExists), ("alice/Taken", NameTaken), ("ALICE/x", NameTaken)],
)
def test_a_name_that_is_taken_is_refused_before_anything_is_done(store: Store, repository: Repository, new, error):
    store.create("alice/taken", first_commit)
    called: list[int] = []
    with pytest.raises(error):
        store.move("alice/demo", store, new, lambda: called.append(1))
    assert called == []
    assert repository.head().commit == store.open("alice/demo").head().commit


@pytest.mark.usefixtures("repository")
def test_nobody_makes_a_repository_beside_one_that_moves_until_all_is_done(store: Store, tmp_path: Path):
    """What comes after the move can read and write the repository; `hold` waits for it, and keeps others out, too."""
    done: list[str] = []

    def after() -> None:
        for act in (lambda: other.create("alice/demo", first_commit), lambda: other.create("bob/new", first_commit)):
            with pytest.raises(StorageUnavailable):
                act()
        with pytest.raises(StorageUnavailable), other.hold("alice/demo"):
            done.append("held")
        store.open("bob/other").transact(put("a", b"1"))
        done.append("after")

    other = Store(tmp_path, waits=Waits(0.05))
    store.move("alice/demo", store, "bob/other", nothing, after)
    assert done == ["after"]
    with store.hold("alice/demo", "bob/other", "nobody/x"), pytest.raises(StorageUnavailable):
        other.create("bob/new", first_commit)
    assert other.create("alice/demo", first_commit).name == "demo"


@pytest.mark.usefixtures("repository")
def test_the_case_of_a_name_may_change(store: Store):
    moved(store, "alice/demo", "alice/Demo")
    assert store.list("alice") == ("Demo",)


@pytest.mark.usefixtures("repository")
def test_there_is_nothing_to_move(store: Store):
    called: list[int] = []
    with pytest.raises(RepositoryNotFound, match="'nope'"):
        store.move("alice/nope", store, "alice/x", lambda: called.append(1))
    with pytest.raises(RepositoryNotFound, match="'nope'"):
        store.remove("alice/nope")
    assert called == []


@pytest.mark.usefixtures("repository")
def test_other_processes_notice_at_once(store: Store, tmp_path: Path):
    """A second store stands for another process: the two share nothing but files."""
    other = Store(tmp_path)
    held = other.open("alice/demo")
    held.transact(put("a", b"1"))
    moved(store, "alice/demo", "bob/other")
    with pytest.raises(RepositoryNotFound):
        other.open("alice/demo")
    with pytest.raises(RepositoryNotFound):
        held.transact(put("a", b"2"))
    store.create("alice/demo", first_commit)
    with pytest.raises(RepositoryNotFound):
        held.transact(put("a", b"3"))
    assert other.open("alice/demo").head().read("a") is None
    assert other.open("bob/other").head().read("a").data == b"1"


@pytest.mark.usefixtures("repository")
def test_a_move_that_is_not_durable_is_taken_back(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "bob").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(disk, "sync", fail)
        with pytest.raises(StorageUnavailable, match="'demo'"):
            moved(store, "alice/demo", "bob/other")
    assert (store.list("alice"), store.list("bob")) == (("demo",), ())
    assert store.open("alice/demo").transact(put("a", b"1"))


def test_a_move_waits_for_maintenance_and_gives_up(tmp_path: Path):
    store = Store(tmp_path, waits=Waits(seconds=0.05))
    repository = store.create("alice/demo", first_commit)
    with (
        disk.exclusive(repository.path / "objects", Waits()),
        pytest.raises(StorageUnavailable, match="held its lock for too long"),
    ):
        moved(store, "alice/demo", "alice/x")
    assert store.list("alice") == ("demo",)


def test_a_removed_repository_is_gone_whole(store: Store, repository: Repository, tmp_path: Path):
    store.remove("alice/demo")
    assert list((tmp_path / "alice").iterdir()) == []
    with pytest.raises(RepositoryNotFound):
        repository.transact(put("a", b"1"))
    assert store.create("alice/demo", first_commit).head().read("a") is None


@pytest.mark.usefixtures("repository")
def test_a_removal_that_was_cut_short_shows_no_half_of_a_repository(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", fail)
        with pytest.raises(StorageError):
            store.remove("alice/demo")
    assert store.list("alice") == ()
    assert [path.name[:5] for path in (tmp_path / "alice").iterdir()] == [".new-"]
    store.create("alice/next", first_commit)
    assert [path.name for path in (tmp_path / "alice").iterdir()] == ["next.git"]


def count_up(root: str, times: int) -> int:
    """Increment under whatever name the repository has now, and return how often that was answered."""
    store, answered = Store(Path(root)), 0
    while answered < times:
        for name in NAMES:
            try:
                store.open(name).transact(increment)
                answered += 1
            except RepositoryNotFound:
                continue
    return answered


@pytest.mark.slow
def test_no_answered_write_is_lost_while_a_repository_moves_to_and_fro(store: Store, tmp_path: Path):
    """Two processes and two threads of a third write, while this process moves the repository."""
    store.create("alice/demo", first_commit)
    moves = 0
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes, ThreadPoolExecutor(2) as threads:
        written = [processes.submit(count_up, str(tmp_path), 150) for _ in range(2)]
        written += [threads.submit(count_up, str(tmp_path), 150) for _ in range(2)]
        here, there = NAMES
        while not all(each.done() for each in written):
            moved(store, here, there)
            here, there, moves = there, here, moves + 1
        total = sum(each.result() for each in written)
    assert moves > 10
    assert store.open(here).head().read("counter").data == b"%d\n" % total
    assert git(store.open(here).path, "fsck", "--strict") == ""


WRITER = """
import sys
from pathlib import Path
from storage.store import Store
from tests.storage.repositories import increment
repository = Store(Path(sys.argv[1])).open("alice/demo")
while True:
    print(repository.transact(increment), flush=True)
"""


@pytest.mark.usefixtures("repository")
def test_a_writer_that_is_killed_while_a_repository_moves_loses_nothing_answered(store: Store, tmp_path: Path):
    for number in range(5):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL
        )
        assert writer.stdout is not None
        first = writer.stdout.readline()
        assert first, "the writer never began"
        store.move("alice/demo", store, f"bob/moved{number}", kill_soon(writer))
        answered = [int(first), *(int(line) for line in writer.stdout if line.endswith("\n"))]
        writer.wait()
        writer.stdout.close()
        found = int(store.open(f"bob/moved{number}").head().read("counter").data)
        assert found in (answered[-1], answered[-1] + 1)  # the last may not have been answered any more
        moved(store, f"bob/moved{number}", "alice/demo")


def kill_soon(writer: "subprocess.Popen[str]") -> Callable[[], None]:
    """Return what kills a process while the repository is held, once it waits for its turn."""
    return lambda: writer.send_signal(signal.SIGKILL)


BUILDER = """
import sys
from pathlib import Path
from storage.moves import scratch
with scratch(Path(sys.argv[1])) as folder:
    (folder / "half").mkdir()
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_process_was_building_goes_with_the_next_and_nothing_else_does(tmp_path: Path):
    command = [sys.executable, "-c", BUILDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as builder:
        assert builder.stdout is not None
        built = Path(builder.stdout.readline().strip())
        with moves.scratch(tmp_path) as other:
            assert (built / "half").is_dir()
            builder.kill()
            builder.wait()
            with moves.scratch(tmp_path) as third:
                assert sorted(tmp_path.glob(".build-*")) == sorted([other, third])
    assert list(tmp_path.glob(".build-*")) == []
