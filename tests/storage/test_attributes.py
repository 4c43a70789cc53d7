"""Every repository has git's attributes, so that a clone holds the bytes of the blobs on every system."""

from pathlib import Path

import pytest

from storage.repository import Repository
from storage.store import Store
from tests.storage.repositories import HAND, commit_files, git, increment, put

OURS = "* -text\n"


def attributes(repository: Repository) -> str:
    return git(repository.path, "show", "main:.gitattributes")


def changed(repository: Repository) -> list[str]:
    """Return the files that the last commit changed."""
    return git(repository.path, "show", "--name-only", "--format=", "main").split()


@pytest.fixture
def old(repository: Repository) -> Repository:
    """A repository of a version that wrote no attributes."""
    repository.transact(put("a", b"1\r\n"))
    repository.transact(commit_files({".gitattributes": None}))
    assert changed(repository) == [".gitattributes"]
    return repository


def test_a_new_repository_has_attributes_in_its_first_commit(repository: Repository):
    assert changed(repository) == [".gitattributes", "README.md"]
    assert attributes(repository) == OURS
    repository.transact(put("a", b"1"))
    assert changed(repository) == ["a"]


@pytest.mark.parametrize("files", [{"a": b"2"}, {"a": None}, {"b": b"1", "c/d": b"1"}], ids=["set", "removed", "many"])
def test_an_old_repository_gets_attributes_with_its_next_commit(old: Repository, files: dict[str, bytes | None]):
    old.transact(commit_files(files))
    assert changed(old) == [".gitattributes", *files]
    assert attributes(old) == OURS
    old.transact(increment)
    assert changed(old) == ["counter"]


def test_attributes_alone_are_no_reason_for_a_commit(old: Repository):
    tip = old.head().commit
    assert old.transact(put("a", b"1\r\n")) == tip
    assert old.transact(lambda transaction: transaction.tip) == tip


def test_another_process_reads_the_attributes_from_the_journal(old: Repository, tmp_path: Path):
    old.transact(put("a", b"2"))
    other = Store(tmp_path).open("alice/demo").head()
    assert other.read(".gitattributes").data == OURS.encode()
    assert git(old.path, "fsck", "--strict", "--no-dangling") == ""


@pytest.mark.parametrize("path", [".gitattributes", ".gitattributes/a", ".GitAttributes"])
def test_attributes_of_an_operator_stay(old: Repository, tmp_path: Path, path: str):
    git(tmp_path, "clone", "--quiet", str(old.path), "clone")
    own = tmp_path / "clone" / path
    own.parent.mkdir(exist_ok=True)
    own.write_text("*.yml text\n")
    git(tmp_path / "clone", "add", "--all")
    git(tmp_path / "clone", *HAND, "commit", "--quiet", "--message", "By hand")
    git(tmp_path / "clone", "push", "--quiet")
    old.transact(put("a", b"2"))
    assert changed(old) == ["a"]
    assert git(old.path, "show", f"main:{path}") == "*.yml text\n"


def test_a_clone_that_converts_line_ends_holds_the_bytes_of_the_blobs(repository: Repository, tmp_path: Path):
    texts = {"unix": b"a\nb\n", "windows": b"a\r\nb\r\n", "mixed": b"a\r\nb\n", "old": b"a\rb\r"}
    repository.transact(commit_files(texts))
    for setting in ("true", "input"):
        clone = tmp_path / setting
        git(tmp_path, "clone", "--quiet", "--config", f"core.autocrlf={setting}", str(repository.path), setting)
        assert {name: (clone / name).read_bytes() for name in texts} == texts
        for name in texts:  # as an editor that saves what it has read
            (clone / name).write_bytes(texts[name])
        assert git(clone, "status", "--porcelain") == ""
