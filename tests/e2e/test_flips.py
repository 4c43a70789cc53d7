"""The short form of the flips of `make torture`, and a check that it finds wrong answers and lost writes."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.storage.repositories import git
from tests.torture import everything, flips
from tests.torture.cases import Case, Verdict
from tests.torture.everything import FOLDERS


@pytest.mark.slow
def test_a_flipped_bit_is_reported_or_harmless():
    summary, *_ = flips.run(flips=40, seed=18)
    assert "40 flips" in summary
    assert ": 0 answered wrong" in summary


class Nothing:
    """No damage at all."""

    place = "demo"

    def do(self, data_dir: Path) -> None:
        pass

    def undo(self, data_dir: Path) -> None:
        pass


class MovedBack(Nothing):
    """A branch moved back by a commit: the repository is sound, but a commit is lost."""

    def do(self, data_dir: Path) -> None:
        git(data_dir / FOLDERS["demo"], "update-ref", "refs/heads/main", "main~1")


class Emptied(Nothing):
    """All users are missing, as if the folder of users were read as an empty one."""

    place = "other"  # so a failure about accounts is not excused

    def do(self, data_dir: Path) -> None:
        git(data_dir / FOLDERS["accounts"], "update-ref", "refs/heads/main", self._root(data_dir))

    def _root(self, data_dir: Path) -> str:
        return git(data_dir / FOLDERS["accounts"], "rev-list", "--max-parents=0", "main").strip()


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    """Yield a data directory with all commits in git's own files."""
    folder = tmp_path_factory.mktemp("flips")
    with flips.quiet([]):
        yield Case(everything.make(folder)[0], folder / "copy")


def test_hold_reports_nothing_for_undamaged_data(case: Case, tmp_path: Path):
    verdict = case.hold(Nothing(), random.Random(1), tmp_path / "copy")
    assert verdict == Verdict()


def test_hold_finds_wrong_answers_and_lost_writes(case: Case, tmp_path: Path):
    verdict = case.hold(MovedBack(), random.Random(1), tmp_path / "copy")
    assert any("/targets/asks by alice is 200" in line for line in verdict.wrong)
    assert verdict.missed
    assert any("templates" in line for line in verdict.lost)


def test_hold_finds_missing_users(case: Case, tmp_path: Path):
    verdict = case.hold(Emptied(), random.Random(1), tmp_path / "copy")
    assert any("by alice is 401" in line for line in verdict.wrong)
    assert any("users/alice.yml" in line for line in verdict.lost)
