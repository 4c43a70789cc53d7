"""A clock that jumps: history stays in order, and the tip at a time can be found."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.errors import RevisionNotFound
from storage.repository import Repository
from storage.store import Store
from tests.seams import Clock, set_clock
from tests.storage.repositories import ALICE, git, increment

NOON = 4_000_000_000  # long after the repository was made
JUMPS = [0, 60, -86_400, -86_400 * 365, 30, 3600, -5, 3600]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return set_clock(monkeypatch, NOON)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_commits_stay_in_order_when_the_clock_jumps(repository: Repository, clock: Clock):
    for jump in JUMPS:
        clock.now = NOON + jump
        repository.transact(increment)
    times = [int(line) for line in git(repository.path, "log", "--reverse", "--format=%ct %at").split()]
    assert times == sorted(times)
    assert len(times) == 2 * (len(JUMPS) + 1)
    assert max(times) == NOON + 3600
    line = git(repository.path, "rev-list", "--topo-order", "main")
    assert git(repository.path, "rev-list", "--date-order", "main") == line
    assert git(repository.path, "rev-list", "--author-date-order", "main") == line


def test_find_at_is_right_when_the_clock_has_jumped(repository: Repository, clock: Clock, tmp_path: Path):
    """Of several commits in one second, the last one is the tip at the end of that second."""
    commits = []
    for jump in JUMPS:
        clock.now = NOON + jump
        repository.transact(increment)
        commits.append(repository.head().commit)
    for opened in (repository, Store(tmp_path).open("alice/demo")):
        assert opened.find_at(moment(NOON)) == commits[0]
        assert opened.find_at(moment(NOON + 59)) == commits[0]
        assert opened.find_at(moment(NOON + 60)) == commits[1]
        assert opened.find_at(moment(NOON + 60).replace(microsecond=999_999)) == commits[4]
        assert opened.find_at(moment(NOON + 3599)) == commits[4]
        assert opened.find_at(moment(NOON + 10**6)) == commits[-1]
        assert [logged.commit for logged in opened.log(commits[-1])][:-1] == commits[::-1]
        with pytest.raises(RevisionNotFound):
            opened.find_at(moment(10**9))


def test_tags_can_be_made_when_the_clock_is_behind_their_commit(repository: Repository, clock: Clock):
    commit = repository.head().commit
    clock.now = 1000.0
    assert repository.create_tag("v1", commit, ALICE, "One\n").signature.time == 1000
    assert repository.find("v1") == commit
    assert git(repository.path, "fsck", "--strict") == ""
