"""Power loss at every step of a write: whatever the disk then holds, no answered write is lost."""

import hashlib
import os
import random
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from storage.journal import header
from storage.journal.checkpointer import Checkpointer
from storage.machine import disk
from storage.repository import Repository
from storage.roll_up import roll_up
from storage.store import Store
from tests.storage.repositories import ALICE, PLAIN, branch, commit_files, first_commit, git, heads, put
from tests.torture.recorder import Files, Recording, recorded

Promise = tuple[str, bytes]  # a path and its content; or a tag, and the commit that it is on
Scenario = Callable[[Repository, Recording], None]

_NAME = "alice/demo"
_OFF = 60  # seconds that the machine was off
_KEPT = (0.0, 1.0, 0.5)  # of what need not be on disk: nothing, all, and by chance


def _write(repository: Repository, recording: Recording, path: str, data: bytes) -> None:
    repository.transact(put(path, data))
    recording.answered((path, data))


def write_one_by_one(repository: Repository, recording: Recording) -> None:
    """Write one file after another, some again, and let git see them now and then."""
    for number in range(8):
        _write(repository, recording, f"targets/{number % 3}", b"%d" % number)
        if number % 3 == 2:
            repository.checkpoint()


def write_together(repository: Repository, recording: Recording) -> None:
    """Let writers share flushes, of several sectors each."""
    for start in (0, 4):
        with ThreadPoolExecutor(4) as pool:
            changes = [(f"targets/{number}", b"%d" % number * 700) for number in range(start, start + 4)]
            for change in [pool.submit(repository.transact, put(*change)) for change in changes]:
                change.result()
        for change in changes:
            recording.answered(change)
        repository.checkpoint()


def tag_between(repository: Repository, recording: Recording) -> None:
    """Tag what was written, and go on."""
    _write(repository, recording, "a", b"1")
    commit = repository.head().commit
    repository.create_tag("v1", commit, ALICE, "One\n")
    recording.answered(("v1", commit.encode()))
    _write(repository, recording, "a", b"2")


def roll_up_between(repository: Repository, recording: Recording) -> None:
    """Let maintenance take the small packs away, between writes."""
    for number in range(6):
        _write(repository, recording, "a", b"%d" % number)
        repository.checkpoint()
        if number % 3 == 2:
            _write(repository, recording, "b", b"%d" % number)
            roll_up(branch(repository))


def label_between(repository: Repository, recording: Recording) -> None:
    """Make, move and remove files that stand for branches, some of them after git has packed its refs."""
    for number in range(4):
        _write(repository, recording, "a", b"%d" % number)
        commit = repository.head().commit.encode()
        repository.transact(put("labels/moves", commit))
        repository.transact(put("labels/goes", commit) if number % 2 else commit_files({"labels/goes": None}))
        _write(repository, recording, "b", b"%d" % number)
        repository.checkpoint()
        if number == 1:
            git(repository.path, "pack-refs", "--all", "--no-prune")
            disk.sync(repository.path)


def write_much(repository: Repository, recording: Recording) -> None:
    """Write more than the journal is to hold, so that it is cut off once it is emptied."""
    for number in range(4):
        _write(repository, recording, "a", b"%d" % number)
        _write(repository, recording, "large", b"%d" % number * 1024 * 1024)


SCENARIOS: Sequence[Scenario] = (
    write_one_by_one,
    write_together,
    tag_between,
    roll_up_between,
    label_between,
    write_much,
)


def run(tries: int, seed: int, scenarios: Sequence[Scenario] = SCENARIOS, every: int = 1) -> Iterator[str]:
    """Lose power before each step of each scenario, with so many disks by chance; yield what was found.

    With `every`, only before each so many-th step, from the last one back.
    """
    for scenario in scenarios:
        with tempfile.TemporaryDirectory(prefix="bakehouse-power-") as folder:
            recording = record(Path(folder), scenario)
            states = 0
            seen: set[bytes] = set()
            for at in range(len(recording.steps), -1, -every):
                for files in disks(recording, at, tries, random.Random(f"{seed}-{at}")):
                    key = _key(files, recording.promises(at))
                    if key not in seen:
                        seen.add(key)
                        states += 1
                        check(Path(folder, "after"), files, recording.promises(at))
        what = scenario.__name__.replace("_", " ")
        yield f"power loss, {what}: {len(recording.steps)} steps, {states:,} disks: all recovered"


