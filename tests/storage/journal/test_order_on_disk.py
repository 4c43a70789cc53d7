"""What is flushed before what: records before answers, and git's files before the journal is emptied."""

import pytest

from storage.journal.journal_file import NAME
from storage.repository import Repository
from tests.storage.journal.crashes import watch_the_disk
from tests.storage.repositories import ALICE, increment

pytestmark = pytest.mark.usefixtures("no_checkpoints")


def test_a_commit_is_on_disk_before_it_is_seen(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    events = watch_the_disk(monkeypatch)
    repository.transact(increment)
    assert events == [f"flush a record of {NAME}", f"write the start of {NAME}"]


def test_git_has_all_on_disk_before_the_journal_is_emptied(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    """The order on disk: objects, their names, the branch, its name, then the journal's header."""
    repository.transact(increment)
    events = watch_the_disk(monkeypatch)
    repository.checkpoint()
    objects = ["fsync tmp", "fsync tmp", "rename flush.pack", "rename flush.idx", "fsync pack"]
    branch = ["fsync tmp_branch", "rename main", "fsync heads"]
    journal = [f"write the start of {NAME}", f"flush the start of {NAME}"]
    assert events == [*objects, *branch, *journal]


def test_a_tag_is_on_disk_before_it_is_answered(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    """In the journal. Git has the tag at once, too: its object first, then its ref, and their names."""
    first = repository.head().commit
    events = watch_the_disk(monkeypatch)
    repository.create_tag("v1", first, ALICE, "Stable\n")
    object_ = ["fsync tmp", "fsync tmp", "rename flush.pack", "rename flush.idx", "fsync pack"]
    ref = ["fsync tmp_ref", "rename v1", "fsync tags", "fsync refs"]
    appended = [f"flush a record of {NAME}", f"write the start of {NAME}"]
    emptied = [f"write the start of {NAME}", f"flush the start of {NAME}"]
    assert events == [*appended, *object_, *ref, *emptied]
