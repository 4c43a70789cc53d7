"""Power loss before each step of a write: the short form of the power loss of `make torture`."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.errors import RepositoryDamaged
from storage.store import Store
from tests.storage.repositories import first_commit
from tests.torture import power
from tests.torture.recorder import Flushed, FolderFlushed, PutFlushed


@pytest.mark.slow
@pytest.mark.parametrize("scenario", power.SCENARIOS)
def test_power_loss_before_any_step_loses_no_answered_write(scenario: power.Scenario):
    (line,) = power.run(tries=1, seed=3, scenarios=[scenario], every=9)
    steps, disks = (int(word) for word in line.replace(",", "").split() if word.isdigit())
    assert steps > 20
    assert disks > 10


@pytest.mark.slow
def test_power_loss_during_a_recovery_loses_no_answered_write():
    (line,) = power.run_again(seed=3, tries=1, every=4)
    assert int(line.split()[-4].replace(",", "")) > 20, line


@pytest.mark.parametrize("flush", [Flushed, FolderFlushed, PutFlushed])
def test_check_finds_a_missing_flush(tmp_path: Path, flush: type):
    recording = power.record(tmp_path, power.write_one_by_one)
    recording.steps = [step for step in recording.steps if not isinstance(step, flush)]
    everything = len(recording.steps)
    (nothing_kept, *_) = power.disks(recording, everything, 1, random.Random(1))
    with pytest.raises((AssertionError, RepositoryDamaged), match=r"is lost|went back|cannot read|names no object"):
        power.check(tmp_path / "after", nothing_kept, recording.promises(everything))


def test_a_new_repository_is_on_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    flushed: set[Path] = set()
    named: list[Path] = []

    def spied(name: str, spy: Callable[..., None]) -> None:
        original = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args: (original(*args), spy(*args))[0])

    def check_all(source: Path, target: Path) -> None:
        if target.suffix == ".git":
            named.append(target)
            inside = {path.relative_to(target) for path in target.rglob("*")}
            assert inside
            assert inside <= {path.relative_to(source) for path in flushed if path.is_relative_to(source)}

    spied("fsync", lambda fd: flushed.add(Path(f"/proc/self/fd/{fd}").readlink()))
    spied("rename", check_all)
    Store(tmp_path).create("alice/demo", first_commit)
    assert named == [tmp_path / "alice/demo.git"]
    assert {tmp_path, tmp_path / "alice"} <= flushed
