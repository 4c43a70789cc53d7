"""Commits that only the journal has are in every answer, and no answer needs a new file for them."""

import errno
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.errors import StorageUnavailable
from storage.globs import Glob
from storage.log_filter import LogFilter
from storage.maintenance import Maintenance
from storage.repository import Repository
from storage.signatures import Person
from storage.store import Store
from storage.transaction import Transaction
from tests.storage.repositories import ALICE, first_commit, git, put
from tests.torture.faults import failing

pytestmark = pytest.mark.usefixtures("no_checkpoints")

PATHS = ["README.md", "a", "a.b", "folder/a", "folder/b", "folder/inner/a", "folder-b/a"]
GLOBS = ["fold*", "*", "*/a", "**/a", "folder/[a-b]", "folder*/", "a?b", "folder/**", "[!a]*", "folder/[z-a]"]
WANTED = [None, *PATHS, "folder", "folder/", "folder/inner", "fold", "a/", "gone", *map(Glob, GLOBS)]
BOB = Person("Bøb", "bob@example.org", "bob", "ci")
PEOPLE = [ALICE, BOB, replace(BOB, user="bo.b", token=None), replace(ALICE, user="alice"), Person("Bøb", BOB.email)]


def full(folder: Path) -> AbstractContextManager[object]:
    """Let nothing new be written to a folder, as on a disk that is full."""
    return failing(folder, errno.ENOSPC, fails_at=1, fails_for=10**9)


@pytest.fixture
def committed(tmp_path: Path) -> Repository:
    """A repository with two commits in git's own files and two that only its journal has."""
    repository = Store(tmp_path, Maintenance(None)).create("alice/demo", first_commit)
    repository.transact(put("a", b"1"))
    repository.checkpoint()
    repository.transact(put("a", b"2"))
    repository.transact(put("folder/b", b"3"))
    return repository


def test_reading_needs_no_new_file(committed: Repository, tmp_path: Path):
    with full(tmp_path):
        for repository in (committed, Store(tmp_path, Maintenance(None)).open("alice/demo")):
            tip = repository.head().commit
            with pytest.raises(StorageUnavailable, match="No space left"):
                repository.transact(put("a", b"3"))
            log = repository.log(tip)
            assert [[file.path for file in logged.files] for logged in log] == [
                ["folder/b"],
                ["a"],
                ["a"],
                [".gitattributes", "README.md"],
            ]
            assert len(repository.versions("a", tip)) == 2
            assert repository.find_at(datetime.now(UTC)) == tip
            assert repository.find(tip[:12]) == tip
            assert repository.at(tip).read("folder/b").data == b"3"
            assert repository.tags() == []
            with pytest.raises(StorageUnavailable, match="No space left"):  # git has to have it
                repository.fetches.advertise_refs("version=2")


def test_a_diff_is_gits_own_and_needs_a_checkpoint(committed: Repository):
    tip = committed.head().commit
    before = committed.versions("a", tip)[1].commit
    text = committed.comparisons.text_of_files((before, "a"), (tip, "a"))
    assert "-1\n" in text.replace("\\ No newline at end of file\n", "")
    assert git(committed.path, "show", "main:folder/b") == "3"


def everything(repository: Repository) -> dict[Any, Any]:
    """Return all logs and versions that can be asked for."""
    tip = repository.head().commit
    answers: dict[Any, Any] = {}
    began = repository.signature(tip).time
    for name, values in SAMPLES.items():
        for value in values:
            value = datetime.fromtimestamp(began + value, UTC) if isinstance(value, int) else value
            answers[name, value] = repository.log(tip, LogFilter(**{name: value}))
            answers[name, value, "folder"] = repository.log(tip, LogFilter(**{"path": "folder", name: value}))
    commits = [logged.commit for logged in answers["path", None]]
    for commit in commits:
        answers["after", commit] = repository.log(tip, before=commit, limit=2)
        answers["versions", commit] = [repository.versions(path, commit) for path in ("a", "folder/b")]
    return answers


# Values of each filter of the log; of times, the seconds since the last commit.
SAMPLES: dict[str, Sequence[Any]] = {
    "author": ("ALICE", "bøb", "example.org>", "nobody", "Bøb\n", *PEOPLE[1:4], replace(BOB, user="nobody")),
    "since": (-1, 0, 1),
    "until": (-1, 0, 1),
    "path": WANTED,
    "reason": ("wÄrmer", "x.y", "x[.]y", "change", "temperature", "nobody", "x\ny"),
}
MESSAGES = (
    "Change\n",
    "Update a: x.y → [z]\n\nTemperature: 0.5\n",
    "ÄNDERN\n",
    "Change\n\nWärmer x.y\n\nTemperature: 0.5\n\nReason-Length: 10\n",
)
STEPS = st.lists(
    st.one_of(
        st.just("checkpoint"),
        st.tuples(
            st.sampled_from(PEOPLE),
            st.sampled_from(MESSAGES),
            st.dictionaries(st.sampled_from(PATHS), st.one_of(st.none(), st.binary(max_size=2)), max_size=3),
        ),
    ),
    max_size=5,
)


def test_every_filter_has_samples():
    assert {field.name for field in fields(LogFilter)} == SAMPLES.keys()


@pytest.mark.slow
@settings(max_examples=20)
@given(STEPS)
def test_the_journal_answers_as_git_does_after_a_checkpoint(tmp_path_factory: pytest.TempPathFactory, steps: list[Any]):
    root = tmp_path_factory.mktemp("steps")
    repository = Store(root, Maintenance(None)).create("alice/demo", first_commit)

    def change(author: Person, message: str, files: dict[str, bytes | None]) -> Any:
        def write(transaction: Transaction) -> None:
            for path, data in files.items():
                if data is not None:
                    transaction.write(path, data)
                elif transaction.read(path) is not None:
                    transaction.remove(path)
            transaction.commit(message, author)

        return write

    for step in steps:
        if step == "checkpoint":
            repository.checkpoint()
        else:
            repository.transact(change(*step))
    before = everything(repository)
    opened_late = everything(Store(root, Maintenance(None)).open("alice/demo"))
    repository.checkpoint()
    after = everything(Store(root, Maintenance(None)).open("alice/demo"))
    assert before == opened_late == after
