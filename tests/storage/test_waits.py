"""A lock that another program holds for long: its writers wait for a bounded time, and others go on."""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage import waits
from storage.errors import StorageUnavailable
from storage.journal.journal_file import NAME
from storage.maintenance import Maintenance
from storage.repository import Repository
from storage.store import Store
from storage.waits import Waits
from tests.seams import lock_waiters, wait_until
from tests.storage.repositories import ALICE, first_commit, git, put

HELD = "another program or request has held its lock for too long"


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock of a file or folder, as another program would."""
    fd = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


@pytest.fixture(autouse=True)
def moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a lock count as stuck after 0.1 s instead of 2 s."""
    monkeypatch.setattr(waits, "STUCK_AFTER", 0.1)


@pytest.fixture
def impatient(tmp_path: Path) -> Store:
    """A store whose threads wait for half a second, and two at a time; with two repositories."""
    store = Store(tmp_path, Maintenance(None), Waits(seconds=0.5, threads=2))
    store.create("alice/other", first_commit)
    store.create("alice/demo", first_commit)
    return store


def changing_calls(repository: Repository) -> dict[str, Callable[[], object]]:
    return {
        "a write": lambda: repository.transact(put("a", b"1")),
        "a tag": lambda: repository.create_tag("v1", repository.head().commit, ALICE, "One\n"),
        "a checkpoint": repository.checkpoint,
        "a clone that needs a checkpoint": lambda: repository.fetches.advertise_refs("version=2"),
    }


@pytest.mark.usefixtures("no_checkpoints")
def test_each_wait_for_a_locked_repository_ends(impatient: Store):
    repository = impatient.open("alice/demo")
    repository.transact(put("a", b"0"))
    with held(repository.path / NAME):
        for call in changing_calls(repository).values():
            with pytest.raises(StorageUnavailable, match=HELD):
                call()
        assert impatient.open("alice/other").transact(put("a", b"1"))
    for call in changing_calls(repository).values():
        call()
    assert git(repository.path, "show", "main:a") == "1"


@pytest.mark.usefixtures("no_checkpoints")
def test_reads_wait_for_no_lock(impatient: Store, tmp_path: Path):
    repository = impatient.open("alice/demo")
    before = repository.head().commit
    after = repository.transact(put("a", b"0"))
    with held(repository.path / NAME):
        for reader in (repository, Store(tmp_path, Maintenance(None), Waits(0)).open("alice/demo")):
            assert reader.head().read("a").data == b"0"
            assert [logged.commit for logged in reader.log(after)] == [after, before]
            assert [version.commit for version in reader.versions("a", after)] == [after]
            assert reader.find(after[:10]) == after
            assert reader.tags() == []


def test_create_waits_for_a_locked_folder_for_a_bounded_time(impatient: Store, tmp_path: Path):
    with held(tmp_path / "alice"), pytest.raises(StorageUnavailable, match=HELD):
        impatient.create("alice/new", first_commit)
    with held(tmp_path), pytest.raises(StorageUnavailable, match=HELD):
        impatient.create("bob/new", first_commit)
    assert impatient.create("bob/new", first_commit).head()


def test_writers_of_a_stuck_repository_take_only_some_threads(impatient: Store):
    """Two of eight writers wait until the end; the others are refused soon, and later ones at once."""
    repository = impatient.open("alice/demo")
    started = time.monotonic()

    def write(number: int) -> float:
        with pytest.raises(StorageUnavailable, match=HELD):
            repository.transact(put(f"n{number}", b"1"))
        return time.monotonic() - started

    with held(repository.path / NAME), ThreadPoolExecutor(8) as pool:
        lasted = sorted(pool.map(write, range(8)))
        assert sum(seconds >= 0.5 for seconds in lasted) <= 2
        assert lasted[-1] >= 0.5
        waiting = [pool.submit(write, number) for number in range(2)]
        while impatient._shared.waits._free:
            time.sleep(0.001)
        with pytest.raises(StorageUnavailable, match=HELD):
            repository.transact(put("late", b"1"))
        assert not any(future.done() for future in waiting)
    assert repository.transact(put("a", b"1"))
    assert repository.head().list("") == [".gitattributes", "README.md", "a"]
    assert not impatient._shared.waits.is_stuck(repository._tip.lock_key)


def test_places_of_waiting_threads_are_given_back(impatient: Store):
    repository = impatient.open("alice/demo")
    for _ in range(3):
        with held(repository.path / NAME), pytest.raises(StorageUnavailable, match=HELD):
            repository.transact(put("a", b"1"))
    assert impatient._shared.waits._free == 2


def test_a_change_that_has_begun_is_answered_however_long_it_takes(impatient: Store):
    """Writers behind a slow change may be refused; the writer of the slow change gets its result."""
    repository = impatient.open("alice/demo")
    begun, go_on = threading.Event(), threading.Event()

    def slow(transaction):
        begun.set()
        assert go_on.wait(60)
        return put("slow", b"1")(transaction)

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(repository.transact, slow)
        assert begun.wait(60)
        behind = [pool.submit(repository.transact, put(f"n{number}", b"1")) for number in range(3)]
        for future in behind:
            with pytest.raises(StorageUnavailable, match=HELD):
                future.result()
        go_on.set()
        commit = first.result()
        assert repository.head().commit == commit
    assert repository.head().list("") == [".gitattributes", "README.md", "slow"]
    assert repository.transact(put("after", b"1"))


def test_a_copy_in_place_of_a_locked_file_has_its_own_queue(tmp_path: Path):
    path, patient = tmp_path / "file", Waits(seconds=60)
    path.touch()
    with ThreadPoolExecutor(2) as pool:
        with held(path):
            old = pool.submit(patient.lock, str(path), os.O_RDWR)
            wait_until(lambda: lock_waiters(path))
            path.rename(tmp_path / "old")
            path.touch()
            with held(path):
                new = pool.submit(patient.lock, str(path), os.O_RDWR)
                wait_until(lambda: lock_waiters(path))
            os.close(new.result())  # while the old file is held
        os.close(old.result())


def test_a_stuck_repository_does_not_stop_checkpoints_of_others(impatient: Store):
    stuck, others = impatient.open("alice/demo"), [impatient.open("alice/other")]
    others += [impatient.create(f"bob/r{number}", first_commit) for number in range(3)]
    stuck.transact(put("a", b"1"))
    with held(stuck.path / NAME):
        for other in others:
            other.transact(put("a", b"1"))
        for other in others:
            assert git(other.path, "show", "main:a") == "1"  # waits for the checkpoint
    assert git(stuck.path, "show", "main:a") == "1"


def test_a_locked_repository_with_a_stale_git_lock_can_be_opened(impatient: Store, tmp_path: Path):
    path = impatient.open("alice/demo").path
    (path / "refs/heads/main.lock").touch()
    with held(path / NAME):
        reader = Store(tmp_path, Maintenance(None), Waits(0)).open("alice/demo")
        assert reader.head().list("") == [".gitattributes", "README.md"]
