"""Reading and changing one repository."""

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage.errors import (
    NameTaken,
    RepositoryDamaged,
    RepositoryNotFound,
    StorageUnavailable,
    TipMoved,
)
from storage.repository import Repository
from storage.store import Store
from storage.transaction import Transaction
from tests.seams import git_readers, set_clock
from tests.storage.repositories import ALICE, checkpointed, git, put, unpack


def test_transact_makes_a_commit_that_git_reads(repository: Repository):
    commit = repository.transact(put("targets/a.yml", b"one\n"))
    assert git(repository.path, "rev-parse", "main").strip() == commit
    assert git(repository.path, "show", "main:targets/a.yml") == "one\n"
    assert git(repository.path, "log", "-1", "--format=%an <%ae> %cn %s") == (
        "Alice <alice@example.org> Bakehouse Change targets/a.yml\n"
    )
    assert git(repository.path, "fsck", "--strict") == ""


def test_a_snapshot_keeps_showing_its_commit(repository: Repository):
    repository.transact(put("a", b"one"))
    before = repository.head()
    repository.transact(put("a", b"two"))
    assert before.read("a").data == b"one"
    assert repository.head().read("a").data == b"two"
    assert repository.head().read("absent") is None
    assert repository.head().list("absent") == []


def test_a_change_without_effect_makes_no_commit(repository: Repository):
    commit = repository.transact(put("a", b"same"))
    assert repository.transact(put("a", b"same")) == commit
    assert git(repository.path, "rev-list", "--count", "main").strip() == "2"


def test_objects_that_are_not_committed_are_dropped(repository: Repository):
    repository.transact(lambda transaction: transaction.write("a", b"never committed"))
    repository.transact(put("b", b"1"))
    repository.transact(put("b", b"1"))
    listed = git(repository.path, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)")
    assert listed.split().count("blob") == 3  # with those of the first commit


def test_a_change_that_fails_writes_nothing(repository: Repository):
    tip = repository.head().commit

    def change(transaction):
        transaction.write("a", b"lost")
        transaction.commit("Lost\n", ALICE)
        raise LookupError("no")

    with pytest.raises(LookupError):
        repository.transact(change)
    assert repository.head().commit == tip
    assert repository.head().read("a") is None


def test_a_transaction_reads_its_own_writes(repository: Repository):
    def change(transaction):
        transaction.write("a", b"1")
        transaction.write("b", b"2")
        transaction.remove("a")
        assert transaction.read("a") is None
        assert transaction.read("b").data == b"2"
        assert (transaction.version("a"), transaction.version("b")) == (None, transaction.read("b").id)
        return transaction.commit("Both\n", ALICE)

    repository.transact(change)
    assert repository.head().read("b").data == b"2"


def test_an_emptied_folder_is_removed(repository: Repository):
    repository.transact(put("folder/a", b"1"))

    def change(transaction):
        transaction.remove("folder/a")
        transaction.commit("Remove\n", ALICE)

    repository.transact(change)
    assert git(repository.path, "ls-tree", "--name-only", "main").split() == [".gitattributes", "README.md"]


def test_names_that_differ_in_case_only_are_refused(repository: Repository):
    repository.transact(put("targets/alpha", b"1"))
    with pytest.raises(NameTaken) as caught:
        repository.transact(put("targets/Alpha", b"2"))
    assert (caught.value.name, caught.value.existing) == ("Alpha", "alpha")


