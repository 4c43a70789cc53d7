"""What is committed is let git see soon: when it is quiet, or at the latest after a while."""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from storage.errors import RepositoryNotFound, StorageUnavailable
from storage.journal import checkpointer
from storage.journal.checkpointer import Checkpointer
from storage.location import Location
from storage.repository import Repository
from storage.shared import Shared
from storage.store import Store
from tests.storage.repositories import first_commit, git, increment, settle


class Waiting:
    """Something that notes its checkpoints; at first they may fail."""

    name = "demo"

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.checkpoints: list[float] = []
        self.done = threading.Event()

    def checkpoint(self, seconds: float) -> None:
        assert 0 < seconds < 1
        self.checkpoints.append(time.monotonic())
        if self.failures:
            raise self.failures.pop(0)
        self.done.set()


@pytest.fixture
def of(monkeypatch: pytest.MonkeyPatch) -> Callable[[float, float], Checkpointer]:
    """Return what makes a checkpointer that waits for so many seconds."""

    def make(quiet: float, latest: float) -> Checkpointer:
        monkeypatch.setattr(checkpointer, "QUIET_SECONDS", quiet)
        monkeypatch.setattr(checkpointer, "LATEST_SECONDS", latest)
        return Checkpointer()

    return make


def test_a_checkpoint_comes_when_nobody_writes_any_more(of):
    waiting, noted = Waiting(), []
    quiet = of(0.05, 3600)
    for _ in range(20):
        noted.append(time.monotonic())
        quiet.schedule(waiting)
        time.sleep(0.002)
    while quiet._thread is not None:
        time.sleep(0.001)
    pauses = sum(later - earlier >= 0.05 for earlier, later in pairwise(noted))
    assert len(waiting.checkpoints) <= 1 + pauses
    assert waiting.checkpoints[-1] >= noted[-1] + 0.05


def test_a_checkpoint_comes_while_somebody_always_writes(of):
    waiting, busy = Waiting(), of(3600, 0.05)
    while not waiting.done.is_set():
        busy.schedule(waiting)
        time.sleep(0.001)


def test_commits_during_a_checkpoint_get_another_one(of):
    again = of(0.001, 3600)

    class Busy(Waiting):
        def checkpoint(self, seconds: float) -> None:
            if not self.checkpoints:
                again.schedule(self)
            super().checkpoint(seconds)
            if len(self.checkpoints) < 2:
                self.done.clear()

    waiting = Busy()
    again.schedule(waiting)
    while len(waiting.checkpoints) < 2:
        time.sleep(0.001)
    assert waiting.done.wait(60)


@pytest.mark.parametrize("failure", [StorageUnavailable("demo", "No space left"), ZeroDivisionError()])
def test_a_checkpoint_that_fails_is_logged_and_tried_again(of, caplog: pytest.LogCaptureFixture, failure: Exception):
    waiting, other = Waiting(failure), Waiting()
    trying = of(0.001, 0.05)
    with caplog.at_level(logging.WARNING):
        for what in (waiting, other):
            trying.schedule(what)
        for what in (waiting, other):
            assert what.done.wait(60)
    assert len(waiting.checkpoints) == 2
    assert waiting.checkpoints[1] >= waiting.checkpoints[0] + 0.05
    (told,) = caplog.messages
    assert "The commits of 'demo' stay in its journal" in told


