"""Files that stand for branches: a checkpoint puts each branch where its file says, whatever happens between."""

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from storage.branches import Branches
from storage.errors import BranchExists, NameTaken, StorageUnavailable, TagExists
from storage.journal.journal_file import JournalFile
from storage.machine import git_command
from storage.plumbing.branch import Branch
from storage.repository import Repository
from storage.store import Store
from storage.transaction import Transaction
from tests.seams import append_sizes
from tests.storage.journal.crashes import watch_the_disk
from tests.storage.repositories import (
    ALICE,
    PLAIN,
    checkpointed,
    commit_files,
    first_commit,
    git,
    heads,
    increment,
    put,
    run_together,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path, branch_files=PLAIN)


def label(repository: Repository, name: str, commit: str | None) -> str:
    """Commit a file that stands for a branch, or remove it."""
    return repository.transact(commit_files({f"labels/{name}": None if commit is None else commit.encode()}))


def test_a_branch_follows_its_file(repository: Repository):
    first = repository.head().commit
    label(repository, "live", first)
    second = repository.transact(increment) and repository.head().commit
    assert heads(repository.path) == {"live": first, "main": second}
    for commit in (second, first):
        label(repository, "live", commit)
        assert heads(repository.path)["live"] == commit
    label(repository, "live", None)
    assert heads(repository.path) == {"main": repository.head().commit}


@pytest.mark.parametrize("command", [("pack-refs", "--all"), ("gc", "--quiet")])
def test_a_branch_that_git_packed_is_moved_and_removed(repository: Repository, command: tuple[str, ...]):
    first = repository.head().commit
    for name in ("moves", "goes"):
        label(repository, name, first)
    git(repository.path, *command)
    assert not (repository.path / "refs/heads/goes").exists()
    second = repository.transact(increment) and repository.head().commit
    label(repository, "moves", second)
    label(repository, "goes", None)
    assert heads(repository.path) == {"moves": second, "main": repository.head().commit}
    assert "refs/heads/goes" not in (repository.path / "packed-refs").read_text()


