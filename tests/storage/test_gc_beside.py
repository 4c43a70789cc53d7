"""An operator may run `git gc --prune=now` at any moment of a checkpoint, a tag or a roll-up."""

import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from storage import roll_up
from storage.machine import disk
from storage.plumbing.branch import Branch
from storage.repository import Repository
from storage.store import Store
from tests.storage.repositories import ALICE, checkpointed, git, put


def clear_up(repository: Repository) -> None:
    """Do what `git gc --prune=now` does, without waiting for a checkpoint first."""
    for command in (["repack", "-adq"], ["prune", "--expire=now"]):
        subprocess.run(["git", "-C", str(repository.path), *command], check=True)


def test_gc_before_the_branch_moves_loses_nothing(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    move = Branch.move

    def clear_up_and_move(branch: Branch, tip: str) -> None:
        clear_up(repository)
        move(branch, tip)

    monkeypatch.setattr(Branch, "move", clear_up_and_move)
    checkpointed(repository, put("a", b"1"))
    assert git(repository.path, "show", "main:a") == "1"
    assert git(repository.path, "fsck", "--strict") == ""
    assert not list((repository.path / "objects/pack").glob("*.keep"))


def test_gc_before_a_tag_has_its_name_loses_nothing(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    put_file = disk.put_file

    def clear_up_and_put(*arguments: Any) -> None:
        clear_up(repository)
        put_file(*arguments)

    monkeypatch.setattr(disk, "put_file", clear_up_and_put)
    repository.create_tag("v1", repository.head().commit, ALICE, "A tag\n")
    assert git(repository.path, "cat-file", "-t", "v1") == "tag\n"
    assert git(repository.path, "fsck", "--strict") == ""


@pytest.mark.slow
def test_gc_beside_writers_and_maintenance_loses_nothing(repository: Repository, tmp_path: Path):
    """Two stores checkpoint each write, so that gc runs at as many different moments as possible."""
    cleared = threading.Event()

    def write(name: str) -> list[str]:
        written = Store(tmp_path).open("alice/demo")
        paths = []
        while not cleared.is_set():
            paths.append(f"{name}/{len(paths)}")
            checkpointed(written, put(paths[-1], b"1"))
        return paths

    with ThreadPoolExecutor() as pool:
        writers = [pool.submit(write, name) for name in ("one", "other")]
        try:
            for _ in range(30):
                clear_up(repository)
                subprocess.run(["git", "-C", str(repository.path), "multi-pack-index", "write"], check=True)
                repository.maintain(always=True)
        finally:
            cleared.set()
        paths = sorted(path for writer in writers for path in writer.result())
    assert len(paths) > 20
    listed = git(repository.path, "ls-tree", "-r", "--name-only", "main", "one", "other").split()
    assert sorted(listed) == paths
    assert git(repository.path, "fsck", "--strict") == ""


def test_maintenance_goes_on_when_gc_has_removed_its_packs(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    checkpointed(repository, put("a", b"1"))
    find_small, found = roll_up.find_small, []

    def find_and_clear_up(git_folder: Path) -> list[str]:
        found.append(find_small(git_folder))
        if len(found) == 1:
            clear_up(repository)
        return found[-1]

    monkeypatch.setattr(roll_up, "find_small", find_and_clear_up)
    assert repository.maintain(always=True)
    assert [len(small) for small in found] == [2, 0]
    assert git(repository.path, "show", "main:a") == "1"
    assert git(repository.path, "fsck", "--strict") == ""


def test_a_checkpoint_goes_on_when_gc_has_removed_its_temporary_file(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
):
    write_file, found = disk.write_file, []

    def write_and_clear_up(path: Path, *arguments: Any, **options: Any) -> None:
        write_file(path, *arguments, **options)
        if path.name.startswith("tmp_") and not found:
            found.append(path)
            clear_up(repository)
            assert not path.exists()

    monkeypatch.setattr(disk, "write_file", write_and_clear_up)
    checkpointed(repository, put("a", b"1"))
    assert found
    assert git(repository.path, "show", "main:a") == "1"
