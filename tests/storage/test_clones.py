"""Reading any git repository: its files, and all blobs that a path ever had."""

from pathlib import Path

import pytest

from storage.clones import Clone
from storage.errors import RepositoryDamaged, RepositoryNotFound, StorageUnavailable
from storage.repository import Repository
from tests.storage.repositories import ALICE, checkpointed, git, put


def test_clone_has_the_files_of_the_repository(repository: Repository, tmp_path: Path):
    repository.transact(put("a.yml", b"1\n"))
    git(tmp_path, "clone", "--quiet", str(repository.path), "clone")
    with Clone("clone", tmp_path / "clone") as clone:
        head = clone.head()
        assert head.name == "clone"
        assert head.commit == repository.head().commit
        assert head.list("") == [".gitattributes", "README.md", "a.yml"]
        assert not clone.is_shallow()
        assert clone.fsck() == []


def test_clone_lists_all_blobs_that_a_path_had(repository: Repository):
    first, second, third = (repository.transact(put("folder/a.yml", data)) for data in (b"1\n", b"2\n", b"1\n"))
    commit = repository.transact(put("b.yml", b"2\n"))
    ids = [git(repository.path, "hash-object", "--stdin", stdin=text).strip() for text in ("1\n", "2\n")]
    with Clone("demo", repository.path) as clone:
        blobs = clone.blobs(commit)
        given_by = {blob: logged.commit for blob, logged in blobs["folder/a.yml"].items()}
        assert given_by == {ids[0]: third, ids[1]: second}
        assert blobs["b.yml"].keys() == {ids[1]}
        assert "a.yml" not in blobs
        assert clone.blobs(first)["folder/a.yml"].keys() == {ids[0]}


def test_clone_knows_its_first_commit(repository: Repository):
    first = repository.head().commit
    checkpointed(repository, put("a.yml", b"1\n"))
    with Clone("demo", repository.path) as clone:
        assert clone.root(clone.head().commit).commit == first


def test_clone_refuses_a_folder_that_is_not_a_repository(tmp_path: Path):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(RepositoryNotFound):
            Clone("it", path)


def test_a_clone_is_a_repository_that_refuses_every_change(repository: Repository, tmp_path: Path):
    first = checkpointed(repository, put("a.yml", b"1\n"))
    git(tmp_path, "clone", "--quiet", str(repository.path), "clone")
    checked: list[str] = []
    with Clone("clone", tmp_path / "clone") as clone:
        assert clone.origin() == str(repository.path)
        cloned = clone.repository(lambda snapshot: checked.append(snapshot.commit))
        assert cloned.head().commit == first == checked[0]
        assert [logged.commit for logged in cloned.log(first)] == [logged.commit for logged in repository.log(first)]
        for change in (
            lambda: cloned.transact(put("a.yml", b"2\n")),
            lambda: cloned.create_tag("v1", first, ALICE, "v1\n"),
            lambda: cloned.maintain(always=False),
        ):
            with pytest.raises(StorageUnavailable, match="it is a clone, which is only read"):
                change()
        assert cloned.head().commit == first
    git(tmp_path / "clone", "remote", "remove", "origin")
    with Clone("clone", tmp_path / "clone") as clone:
        assert clone.origin() is None


def test_a_clone_without_a_commit_is_no_repository(tmp_path: Path):
    git(tmp_path, "init", "--quiet", "empty")
    with Clone("it", tmp_path / "empty") as clone, pytest.raises(RepositoryDamaged, match="its HEAD names no commit"):
        clone.repository(lambda _: None)