def test_a_thread_that_cannot_start_is_started_later(of, monkeypatch: pytest.MonkeyPatch, caplog):
    waiting, crowded = Waiting(), of(0.001, 1)

    def refuse(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        crowded.schedule(waiting)
    assert "can't start new thread" in caplog.text
    crowded.schedule(waiting)
    assert waiting.done.wait(60)


def test_a_thread_that_a_fork_left_behind_is_replaced(of):
    waiting, forked = Waiting(), of(0.001, 1)
    forked._thread = threading.Thread()  # not alive, as in the child
    forked.schedule(waiting)
    assert waiting.done.wait(60)


def test_a_repository_that_is_gone_is_forgotten(of):
    gone, other = Waiting(RepositoryNotFound("demo")), Waiting()
    forgetting = of(0.001, 0.01)
    forgetting.schedule(gone)
    while not gone.checkpoints:
        time.sleep(0.001)
    forgetting.schedule(other)
    other.done.wait()
    while forgetting._thread is not None:
        time.sleep(0.001)
    assert len(gone.checkpoints) == 1


def test_a_checkpoint_of_another_process_starts_the_wait_anew(of):
    waiting, patient = Waiting(), of(3600, 0.2)
    noted = time.monotonic()
    patient.schedule(waiting)
    while time.monotonic() < noted + 0.15:
        time.sleep(0.01)
    patient.cancel(waiting)
    again = time.monotonic()
    patient.schedule(waiting)
    assert waiting.done.wait(60)
    assert waiting.checkpoints[0] >= again + 0.2
    assert len(waiting.checkpoints) == 1


def test_the_thread_runs_only_while_a_checkpoint_is_due(of):
    ending, waiting = of(0.001, 1), Waiting()
    for _ in range(2):
        ending.schedule(waiting)
        waiting.done.wait()
        while ending._thread is not None:
            time.sleep(0.001)
    assert len(waiting.checkpoints) == 2


@pytest.mark.parametrize("how", ["as it is", "from a daemon"])
def test_a_process_makes_its_checkpoints_before_it_ends(repository: Repository, tmp_path: Path, how: str):
    script = (
        "import threading; from pathlib import Path; from storage.journal import checkpointer;"
        "from storage.store import Store; from tests.storage.repositories import increment;"
        "checkpointer.QUIET_SECONDS = 0.2;"
        f"repository = Store(Path({str(tmp_path)!r})).open('alice/demo');"
        "write = lambda: [repository.transact(increment) for _ in range(3)];"
        f"daemon = threading.Thread(target=write, daemon={how == 'from a daemon'});"
        "daemon.start(); daemon.join()"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[3])
    main = (repository.path / "refs/heads/main").read_text().strip()
    assert main == repository.head().commit
    assert git(repository.path, "show", "main:counter") == "3\n"


def test_a_process_whose_disk_refuses_checkpoints_ends(repository: Repository, tmp_path: Path):
    script = (
        "from pathlib import Path; from storage.plumbing.branch import Branch;"
        "from storage.store import Store;"
        "from tests.storage.repositories import increment;"
        "Branch.move = lambda *_: (_ for _ in ()).throw(OSError(28, 'No space left on device'));"
        f"Store(Path({str(tmp_path)!r})).open('alice/demo').transact(increment)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[3], capture_output=True
    )
    assert b"The commits of 'demo' stay in its journal" in done.stderr
    assert repository.head().read("counter").data == b"1\n"
    settle(repository.path)


@pytest.mark.usefixtures("no_checkpoints")
def test_the_journal_of_a_killed_process_gets_a_checkpoint_unasked(
    repository: Repository, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """A damaged repository is logged, and delays no other."""
    other = Store(tmp_path).create("alice/a-damaged-one", first_commit)
    (other.path / "bakehouse-journal").write_bytes(b"garbage")
    repository.transact(increment)
    Store(tmp_path).checkpoint_leftovers()
    settle(repository.path)
    assert git(repository.path, "show", "main:counter") == "1\n"
    assert any("a-damaged-one" in message for message in caplog.messages)


def test_a_repository_that_is_opened_again_keeps_the_checkpoint_of_the_first(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
):
    """The first look of the second at the journal is no checkpoint of another process."""
    cancelled: list[object] = []
    monkeypatch.setattr(Checkpointer, "cancel", lambda _, what: cancelled.append(what))
    repository.transact(increment)
    Repository(Location("demo", repository.path), Shared()).head()
    assert cancelled == []