def test_commit_times_never_go_back(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    repository.transact(put("a", b"1"))
    set_clock(monkeypatch, 1_000_000_000)
    repository.transact(put("a", b"2"))
    times = git(repository.path, "log", "--format=%ct").split()
    assert times == sorted(times, reverse=True)
    assert int(times[0]) > 1_500_000_000


def test_a_branch_moved_by_somebody_else_is_not_overwritten(repository: Repository):
    """The change is repeated on the moved branch; where the branch moves again, the change is refused."""
    first = repository.head().commit
    second = checkpointed(repository, put("a", b"1"))
    moves = [first]

    def change(transaction: Transaction) -> str:
        if moves:
            git(repository.path, "update-ref", "refs/heads/main", moves.pop())
        return put("b", os.urandom(8))(transaction)

    third = repository.transact(change)
    assert git(repository.path, "rev-parse", "main^").strip() == first
    moves += [second, first]
    with pytest.raises(TipMoved):
        repository.transact(change)
    assert repository.head().commit == second != third
    assert repository.transact(put("b", b"2"))
    assert git(repository.path, "fsck", "--strict", "--no-dangling") == ""


def test_a_packed_ref_is_read_and_moved(repository: Repository):
    repository.transact(put("a", b"1"))
    git(repository.path, "pack-refs", "--all")
    assert not (repository.path / "refs/heads/main").exists()
    assert repository.head().read("a").data == b"1"
    commit = repository.transact(put("a", b"2"))
    assert git(repository.path, "rev-parse", "main").strip() == commit


def test_commits_of_another_store_are_seen_at_once(repository: Repository, tmp_path: Path):
    other = Store(tmp_path).open("alice/demo")
    other.head()
    for number in range(5):
        repository.transact(put("a", b"%d" % number))
        assert other.head().read("a").data == b"%d" % number
        other.transact(put("b", b"%d" % number))
        assert repository.head().read("b").data == b"%d" % number


@pytest.mark.usefixtures("no_checkpoints")
def test_commits_of_another_store_are_read_from_the_journal_without_git(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    other = Store(tmp_path).open("alice/demo")
    other.head()
    written = {f"targets/{number}": b"%d" % number for number in range(5)}
    for path, data in written.items():
        repository.transact(put(path, data))
    monkeypatch.delattr(os, "listdir")
    assert {path: other.head().read(path).data for path in written} == written
    assert other.transact(put("last", b"")) == other.head().commit
    assert git_readers(other.path) == []


def test_git_gc_loses_nothing(repository: Repository):
    for number in range(10):
        repository.transact(put(f"targets/{number}", b"%d" % number))
    git(repository.path, "gc", "--quiet", "--prune=now")
    assert repository.head().read("targets/3").data == b"3"
    repository.transact(put("targets/3", b"three"))
    assert git(repository.path, "fsck", "--strict") == ""


def remove_objects(path: Path) -> None:
    for pack in (path / "objects/pack").iterdir():
        pack.unlink()


def garble_objects(path: Path) -> None:
    for pack in (path / "objects/pack").glob("*.pack"):
        pack.chmod(0o644)
        pack.write_bytes(b"garbage")


DAMAGES = {
    "the ref holds no commit": lambda path: (path / "refs/heads/main").write_text("nonsense\n"),
    "the ref is not text": lambda path: (path / "refs/heads/main").write_bytes(b"\xff" * 41),
    "the ref names nothing": lambda path: (path / "refs/heads/main").write_text("0" * 39 + "1\n"),
    "the ref is gone": lambda path: (path / "refs/heads/main").unlink(),
    "the objects are gone": remove_objects,
    "the objects are garbage": garble_objects,
    "the object folder is gone": lambda path: (path / "objects").rename(path / "elsewhere"),
    "HEAD is gone": lambda path: (path / "HEAD").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_reported_and_nothing_is_written(tmp_path: Path, repository: Repository, damage: str):
    checkpointed(repository, put("a", b"1"))
    DAMAGES[damage](repository.path)
    before = sorted(path for path in repository.path.rglob("*"))
    fresh = Store(tmp_path)
    with pytest.raises(RepositoryDamaged) as caught:
        fresh.open("alice/demo").head().read("a")
    assert caught.value.name == "demo"
    with pytest.raises(RepositoryDamaged):
        fresh.open("alice/demo").transact(put("a", b"2"))
    assert sorted(path for path in repository.path.rglob("*")) == before


@pytest.mark.parametrize("damage", [name for name in DAMAGES if "garbage" not in name])
def test_damage_is_noticed_despite_the_cache(repository: Repository, damage: str):
    checkpointed(repository, put("a", b"1"))
    assert repository.head().read("a").data == b"1"
    DAMAGES[damage](repository.path)
    with pytest.raises(RepositoryDamaged):
        repository.head().read("a")


def test_a_removed_repository_is_not_found(store: Store, repository: Repository):
    repository.path.rename(repository.path.with_name("gone"))
    with pytest.raises(RepositoryNotFound):
        repository.head()
    with pytest.raises(RepositoryNotFound):
        repository.transact(put("a", b"1"))
    with pytest.raises(RepositoryNotFound):
        store.open("alice/absent")


@contextmanager
def no_file_left() -> Iterator[None]:
    """Let this process open no more files, even where its other threads close some meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))  # those of the standard streams, which stay open
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_every_call_is_refused_while_no_file_can_be_opened_and_works_after(repository: Repository, tmp_path: Path):
    first = repository.head().commit
    second = checkpointed(repository, put("a", b"1"))
    fresh = Store(tmp_path).open("alice/demo")
    fresh.log(second)
    unpack(repository.path, "a")
    unread = Store(tmp_path).open("alice/demo").head()
    (reader,) = git_readers(repository.path)
    os.kill(reader, signal.SIGKILL)  # so that the next read starts another
    request = tmp_path / "request"
    request.write_bytes(b"0000")
    file = request.open("rb")
    calls = {
        "a write": lambda: repository.transact(put("a", b"2")),
        "a read": lambda: unread.read("README.md"),
        "the log": lambda: fresh.log(second),
        "versions": lambda: fresh.versions("a", second),
        "a diff": lambda: fresh.comparisons.text_of_files((first, "README.md"), (second, "a")),
        "a tag": lambda: fresh.create_tag("v1", first, ALICE, "A tag"),
        "refs": lambda: fresh.fetches.advertise_refs("version=2"),
        "objects": lambda: list(fresh.fetches.upload_pack("version=2", file)),
        "maintenance": lambda: fresh.maintain(always=True),
    }
    for what, call in calls.items():
        with no_file_left(), pytest.raises(StorageUnavailable, match="Too many open files"):
            call()
        assert repository.head().commit == fresh.head().commit == second, what
    assert file.closed
    file = request.open("rb")
    for call in calls.values():
        call()
    assert git(repository.path, "show", "main:a") == "2"
    assert git(repository.path, "fsck", "--strict") == ""
