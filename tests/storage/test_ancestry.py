"""Finding a commit by its id, an abbreviation, a tag, or a time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from storage import moments
from storage.errors import RevisionAmbiguous, RevisionNotFound
from storage.log_filter import LogFilter
from storage.repository import Repository
from storage.store import Store
from storage.transaction import Transaction
from tests.storage.repositories import ALICE, commit_at, git, increment, off_the_branch, put, two_alike

LONG_AGO = 1_000_000_000


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def line_of(repository: Repository) -> list[str]:
    """Return all commits, oldest first, as git lists them."""
    return git(repository.path, "rev-list", "--first-parent", "--reverse", "main").split()


def increment_by(count: int) -> Callable[[Transaction], list[int]]:
    """Return a change that makes `count` commits, in one flush."""
    return lambda transaction: [increment(transaction) for _ in range(count)]


def test_find_takes_an_id_or_an_abbreviation(repository: Repository):
    commits = [repository.head().commit, *(repository.transact(put("a", b"%d" % n)) for n in range(5))]
    for commit in commits:
        for length in (40, 39, 12, 11):
            assert repository.find(commit[:length]) == commit
    assert repository.find("HEAD") == repository.find("main") == commits[-1]


def test_find_refuses_an_ambiguous_abbreviation(repository: Repository):
    first, second = repository.transact(two_alike)
    with pytest.raises(RevisionAmbiguous) as caught:
        repository.find(first[:4])
    assert caught.value.revision == first[:4]
    differ = next(n for n in range(40) if first[n] != second[n])
    assert repository.find(first[: differ + 1]) == first
    assert repository.find(second[: differ + 1]) == second


def test_find_matches_an_abbreviation_at_the_start_of_an_id_only(repository: Repository):
    """Digits in the middle of an id, or across two ids that are stored side by side, do not match."""
    repository.transact(increment_by(300))
    commits = line_of(repository)
    joined = "".join(commits)
    for start in range(2, 2000, 7):
        for digits in (joined[start : start + 8], joined[start : start + 9]):
            starting = [commit for commit in commits if commit.startswith(digits)]
            try:
                assert [repository.find(digits)] == starting
            except RevisionNotFound:
                assert starting == []


@pytest.mark.parametrize(
    "revision",
    [
        "",
        "0" * 10,
        "0" * 40,
        "abc",
        "master",
        "HEAD~1",
        "main^",
        "@",
        "-1",
        "../heads/main",
        "refs/heads/main",
    ],
)
def test_find_refuses_names_that_are_no_revision(repository: Repository, revision: str):
    with pytest.raises(RevisionNotFound) as caught:
        repository.find(revision)
    assert (caught.value.repository, caught.value.revision) == ("demo", revision)


def test_find_refuses_a_name_longer_than_any_file_name(repository: Repository):
    with pytest.raises(RevisionNotFound):
        repository.find("v" * 5000)


def test_find_prefers_a_tag_to_an_abbreviation(repository: Repository):
    first = repository.head().commit
    second = repository.transact(put("a", b"1"))
    repository.create_tag("v1.0", first, ALICE, "One\n")
    assert repository.find("v1.0") == first
    assert repository.find(second[:7]) == second
    repository.create_tag(second[:7], first, ALICE, "Misleading\n")
    assert repository.find(second[:7]) == first
    assert repository.find(second[:8]) == second


def test_find_never_takes_a_whole_id_for_a_tag(repository: Repository):
    first = repository.head().commit
    second = repository.transact(put("a", b"1"))
    git(repository.path, "update-ref", f"refs/tags/{second}", first)
    assert repository.find(second) == second


def test_commits_off_the_branch_are_not_found(repository: Repository):
    repository.transact(put("a", b"1"))
    stray = off_the_branch(repository, "-p", "main")
    git(repository.path, "update-ref", "refs/tags/stray", stray)
    for look in (
        lambda: repository.find(stray),
        lambda: repository.find(stray[:10]),
        lambda: repository.find("stray"),
        lambda: repository.at(stray),
        lambda: repository.versions("a", stray),
        lambda: repository.log(stray),
        lambda: repository.log(repository.head().commit, before=stray),
        lambda: repository.create_tag("v1", stray, ALICE, "Stray\n"),
    ):
        with pytest.raises(RevisionNotFound):
            look()


def test_at_reads_the_repository_at_any_commit(repository: Repository):
    commits = [repository.transact(put("a", b"%d" % number)) for number in range(5)]
    for number, commit in enumerate(commits):
        assert repository.at(commit).read("a").data == b"%d" % number
        assert repository.signature(commit).subject == "Change a"
        assert (repository.signature(commit).name, repository.signature(commit).email) == (
            ALICE.name,
            ALICE.email,
        )


def test_find_at_returns_the_tip_of_that_time(repository: Repository):
    start = repository.head().time + 100
    first, second, third, fourth = commit_at(repository.path, [start, start + 10, start + 10, start + 20])
    assert repository.find_at(at(start)) == repository.find_at(at(start + 9.999)) == first
    assert repository.find_at(at(start + 10)) == third != second
    assert repository.find_at(at(start + 19)) == third
    assert repository.find_at(at(start + 20)) == fourth
    assert repository.find_at(datetime.max.replace(tzinfo=UTC)) == fourth


def test_find_at_refuses_a_time_before_the_first_commit(repository: Repository):
    began = moments.at(repository.head().moment)
    assert repository.find_at(began) == repository.head().commit
    for moment in (began - timedelta(microseconds=1), datetime.min.replace(tzinfo=UTC)):
        with pytest.raises(RevisionNotFound, match=began.isoformat()[:10]):
            repository.find_at(moment)


def test_find_at_takes_any_time_zone(repository: Repository):
    began = moments.at(repository.head().moment)
    assert repository.find_at(began.astimezone(timezone(timedelta(hours=-9)))) == repository.head().commit


def test_commits_dated_before_their_parent_are_found(repository: Repository):
    """A commit made by hand counts as made no earlier than those before it."""
    began = repository.head().time
    by_hand = commit_at(repository.path, [began + 50, LONG_AGO, LONG_AGO - 5, began + 60])
    for fresh in (repository, Store(repository.path.parents[1]).open("alice/demo")):
        assert fresh.find_at(at(began + 49)) == line_of(repository)[0]
        assert fresh.find_at(at(began + 50)) == by_hand[2]
        assert fresh.find_at(at(began + 60)) == by_hand[3]
        assert [fresh.find(commit) for commit in by_hand] == by_hand
        logged = fresh.log(by_hand[3], LogFilter(since=at(began + 50)))
        assert [entry.commit for entry in logged] == by_hand[::-1]


def test_commits_of_another_process_are_found(repository: Repository, tmp_path: Path):
    other = Store(tmp_path).open("alice/demo")
    assert other.find("HEAD") == repository.head().commit
    for number in range(10):
        commit = repository.transact(put("a", b"%d" % number))
        assert other.at(commit).read("a").data == b"%d" % number
        assert other.find("main") == other.find(commit[:12]) == other.find_at(at(2**33)) == commit
        assert repository.find_at(moments.at(repository.head().moment)) == commit


@pytest.mark.parametrize("count", [999, 1000, 1001, 2500])
def test_many_commits_of_another_process_are_found(repository: Repository, tmp_path: Path, count: int):
    """Up to 1000 new commits are read one by one, from the tip back; for more, git is asked."""
    other = Store(tmp_path).open("alice/demo")
    other.find("HEAD")
    repository.transact(increment_by(count))
    commits = line_of(repository)
    assert len(commits) == count + 1
    assert other.find("main") == commits[-1]
    for position in (0, 1, 2, count // 2, count - 1, count):
        assert other.find(commits[position]) == commits[position]
    for position in (0, 1, count // 2, count - 1):
        (before,) = other.log(commits[-1], before=commits[position + 1], limit=1)
        assert before.commit == commits[position]


def test_a_branch_moved_off_its_ancestry_by_hand_is_noticed(repository: Repository):
    repository.transact(increment_by(3))
    first, *_, tip = line_of(repository)
    assert repository.find(tip) == tip
    stray = off_the_branch(repository)
    git(repository.path, "update-ref", "refs/heads/main", stray)
    assert repository.find("HEAD") == repository.find_at(at(2**33)) == stray
    for commit in (first, tip):
        with pytest.raises(RevisionNotFound):
            repository.find(commit)
        with pytest.raises(RevisionNotFound):
            repository.at(commit)


def test_a_branch_moved_back_by_hand_is_noticed(repository: Repository):
    repository.transact(increment_by(4))
    *before, kept, lost, tip = line_of(repository)
    assert repository.find_at(at(2**33)) == tip
    assert len(repository.versions("counter", tip)) == 4
    git(repository.path, "update-ref", "refs/heads/main", kept)
    assert repository.find_at(at(2**33)) == repository.find("HEAD") == kept
    for look in (repository.find, repository.at, lambda it: repository.create_tag("v1", it, ALICE, "Lost\n")):
        with pytest.raises(RevisionNotFound):
            look(lost)
    commit = repository.transact(put("counter", b"another way"))
    assert [version.commit for version in repository.versions("counter", commit)] == [commit, kept, before[1]]
    assert repository.find_at(at(2**33)) == commit
