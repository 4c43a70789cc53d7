"""The exact moments of commits: what was in force within a second."""

import random
from datetime import timedelta
from pathlib import Path

import pytest

from storage import moments
from storage.errors import RevisionNotFound
from storage.log_filter import LogFilter
from storage.moments import SECOND
from storage.objects.reader import ObjectReader
from storage.repository import Repository
from storage.store import Store
from tests.seams import set_clock
from tests.storage.repositories import ALICE, commit_at, git, increment, put

NOON = 4_000_000_000  # long after the repository was made
LATER = 300_000_000_000  # seconds; in year 11476


def write_at(repository: Repository, patch: pytest.MonkeyPatch, seconds: float) -> str:
    set_clock(patch, seconds)
    repository.transact(increment)
    return repository.head().commit


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("jumps", [True, False])
def test_the_tip_at_any_moment_is_the_last_commit_made_by_then(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, jumps: bool
):
    """Where the clock jumps back; and where commits by hand, which tell whole seconds only, are among the others."""
    chance = random.Random(seed)
    made: list[tuple[int, str]] = [(0, repository.head().commit)]
    times = [NOON + chance.choice((-1, 0, 0, 1, 2)) + chance.randrange(8) / 8 for _ in range(40)]
    told = 0  # by the last commit
    for seconds in times if jumps else sorted(times):
        if not jumps and chance.random() < 0.2:
            moment, (commit,) = int(seconds) * SECOND, commit_at(repository.path, [int(seconds)])
        else:
            moment, commit = max(int(seconds * SECOND), told + 1), write_at(repository, monkeypatch, seconds)
        told = moment
        made.append((max(moment, made[-1][0]), commit))
    for opened in (repository, Store(tmp_path).open("alice/demo")):
        for eighth in range(-10, 35):
            moment = NOON * SECOND + eighth * SECOND // 8
            when = moments.at(moment)
            before = [commit for made_at, commit in made if made_at <= moment]
            assert opened.find_at(when) == before[-1]
            tip = opened.head().commit
            assert [logged.commit for logged in opened.log(tip, LogFilter(until=when), limit=99)] == before[::-1]
            since = opened.log(tip, LogFilter(since=when + timedelta(microseconds=1)), limit=99)
            assert [logged.commit for logged in since][::-1] == [commit for made_at, commit in made if made_at > moment]


def test_a_commit_tells_its_moment_in_its_last_line(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    write_at(repository, monkeypatch, NOON + 0.25)
    told = "2096-10-02T07:06:40.250000Z"
    assert git(repository.path, "log", "-1", "--format=%B") == f"Count 1\n\nTime: {told}\n\n"
    assert git(repository.path, "log", "-1", "--format=%(trailers:key=Time,valueonly)%ct").split() == [told, str(NOON)]
    assert repository.signature(repository.head().commit).message == "Count 1\n"


@pytest.mark.usefixtures("no_checkpoints")
def test_few_commits_of_a_second_are_read(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    commits = [write_at(repository, monkeypatch, NOON + number / 512) for number in range(300)]
    assert repository.find("main") == commits[-1]
    reads = 0
    read = ObjectReader.header

    def count(reader, wanted):
        nonlocal reads
        reads += 1
        return read(reader, wanted)

    monkeypatch.setattr(ObjectReader, "header", count)
    assert repository.find_at(moments.at((NOON + 1) * SECOND)) == commits[-1]
    assert repository.find_at(moments.at((NOON + 1) * SECOND - 1)) == commits[-1]
    assert reads == 0
    assert repository.find_at(moments.at(NOON * SECOND + 100 * SECOND // 512)) == commits[100]
    assert reads < 10


def test_a_line_that_tells_another_second_does_not_count(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    """Only an operator can write such a line."""
    hand = ("-c", "user.name=Hand", "-c", "user.email=hand@example.org")
    when = f"--date=@{NOON + 5}"
    monkeypatch.setenv("GIT_COMMITTER_DATE", f"@{NOON + 5} +0000")
    parent = git(repository.path, "rev-parse", "main").strip()
    for line in ("2096-10-02T07:06:40.250000Z", "2096-99-02T07:06:40.250000Z"):
        message = f"By hand {when}\n\nTime: {line}\n"
        parent = git(repository.path, *hand, "commit-tree", "main^{tree}", "-p", parent, "-m", message).strip()
    git(repository.path, "update-ref", "refs/heads/main", parent)
    monkeypatch.delenv("GIT_COMMITTER_DATE")
    assert repository.signature(parent).moment == (NOON + 5) * SECOND
    assert repository.find_at(moments.at((NOON + 5) * SECOND)) == parent


def test_commits_go_on_after_one_by_hand_of_a_time_without_a_name(repository: Repository):
    (by_hand,) = commit_at(repository.path, [LATER])
    commit = repository.transact(put("a", b"1"))
    assert repository.signature(commit).time == repository.signature(by_hand).time == LATER
    assert "Time:" not in git(repository.path, "log", "-1", "--format=%B")


def test_a_moment_before_the_first_commit_is_answered_with_the_moment_of_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    set_clock(monkeypatch, NOON + 0.5)
    repository = Store(tmp_path).create("alice/demo", put("a", b"1"))
    with pytest.raises(RevisionNotFound, match=r"'2096-10-02T07:06:40.400000\+00:00' .* at 2096-10-02T07:06:40.500000"):
        repository.find_at(moments.at(NOON * SECOND + 400_000))
    assert repository.find_at(moments.at(NOON * SECOND + 500_000)) == repository.head().commit
    assert repository.create_tag("v1", repository.head().commit, ALICE, "One\n").signature.moment == NOON * SECOND
