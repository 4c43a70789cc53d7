"""Maintenance: when it runs, beside readers and writers, and what it removes."""

import os
import random
import shutil
import threading
import time
from pathlib import Path

import pytest

from storage import maintenance
from storage.errors import RepositoryDamaged
from storage.journal.tip import Tip
from storage.machine import disk
from storage.maintenance import Maintenance
from storage.repository import Repository
from storage.roll_up import pack_sizes
from storage.store import Store
from storage.waits import Waits
from tests.seams import wait_until
from tests.storage.repositories import ALICE, branch, checkpointed, first_commit, git, increment, put


def test_maintenance_shrinks_the_journal(repository: Repository, store: Store):
    """A repository that has the journal open goes on writing."""
    for number in range(100):
        repository.transact(put("a", random.Random(number).randbytes(1000)))
    journal = repository.path / "bakehouse-journal"
    assert journal.stat().st_size > 50_000
    assert store.open("alice/demo").maintain(always=True)
    assert journal.stat().st_size == 4096
    checkpointed(repository, increment)
    assert git(repository.path, "show", "main:counter") == "1\n"


def test_maintenance_runs_in_the_background_beside_readers_and_writers(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(maintenance, "ROLL_UP_ABOVE", 10)
    other = Store(tmp_path).open("alice/demo")
    stop = threading.Event()
    failures: list[Exception] = []

    def read() -> None:
        while not stop.is_set():
            try:
                other.head().read("README.md")
            except Exception as error:
                failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(60):
        checkpointed(repository, put("a", b"%d" % number))
    stop.set()
    reader.join()
    assert not failures
    with disk.exclusive(repository.path / "objects", Waits(600)):  # fsck takes a pack that goes for one that is lost
        assert len(pack_sizes(repository.path)) < 60
        assert git(repository.path, "fsck", "--strict") == ""
    assert git(repository.path, "rev-list", "--count", "main").strip() == "61"


@pytest.mark.parametrize("lock", ["objects/info/commit-graphs/commit-graph-chain.lock", "packed-refs.lock"])
def test_maintenance_removes_a_stale_lock_that_a_kill_left(repository: Repository, lock: str):
    repository.maintain(always=True)
    repository.create_tag("v1", checkpointed(repository, put("a", b"1")), ALICE, "A tag\n")
    left = repository.path / lock
    left.touch()
    with pytest.raises(RepositoryDamaged):  # a git process may hold the lock
        repository.maintain(always=True)
    os.utime(left, (time.time() - 4000,) * 2)
    repository.maintain(always=True)
    assert not left.exists()
    assert git(repository.path, "commit-graph", "verify") == ""
    assert "refs/tags/v1" in (repository.path / "packed-refs").read_text()


def test_maintenance_packs_loose_objects_and_tags_and_removes_leftovers(repository: Repository):
    commit = checkpointed(repository, put("a", b"1"))
    for number in range(3):
        repository.create_tag(f"v{number}", commit, ALICE, "A tag\n")
    blob = git(repository.path, "hash-object", "-w", "--stdin", stdin="loose").strip()
    pack_folder, graph_folder = (repository.path / "objects" / name for name in ("pack", "info/commit-graphs"))
    graph_folder.mkdir(parents=True)
    fresh = pack_folder / "tmp_idx_fresh"
    left = [
        pack_folder / "tmp_idx_stale",
        pack_folder / "flush-killed.pack",
        pack_folder / f"flush-{commit}.keep",
        graph_folder / "tmp_graph_stale",
    ]
    for path in (fresh, *left):
        path.touch()
    for path in left:
        os.utime(path, (time.time() - 4000,) * 2)
    assert repository.maintain(always=False) is None
    before, after = repository.maintain(always=True)
    assert before > after > 0
    assert fresh.exists()
    assert not any(path.exists() for path in left)
    assert not list((repository.path / "refs/tags").iterdir())
    assert not list((repository.path / "objects").glob("??/*"))
    assert [tag.name for tag in repository.tags()] == ["v0", "v1", "v2"]
    assert (repository.path / "refs/heads/main").exists()  # a writer need not wait for its lock
    assert len(pack_sizes(repository.path)) == 1
    assert git(repository.path, "cat-file", "blob", blob) == "loose"
    assert git(repository.path, "fsck", "--strict", "--no-dangling") == ""


@pytest.mark.parametrize("many", ["packs", "loose objects", "tags", "bytes"])
def test_much_makes_maintenance_due(tmp_path: Path, many: str, monkeypatch: pytest.MonkeyPatch):
    repository = Store(tmp_path, Maintenance(None)).create("alice/demo", first_commit)
    monkeypatch.setattr(maintenance, "ROLL_UP_ABOVE", 9 if many == "bytes" else 3)
    monkeypatch.setattr(maintenance, "ROLL_UP_SIZE", 35_000)
    for number in range(4):
        assert not maintenance.is_due(branch(repository)) or number > 2
        if many == "packs":
            checkpointed(repository, increment)
        elif many == "bytes":
            checkpointed(repository, put(f"{number}", b"%d" % number * 10_000))
        elif many == "tags":
            (repository.path / "refs/tags").mkdir(exist_ok=True)
            git(repository.path, "tag", f"v{number}")
        else:
            git(repository.path, "hash-object", "-w", "--stdin", stdin=str(number))
    assert repository.maintain(always=False)
    assert not repository.maintain(always=False)


def test_large_documents_are_compressed_in_the_background(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(maintenance, "ROLL_UP_SIZE", 100_000)
    repository = Store(tmp_path).create("alice/demo", first_commit)
    for number in range(12):
        checkpointed(repository, put("a", b"%d" % number * 10_000))
    wait_until(lambda: sum(pack_sizes(repository.path).values()) < 60_000)
    with disk.exclusive(repository.path / "objects", Waits(600)):
        assert git(repository.path, "fsck", "--strict") == ""


def test_tags_of_one_checkpoint_are_packed_in_the_background(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Without any other write, and with few packs."""
    monkeypatch.setattr(maintenance, "ROLL_UP_ABOVE", 10)
    repository = Store(tmp_path).create("alice/demo", first_commit)
    with monkeypatch.context() as patch:
        patch.setattr(Tip, "checkpoint", lambda *_: None)
        for number in range(11):
            repository.create_tag(f"v{number}", repository.head().commit, ALICE, "A tag\n")
    repository.checkpoint()
    wait_until(lambda: not list((repository.path / "refs/tags").glob("*")))
    assert len(repository.tags()) == 11


def test_one_process_at_a_time_does_maintenance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(maintenance, "ROLL_UP_ABOVE", 3)
    store = Store(tmp_path)
    repository = store.create("alice/demo", first_commit)
    (tmp_path / ".maintenance").mkdir()
    with disk.exclusive(tmp_path / ".maintenance", Waits()):  # as another process has it
        for _ in range(6):
            checkpointed(repository, increment)
        assert len(pack_sizes(repository.path)) == 7
    wait_until(lambda: len(pack_sizes(repository.path)) == 1)


def test_maintenance_that_is_switched_off_does_nothing_in_the_background(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(maintenance, "ROLL_UP_ABOVE", 3)
    repository = Store(tmp_path, Maintenance(None)).create("alice/demo", first_commit)
    other = Store(tmp_path).create("alice/other", first_commit)
    for _ in range(6):
        checkpointed(repository, increment)
        checkpointed(other, increment)
    wait_until(lambda: len(pack_sizes(other.path)) < 7)  # the store with maintenance is done by now
    assert len(pack_sizes(repository.path)) == 7
    assert repository.maintain(always=False)
    assert len(pack_sizes(repository.path)) == 1


def test_maintenance_goes_on_after_a_repository_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(maintenance, "ROLL_UP_ABOVE", 3)
    store = Store(tmp_path)
    gone, kept = (store.create(f"alice/{name}", first_commit) for name in ("gone", "kept"))
    (tmp_path / ".maintenance").mkdir()
    with disk.exclusive(tmp_path / ".maintenance", Waits()):  # so that both wait in the queue
        for _ in range(6):
            checkpointed(gone, increment)
        for _ in range(6):
            checkpointed(kept, increment)
        shutil.copytree(gone.path, tmp_path / "copy")
        shutil.rmtree(gone.path)
        (tmp_path / "copy").rename(gone.path)
    wait_until(lambda: len(pack_sizes(kept.path)) == 1)
