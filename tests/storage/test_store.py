"""Making and finding repositories."""

import errno
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from storage.errors import NameTaken, RepositoryExists, RepositoryNotFound, StorageUnavailable
from storage.journal.checkpoint_task import CheckpointTask
from storage.journal.checkpointer import Checkpointer
from storage.journal.file_engine import FileJournal
from storage.journal.journal_file import NAME
from storage.location import Location
from storage.store import Store
from storage.waits import Waits
from tests.seams import git_readers, lock_waiters, refuse, wait_until
from tests.storage.repositories import checkpointed, first_commit, git, put

needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux")


def test_create_makes_a_repository_that_git_can_clone(store: Store, tmp_path: Path):
    repository = store.create("alice/demo", first_commit)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(repository.path), str(clone))
    assert (clone / "README.md").read_text() == "# demo\n"
    assert not (repository.path / "hooks").exists()


def test_create_refuses_a_name_that_exists(store: Store):
    store.create("alice/demo", first_commit)
    with pytest.raises(RepositoryExists):
        store.create("alice/demo", first_commit)
    with pytest.raises(NameTaken):
        store.create("alice/Demo", first_commit)
    with pytest.raises(NameTaken):
        store.create("Alice/other", first_commit)
    assert store.list("alice") == ("demo",)
    assert store.list("Alice") == ()


def test_a_failed_creation_leaves_no_files(store: Store, tmp_path: Path):
    def fail(transaction):
        first_commit(transaction)
        raise LookupError("no")

    with pytest.raises(LookupError):
        store.create("alice/demo", fail)
    assert store.list("alice") == ()
    assert list((tmp_path / "alice").iterdir()) == []


