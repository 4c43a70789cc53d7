"""`bakehouse verify` on labels: those of the API are in order, and what somebody changed by hand is a finding."""

from pathlib import Path

import pytest

from storage.store import Store
from tests.app.cli.verifying import assert_found, commit, verify
from tests.client import Client
from tests.storage.repositories import git

LABEL = "labels/production.yml"


@pytest.fixture
def labelled(alice: Client, data_dir: Path) -> Path:
    """Return the data directory of a server; its repo has two labels, one of them protected."""
    for name, body in (("production", {"ref": "main"}), ("staging", {"ref": "main", "protected": ["alice"]})):
        assert alice.put(f"/v1/repo/demo/labels/{name}", body).status_code == 200
    return data_dir


@pytest.fixture
def clone(labelled: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", str(labelled / "repos/alice/demo.git"), "labelled")
    return tmp_path / "labelled"


def test_verify_finds_nothing_in_labels_of_the_api(labelled: Path, clone: Path):
    assert_found(verify(data_dir=labelled))
    assert_found(verify(clone))
    git(clone, "checkout", "--quiet", "production")
    assert_found(verify(clone))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("commit: nope\n", " is not a label"),
        ("- a\n", " is not a document"),
        ("protected: []\n", " is not a label"),
        (f"commit: {'b' * 40}\n", f": its commit {'b' * 40} is not in the history"),
        ("commit: {tip}\nmore: 1\n", ": it is not written as Bakehouse writes it"),
        ("commit: {tip}\nprotected:\n- bob\n- alice\n", ": it is not written as Bakehouse writes it"),
    ],
)
def test_verify_finds_a_label_changed_by_hand(clone: Path, content: str, problem: str):
    tip = git(clone, "rev-parse", "HEAD").strip()
    (clone / LABEL).write_text(content.replace("{tip}", f"'{tip}'"))
    commit(clone)
    found = verify(clone)
    (line,) = found.stdout.splitlines()
    assert line.startswith(f"{clone}: {LABEL}"), line
    assert problem in line


@pytest.mark.parametrize("name", ["main.yml", "abcd.yml", "a..b.yml", "production"])
def test_verify_finds_a_label_with_a_name_that_is_none(clone: Path, name: str):
    (clone / "labels" / name).write_text((clone / LABEL).read_text())
    commit(clone)
    assert_found(verify(clone), f"{clone}: labels/{name}: its name")


def test_verify_finds_a_tag_that_is_called_like_a_label(clone: Path):
    git(clone, "tag", "Production")
    assert_found(verify(clone), f"{clone}: {LABEL}: a tag has this name, too")


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (("branch", "--force", "production", "main"), "it is at"),
        (("branch", "--delete", "--force", "production"), "there is no such branch"),
    ],
)
def test_verify_finds_a_branch_that_was_moved_by_hand(labelled: Path, command: tuple[str, ...], found: str):
    repository = Store(labelled / "repos").open("alice/demo")
    git(repository.path, *command)
    line = f"alice/demo: refs/heads/production: {found}…its label is at"
    assert_found(verify(data_dir=labelled), line)