def run_again(seed: int, tries: int = 3, every: int = 1) -> Iterator[str]:
    """Lose power once more, before each step of the recovery from a loss; yield what was found.

    With `every`, only before each so many-th step.
    """
    with tempfile.TemporaryDirectory(prefix="bakehouse-power-") as folder:
        first = record(Path(folder), roll_up_between)
        end, chance, states = len(first.steps), random.Random(seed), 0
        for files in disks(first, end, tries, chance):
            path = lay_out(Path(folder, "recovering"), files)
            with after_power_loss(), recorded(path) as recovery:
                repository = _store(Path(folder, "recovering")).open(_NAME)
                repository.head()
                repository.checkpoint()
            for at in range(0, len(recovery.steps) + 1, every):
                for left in disks(recovery, at, tries, chance):
                    states += 1
                    check(Path(folder, "after"), left, first.promises(end))
        yield f"power loss during a recovery: {states:,} disks: all recovered"


def _store(folder: Path) -> Store:
    return Store(folder, branch_files=PLAIN)


def record(folder: Path, scenario: Scenario) -> Recording:
    """Run a scenario on a repository of its own, whose creation is on disk."""
    repository = _store(folder).create(_NAME, first_commit)
    with no_checkpoints(), recorded(repository.path) as recording:
        scenario(repository, recording)
    return recording


@contextmanager
def no_checkpoints() -> Iterator[None]:
    """Let no checkpoint happen in the background, so that a scenario's steps are always the same."""
    with patch.object(Checkpointer, "schedule", lambda *_: None):
        yield


@contextmanager
def after_power_loss() -> Iterator[None]:
    """Take the machine for one that was started anew."""
    with no_checkpoints(), patch.object(header, "BOOT", secrets.token_bytes(16)):
        yield


def disks(recording: Recording, at: int, tries: int, chance: random.Random) -> Iterator[Files]:
    """Yield what may be on disk if power is lost before a step."""
    for kept in _KEPT + (0.5,) * (tries - 1):
        yield recording.disk(at, chance, kept)


def lay_out(folder: Path, files: Files) -> Path:
    """Put what is on a disk into a folder, and return the repository's."""
    shutil.rmtree(folder, ignore_errors=True)
    path = folder / f"{_NAME}.git"
    for name in ("refs/heads", "refs/tags", "objects/pack", "objects/info"):
        (path / name).mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
        os.utime(path / name, (time.time() - _OFF,) * 2)
    return path


def check(folder: Path, files: Files, promises: Sequence[Promise]) -> None:
    """Open what is on a disk as a server would, and hold it to what was answered."""
    path = lay_out(folder, files)
    with after_power_loss():
        _check(path, _store(folder).open(_NAME), promises)  # opening it recovers


def _check(path: Path, repository: Repository, promises: Sequence[Promise]) -> None:
    head = repository.head()
    for place, content in dict(promises).items():
        if place.startswith("v"):
            assert repository.find(place).encode() == content, f"the tag {place} is lost"
        else:
            file = head.read(place)
            assert file is not None, f"{place} is lost"
            later = [data for name, data in promises if name == place]
            assert file.data >= max(later), f"{place} went back to {file.data!r}"
    repository.transact(put("after", b"1"))
    repository.checkpoint()
    assert git(path, "show", "main:after") == "1"
    assert heads(path) == {"main": repository.head().commit} | {
        name: repository.head().read(f"labels/{name}").data.decode() for name in repository.head().list("labels")
    }
    assert git(path, "rev-list", "--merges", "--count", "main") == "0\n"
    assert git(path, "fsck", "--full", "--strict", "--no-dangling") == ""
    assert not list(path.rglob("*.lock"))


def _key(files: Files, promises: Sequence[Promise]) -> bytes:
    parts = sorted((name.encode(), hashlib.sha1(content).digest()) for name, content in files.items())
    return hashlib.sha1(repr((parts, promises)).encode()).digest()