def test_create_is_refused_when_git_fails(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As on a full disk: the error names the repository, and the next try works without a restart."""

    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to("/bin/false")
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path / "bin"))
        with pytest.raises(StorageUnavailable, match="'demo'"):
            store.create("alice/demo", first_commit)
    assert list((tmp_path / "alice").iterdir()) == []
    assert store.create("alice/demo", first_commit).head().read("README.md")


def test_a_folder_without_permission_is_unavailable_and_not_missing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    store.create("alice/demo", first_commit)
    with monkeypatch.context() as patch:
        refuse(patch, "stat", tmp_path / "alice", errno.EACCES)
        with pytest.raises(StorageUnavailable, match="'demo' does not answer: Permission denied"):
            Store(tmp_path).open("alice/demo")
    assert Store(tmp_path).open("alice/demo").head().read("README.md")


def test_create_is_refused_when_its_files_cannot_be_flushed(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        refuse(patch, "scandir", tmp_path / "alice/.new-", errno.EACCES)
        with pytest.raises(StorageUnavailable, match="'demo' does not answer: Permission denied"):
            store.create("alice/demo", first_commit)
    assert store.list("alice") == ()
    assert store.create("alice/demo", first_commit).head().read("README.md")


def test_create_removes_what_a_crash_left_unfinished(store: Store, tmp_path: Path):
    store.create("alice/one", first_commit)
    (tmp_path / "alice/.new-left").mkdir()
    store.create("alice/two", first_commit)
    assert not (tmp_path / "alice/.new-left").exists()
    assert store.list("alice") == ("one", "two")


def test_of_many_creations_of_one_name_one_succeeds(store: Store):
    outcomes: list[str] = []

    def make() -> None:
        try:
            store.create("alice/demo", first_commit)
            outcomes.append("made")
        except RepositoryExists:
            outcomes.append("exists")

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["exists"] * 5 + ["made"]


@pytest.mark.parametrize("name", ["../up", "a/../b", "a//b", "-x/y", "", "a/.git", "a\n/b", "a\0", "/etc", "a/b/"])
def test_names_that_lead_out_of_the_root_are_refused(store: Store, name: str):
    with pytest.raises(ValueError, match="cannot name"):
        store.open(name)
    with pytest.raises(ValueError, match="cannot name"):
        store.create(name, first_commit)


@pytest.mark.parametrize("how", ["removed", "moved away"])
def test_a_removed_repository_can_be_created_anew(store: Store, tmp_path: Path, how: str):
    """An operator removed the folder; stores that had the repository open use the new one."""
    other = Store(tmp_path)
    old = store.create("alice/demo", first_commit)
    checkpointed(old, put("old", b"1"))
    assert other.open("alice/demo").head().read("old") is not None
    if how == "removed":
        shutil.rmtree(old.path)
    else:
        old.path.rename(tmp_path / "alice" / "elsewhere")
    for found in (store, other):
        with pytest.raises(RepositoryNotFound):
            found.open("alice/demo")
    checkpointed(store.create("alice/demo", first_commit), put("new", b"2"))
    for found in (store, other):
        snapshot = found.open("alice/demo").head()
        assert (snapshot.read("old"), snapshot.read("new").data) == (None, b"2")
    with pytest.raises(RepositoryNotFound):
        old.transact(put("old", b"3"))
    assert git(store.open("alice/demo").path, "show", "main:new") == "2"


def test_a_repository_created_anew_can_be_written_at_once(store: Store):
    shutil.rmtree(store.create("alice/demo", first_commit).path)
    again = store.create("alice/demo", first_commit)
    assert store.open("alice/demo") is again
    checkpointed(again, put("new", b"2"))


def test_a_writer_waiting_for_a_removed_repository_writes_nothing(store: Store, tmp_path: Path):
    old = store.create("alice/demo", first_commit)
    with ThreadPoolExecutor(1) as pool, FileJournal(Location("demo", old.path), Waits()).lock():
        waiting = pool.submit(old.transact, put("a", b"1"))
        wait_until(lambda: lock_waiters(old.path / NAME))
        old.path.rename(tmp_path / "alice" / "elsewhere")
        new = store.create("alice/demo", first_commit)
    with pytest.raises(RepositoryNotFound):
        waiting.result()
    assert new.head().read("a") is None


@pytest.mark.parametrize("settled", [False, True])
def test_list_shows_repositories_that_another_store_created(tmp_path: Path, settled: bool):
    store, other = Store(tmp_path), Store(tmp_path)
    other.create("alice/one", first_commit)
    if settled:
        os.utime(tmp_path / "alice", (1, 1))
    assert store.list("alice") == store.list("alice") == ("one",)
    other.create("alice/two", first_commit)
    assert store.list("alice") == ("one", "two")


def test_list_returns_the_names_that_the_caller_accepts(tmp_path: Path):
    store = Store(tmp_path)
    for name in ("alice/one", "alice/two"):
        store.create(name, first_commit)
    assert store.list("alice", lambda name: name > "one") == ("two",)


@pytest.fixture
def small(tmp_path: Path) -> Store:
    """A store of two repositories, of which one stays open."""
    store = Store(tmp_path, open_at_most=1)
    for name in ("alice/one", "alice/two"):
        store.create(name, first_commit)
    return store


def open_files(folder: Path) -> list[Path]:
    """Return the files below a folder that this process has open."""
    found = []
    for fd in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the descriptor of this listing itself
            found.append(fd.readlink())
    return [path for path in found if path.is_relative_to(folder)]


@needs_proc
def test_a_repository_waiting_for_its_checkpoint_keeps_no_file_open(
    small: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    noted: list[CheckpointTask] = []
    monkeypatch.setattr(Checkpointer, "schedule", lambda _, what: noted.append(what))
    for name in ("alice/one", "alice/two"):
        small.open(name).transact(put("a", b"1"))
    assert [path.parent.name for path in open_files(tmp_path)] == ["two.git"]
    for task in noted:
        task.checkpoint(60)
        assert git(task.location.folder, "show", "main:a") == "1"
    assert [task.name for task in noted] == ["one", "two"]


def test_a_snapshot_can_be_read_after_its_repository_is_closed(small: Store, tmp_path: Path):
    path = small.open("alice/one").path
    checkpointed(small.open("alice/one"), put("a", b"1" * 100_000))
    snapshot = Store(tmp_path, open_at_most=1).open("alice/one").head()  # nothing is in memory
    assert snapshot.read("a").data == b"1" * 100_000
    assert len(git_readers(path)) == 1
    del snapshot
    assert git_readers(path) == []