@pytest.mark.usefixtures("no_checkpoints")
def test_a_checkpoint_without_such_files_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As many flushes, renames and git processes as in a store that knows of no such files."""
    started: list[str] = []
    attempt = git_command.attempt

    def counted(location, *arguments, **more):
        started.append(arguments[0])
        return attempt(location, *arguments, **more)

    monkeypatch.setattr(git_command, "attempt", counted)
    seen = []
    for name, store in (("without", Store(tmp_path)), ("with", Store(tmp_path, branch_files=PLAIN))):
        repository = store.create(f"alice/{name}", first_commit)
        if name == "with":
            checkpointed(repository, commit_files({"labels/live": repository.head().commit.encode()}))
        started.clear()
        with monkeypatch.context() as patch:
            events = watch_the_disk(patch)
            repository.transact(increment)
            repository.transact(put("targets/a.yml", b"1"))
            repository.checkpoint()
        seen.append((events, list(started)))
    assert seen[0] == seen[1]
    label(repository, "live", repository.head().commit)
    started.clear()
    repository.checkpoint()
    assert started == ["update-ref"]


STEPS = {
    "the branches": (Branches, "put"),
    "main": (Branch, "move"),
    "the journal": (JournalFile, "checkpointed"),
}


@pytest.mark.usefixtures("no_checkpoints")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_checkpoint_that_is_killed_is_done_again(repository: Repository, tmp_path: Path, step: str, when: str):
    """What was made before the kill and removed after it leaves no branch."""
    first = repository.head().commit
    label(repository, "moves", first)
    label(repository, "goes", first)
    owner, name = STEPS[step]
    original = getattr(owner, name)

    def die(*arguments: object) -> None:
        if when == "after":
            original(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    pid = os.fork()
    if not pid:
        setattr(owner, name, die)
        repository.checkpoint()
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    after = Store(tmp_path, branch_files=PLAIN).open("alice/demo")
    second = after.transact(increment) and after.head().commit
    label(after, "moves", second)
    label(after, "goes", None)
    after.checkpoint()
    assert heads(after.path) == {"moves": second, "main": after.head().commit}
    assert git(after.path, "fsck", "--strict", "--no-dangling") == ""
    assert not list(after.path.rglob("*.lock"))


@pytest.mark.usefixtures("no_checkpoints")
@pytest.mark.parametrize("lock", ["refs/heads/live.lock", "packed-refs.lock"])
def test_a_lock_that_a_killed_git_left_is_removed_once_it_is_old(repository: Repository, lock: str):
    """A lock of another program is left alone. The commits stay in the journal meanwhile, and writers go on."""
    label(repository, "live", repository.head().commit)
    repository.checkpoint()
    label(repository, "live", None)
    left = repository.path / lock
    left.touch()
    with pytest.raises(StorageUnavailable, match="lock"):
        repository.checkpoint()
    assert left.exists()
    assert repository.transact(increment) == 1
    os.utime(left, (time.time() - 60,) * 2)
    repository.checkpoint()
    assert not left.exists()
    assert heads(repository.path) == {"main": repository.head().commit}


def test_branches_of_an_operator_are_left_alone(repository: Repository):
    first = repository.head().commit
    git(repository.path, "branch", "own", "main")
    git(repository.path, "branch", "deep/er", "main")
    label(repository, "live", first)
    label(repository, "live", None)
    assert heads(repository.path) == {"own": first, "deep/er": first, "main": repository.head().commit}


@pytest.mark.parametrize("content", [b"0" * 40, b"1" * 40])
def test_a_file_that_names_no_commit_has_no_branch(repository: Repository, content: bytes):
    """Somebody wrote it by hand: git must not have a ref to nothing, and the checkpoint must not fail."""
    label(repository, "live", repository.head().commit)
    repository.checkpoint()
    repository.transact(put("labels/bad", content))
    label(repository, "live", repository.head().commit)
    assert heads(repository.path).keys() == {"live", "main"}
    assert git(repository.path, "fsck", "--strict") == ""


def test_a_file_beside_whose_branch_there_is_a_folder_has_none(repository: Repository):
    git(repository.path, "branch", "live/er", "main")
    label(repository, "live", repository.head().commit)
    assert heads(repository.path).keys() == {"live/er", "main"}


def test_a_branch_that_names_another_ref_moves_alone(repository: Repository):
    first = repository.head().commit
    git(repository.path, "symbolic-ref", "refs/heads/live", "refs/heads/main")
    checkpointed(repository, increment)
    label(repository, "live", first)
    assert heads(repository.path) == {"live": first, "main": repository.head().commit}


def test_maintenance_puts_branches_where_their_files_are(repository: Repository):
    """An operator has moved the branch, or committed a file by hand."""
    first = repository.head().commit
    label(repository, "live", first)
    second = repository.transact(increment) and repository.head().commit
    git(repository.path, "branch", "--force", "live", second)
    repository.maintain(always=False)
    assert heads(repository.path)["live"] == first
    git(repository.path, "branch", "--delete", "--force", "live")
    repository.maintain(always=True)
    assert heads(repository.path) == {"live": first, "main": second}


def test_names_of_branches_and_tags_differ(repository: Repository):
    first = repository.head().commit
    label(repository, "Live", first)
    repository.create_tag("v1", first, ALICE, "One\n")
    git(repository.path, "branch", "own", "main")
    tip = repository.head()
    for name in ("Live", "live"):
        with pytest.raises(BranchExists, match="label 'Live'"):
            repository.create_tag(name, first, ALICE, "No\n")
    with pytest.raises(TagExists):
        repository.refuse_branch("v1", tip)
    with pytest.raises(NameTaken):
        repository.refuse_branch("V1", tip)
    with pytest.raises(BranchExists, match="branch 'own'"):
        repository.refuse_branch("own", tip)
    repository.refuse_branch("other", tip)


@pytest.mark.usefixtures("no_checkpoints")
def test_the_name_of_a_branch_that_is_about_to_go_is_free(repository: Repository):
    label(repository, "live", repository.head().commit)
    repository.checkpoint()
    label(repository, "live", None)
    repository.refuse_branch("live", repository.head())
    repository.create_tag("live", repository.head().commit, ALICE, "One\n")
    assert heads(repository.path).keys() == {"main"}


@pytest.mark.usefixtures("no_checkpoints")
def test_the_name_of_a_branch_whose_file_is_removed_by_the_same_flush_is_free(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
):
    first = repository.head().commit
    label(repository, "live", first)
    repository.checkpoint()
    git(repository.path, "branch", "own", "main")

    def make(name: str) -> str:
        def change(transaction: Transaction) -> str:
            repository.refuse_branch(name, transaction)
            return put(f"labels/{name}", first.encode())(transaction)

        return repository.transact(change)

    writes = [partial(label, repository, "live", None), *(partial(make, name) for name in ("live", "live", "own"))]
    flushes, (_, removed, made, again, own) = append_sizes(repository, monkeypatch, writes)
    assert flushes == [1, 2]
    assert [type(error) for error in (again, own)] == [BranchExists, BranchExists]
    repository.checkpoint()
    assert git(repository.path, "rev-parse", f"{made}^").strip() == removed
    assert heads(repository.path)["live"] == first


def test_of_a_tag_and_a_branch_made_at_once_one_is_there(repository: Repository):
    """Both take the lock of the journal, and look at names under it."""
    first = repository.head().commit

    def tag(name: str) -> None:
        repository.create_tag(name, first, ALICE, "One\n")

    def branch(name: str) -> None:
        def change(transaction):
            repository.refuse_branch(name, transaction)
            return put(f"labels/{name}", first.encode())(transaction)

        repository.transact(change)

    def made(make: Callable[[str], None], name: str) -> bool:
        try:
            make(name)
        except (BranchExists, TagExists):
            return False
        return True

    for number in range(10):
        name = f"n{number}"
        done = run_together(4, lambda index, name=name: made(tag if index % 2 else branch, name))
        assert done.count(True) == 1
        is_tag = repository.tag(name) is not None
        assert is_tag != (repository.head().read(f"labels/{name}") is not None)


def test_a_copy_of_a_repository_has_its_branches(repository: Repository, tmp_path: Path):
    first = repository.head().commit
    label(repository, "live", first)
    git(tmp_path, "clone", "--quiet", "--mirror", str(repository.path), "alice/copy.git")
    copy = Store(tmp_path, branch_files=PLAIN).open("alice/copy")
    assert heads(copy.path) == heads(repository.path)
    label(copy, "live", None)
    assert heads(copy.path).keys() == {"main"}
