"""Versions of a file, the log, and diffs: the same as git's own."""

import random
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.comparisons import FileChange
from storage.log_filter import LogFilter
from storage.repository import Repository
from storage.signatures import Person
from storage.store import Store
from storage.transaction import Transaction
from storage.versions import Version
from tests.seams import count_processes
from tests.storage.repositories import BOB, checkpointed, commit_at, commit_files, git, put

PATHS = ["a.yml", "targets/a.yml", "targets/b.yml", "targets/deep/c.yml"]
ZOE = Person("Zoë Ångström", "Z.A@bakery.example")


def change_at_random(chance: random.Random) -> Callable[[Transaction], str]:
    """Return a change of a few commits, each of which writes and removes a few files."""

    def change(transaction: Transaction) -> str:
        for _ in range(chance.randint(1, 6)):
            for path in chance.sample(PATHS, chance.randint(1, 3)):
                if transaction.read(path) and chance.random() < 0.4:
                    transaction.remove(path)
                else:
                    transaction.write(path, b"%d\n" % chance.randint(0, 3))
            transaction.commit("Change\n", chance.choice([BOB, ZOE]))
        return str(transaction.tip)

    return change


def raw_log(repository: Repository, *arguments: str) -> list[tuple[str, list[FileChange]]]:
    """Return what real `git log --raw` says: each commit, and its files."""
    logged: list[tuple[str, list[FileChange]]] = []
    options = ("--raw", "--no-abbrev", "--no-renames", "--format=%H")
    for line in git(repository.path, "log", *options, *arguments).splitlines():
        if line.startswith(":"):
            details, path = line.split("\t")
            old, new = (None if blob == "0" * 40 else blob for blob in details.split()[2:4])
            logged[-1][1].append(FileChange(path, old, new))
        elif line:
            logged.append((line, []))
    return logged


def commits_of(repository: Repository, before: str | None = None, limit: int = 20, **filters) -> list[str]:
    logged = repository.log(repository.head().commit, LogFilter(**filters), before=before, limit=limit)
    return [entry.commit for entry in logged]


@pytest.mark.parametrize("seed", range(4))
def test_versions_are_those_that_git_log_lists(repository: Repository, tmp_path: Path, seed: int):
    """For each path, at new and old commits, in a repository open all along and in one opened just now."""
    chance = random.Random(seed)
    for _ in range(6):
        tip = repository.transact(change_at_random(chance))
        commits = git(repository.path, "rev-list", "main").split()
        fresh = Store(tmp_path).open("alice/demo")
        for path in PATHS:
            for commit in (chance.choice(commits), tip):
                expected = [Version(logged, files[0].new) for logged, files in raw_log(repository, commit, "--", path)]
                assert repository.versions(path, commit) == expected
                assert fresh.versions(path, commit) == expected


@pytest.mark.parametrize("seed", range(3))
def test_the_versions_of_many_files_are_learnt_from_one_process(
    repository: Repository, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
):
    """Some files were asked for before, and were changed since; some commits are in the journal only."""
    chance = random.Random(seed)
    paths = [f"targets/t{number}.yml" for number in range(20)]

    def write(count: int) -> str:
        for _ in range(count):
            files = {path: b"%d\n" % chance.randint(0, 2) for path in chance.sample(paths, 3)}
            tip = repository.transact(commit_files(files))
        return tip

    early = write(15)
    fresh = Store(tmp_path).open("alice/demo")
    for path in paths[:3]:
        fresh.versions(path, early)
    tip = write(15)
    fresh.checkpoint()
    tip = write(2)
    commands = count_processes(monkeypatch)
    fresh.know_versions([*paths, "targets", "no/such", "README.md"], tip)
    told = {path: fresh.versions(path, tip) for path in paths}
    assert len([command for command in commands if "log" in command]) <= 1
    assert told == {path: repository.versions(path, tip) for path in paths}
    for path in paths:
        for number, version in enumerate(told[path]):
            assert list(fresh.versions_since(path, version.blob, version.commit)) == told[path][number:]
        contents = [version.blob for version in told[path]]
        for blob in set(contents):
            assert list(fresh.versions_since(path, blob, tip)) == told[path][contents.index(blob) :]
    assert list(fresh.versions_since(paths[0], "1" * 40, tip)) == []


@pytest.mark.parametrize("seed", range(3))
def test_the_last_change_of_each_file_is_that_of_git_log(repository: Repository, seed: int):
    chance = random.Random(seed)
    for _ in range(8):
        repository.transact(change_at_random(chance))
    paths = [*PATHS, "README.md", "no/such", *(f"absent-{number}" for number in range(20))]
    commits = git(repository.path, "rev-list", "main").split()
    for commit in (commits[0], *chance.sample(commits, 3), commits[-1]):
        last = {path: git(repository.path, "log", "-1", "--format=%H", commit, "--", path).strip() for path in paths}
        expected = {path: found for path, found in last.items() if found}
        assert repository.last_changes(paths, commit) == expected
        assert repository.last_changes(paths[:3], commit) == {
            path: expected[path] for path in paths[:3] if path in expected
        }


@pytest.mark.parametrize("seed", range(2))
def test_log_lists_the_commits_that_git_log_lists(repository: Repository, seed: int):
    chance = random.Random(seed)
    for _ in range(6):
        repository.transact(change_at_random(chance))
    commits = git(repository.path, "rev-list", "main").split()
    for start in (0, 3, len(commits) - 1):
        logged = [(entry.commit, entry.files) for entry in repository.log(commits[start], limit=1000)]
        assert logged == raw_log(repository, commits[start])
    for path in [*PATHS, "targets", "targets/", "targets/deep"]:
        for limit in (1, 2, 1000):
            logged = [
                (entry.commit, entry.files) for entry in repository.log(commits[0], LogFilter(path=path), limit=limit)
            ]
            assert logged == raw_log(repository, f"-{limit}", commits[0], "--", path)


def test_a_file_that_never_existed_has_no_versions(repository: Repository):
    tip = repository.transact(put("targets/a.yml", b"1"))
    for path in (
        "absent",
        "targets/absent",
        "targets",
        "README.md/a",
        "../README.md",
        "./README.md",
        "",
        "a\0",
    ):
        assert repository.versions(path, tip) == []


def test_a_file_replaced_by_a_folder_has_its_own_versions(repository: Repository):
    first = repository.transact(put("a", b"1"))
    second = repository.transact(commit_files({"a": None}))
    repository.transact(put("a/b", b"2"))
    gone = repository.transact(commit_files({"a/b": None}))
    last = repository.transact(put("a", b"3"))
    listed = [version.commit for version in repository.versions("a", last)]
    assert listed == [last, second, first]
    assert len(repository.versions("a/b", gone)) == 2


def test_paths_are_taken_literally(repository: Repository):
    literal = {"t/*.yml": b"1", "t/[ab].yml": b"2", ":(top)t": b"3", 't/ä \t"x".yml': b"4", "-p": b"5"}
    repository.transact(commit_files({"t/a.yml": b"6", "t/b.yml": b"7"}))
    commits = {path: repository.transact(put(path, data)) for path, data in literal.items()}
    for path, commit in commits.items():
        assert commits_of(repository, path=path) == [commit]
        assert [version.commit for version in repository.versions(path, repository.head().commit)] == [commit]
        ((file,),) = [logged.files for logged in repository.log(commit, LogFilter(path=path))]
        assert (file.path, file.old) == (path, None)
        assert repository.head().blob(file.new) == literal[path]
    assert commits_of(repository, path="t/?.yml") == []


def test_a_path_outside_the_repository_has_no_versions(repository: Repository):
    repository.transact(put("a/b", b"1"))
    for path in ("", "/", ".", "..", "../main", "/etc/passwd", "./a", "a/../a", "a//b", "a/.", "a\0"):
        assert commits_of(repository, path=path) == []


def test_log_names_all_files_of_a_commit(repository: Repository):
    first = repository.transact(commit_files({"a": b"1", "b": b"1", "targets/c": b"1"}))
    second = repository.transact(commit_files({"a": b"2", "b": None, "targets/c": b"1", "d": b"1"}))
    newest, before = repository.log(second, limit=2)
    assert (newest.commit, before.commit) == (second, first)
    assert [file.path for file in before.files] == ["a", "b", "targets/c"]
    blobs = {file.path: (file.old, file.new) for file in newest.files}
    then, now = repository.at(first), repository.at(second)
    assert blobs == {
        "a": (then.read("a").id, now.read("a").id),
        "b": (then.read("b").id, None),
        "d": (None, now.read("d").id),
    }
    (only,) = repository.log(second, LogFilter(path="d"))
    assert [file.path for file in only.files] == ["d"]


def test_log_filters_by_author(repository: Repository):
    by_alice = repository.head().commit
    by_bob = repository.transact(commit_files({"a": b"1"}, BOB))
    by_zoe = repository.transact(commit_files({"a": b"2"}, ZOE))
    for author in ("Bob", "bOB [OPS]", "[ops]", "WORK.example", "ops] <bob@", "bob@work.example>"):
        assert commits_of(repository, author=author) == [by_bob]
    for author in ("zoë", "ZOË ÅNG", "z.a@bakery"):
        assert commits_of(repository, author=author) == [by_zoe]
    for author in (
        "nobody",
        "[bo]",
        "^Bob",
        "B.b",
        "Bob.*",
        "zxa@",
        "(",
        "\\",
        "+0000",
        "bakehouse.invalid",
        "nobody\n",
        "\0",
    ):
        assert commits_of(repository, author=author) == []
    assert commits_of(repository, author="example") == [by_zoe, by_bob, by_alice]
    assert commits_of(repository, author="bob", path="a") == [by_bob]
    assert commits_of(repository, author="bob", path="README.md") == []


def test_log_pages_stay_the_same_while_others_write(repository: Repository):
    for number in range(7):
        repository.transact(put("a", b"%d" % number))
    everything = git(repository.path, "rev-list", "main").split()
    pages, after = [], None
    while page := commits_of(repository, before=after, limit=3):
        pages.append(page)
        after = page[-1]
        repository.transact(put("b", after.encode()))  # later commits must not shift a page
    assert pages == [everything[:3], everything[3:6], everything[6:]]


def test_before_and_start_are_combined(repository: Repository):
    commits = [repository.head().commit, *(repository.transact(put("a", b"%d" % n)) for n in range(4))]
    assert [entry.commit for entry in repository.log(commits[2], before=commits[4])] == commits[2::-1]
    assert [entry.commit for entry in repository.log(commits[3], before=commits[3])] == commits[2::-1]
    assert repository.log(commits[4], before=commits[0]) == []


def test_log_filters_by_time(repository: Repository):
    start = repository.head().time + 100
    first, second, third, fourth = commit_at(repository.path, [start, start + 10, start + 10, start + 20])
    for seconds, expected in [
        (start - 1, [fourth, third, second, first]),
        (start + 9.5, [fourth, third, second]),
        (start + 10, [fourth, third, second]),
        (start + 10.5, [fourth]),
        (start + 20, [fourth]),
        (start + 20.001, []),
    ]:
        assert commits_of(repository, since=datetime.fromtimestamp(seconds, UTC)) == expected
    assert len(commits_of(repository, since=datetime.min.replace(tzinfo=UTC))) == 5
    assert commits_of(repository, since=datetime.max.replace(tzinfo=UTC)) == []
    since = datetime.fromtimestamp(start + 10, UTC)
    assert commits_of(repository, since=since, before=fourth, limit=1) == [third]
    assert commits_of(repository, since=since, before=second) == []
    assert commits_of(repository, since=since, path="README.md") == []


def test_log_shows_a_merge_by_hand_as_one_commit(repository: Repository):
    """Commits that came in by a merge were never the tip of the branch."""
    base = repository.head().commit
    ours = repository.transact(put("a", b"1"))
    identity = ("-c", "user.name=Hand", "-c", "user.email=hand@example.org")
    theirs = git(repository.path, *identity, "commit-tree", f"{base}^{{tree}}", "-p", base, "-m", "x").strip()
    arguments = ("commit-tree", f"{base}^{{tree}}", "-p", ours, "-p", theirs, "-m", "Merge")
    merge = git(repository.path, *identity, *arguments).strip()
    git(repository.path, "update-ref", "refs/heads/main", merge)
    assert commits_of(repository) == [merge, ours, base]
    assert repository.versions("a", merge)[0] == Version(merge, None)
    assert [file.path for file in repository.log(merge, limit=1)[0].files] == ["a"]


def test_diff_returns_the_text_of_git_diff(repository: Repository):
    old = repository.transact(commit_files({"t/a.yml": b"one\ntwo\n", "t/b.yml": b"one\n3\n"}))
    new = repository.transact(commit_files({"t/a.yml": b"one\n2\n"}))
    for left, right in [
        ((old, "t/a.yml"), (new, "t/a.yml")),
        ((new, "t/a.yml"), (old, "t/a.yml")),
        ((new, "t/a.yml"), (new, "t/b.yml")),
    ]:
        text = repository.comparisons.text_of_files(left, right)
        assert text == git(repository.path, "diff", ":".join(left), ":".join(right))
        assert text.startswith(f"diff --git a/{left[1]} b/{right[1]}\n")
    assert repository.comparisons.text_of_files((old, "t/a.yml"), (new, "t/a.yml")).endswith(" one\n-two\n+2\n")
    assert repository.comparisons.text_of_files((old, "t/b.yml"), (new, "t/b.yml")) == ""


def test_diff_ignores_the_configuration_of_git(repository: Repository):
    old, new = (repository.transact(put("*.yml", data)) for data in (b"one\n", b"two\n"))
    before = repository.comparisons.text_of_files((old, "*.yml"), (new, "*.yml"))
    git(repository.path, "config", "color.diff", "always")
    git(repository.path, "config", "diff.external", "false")
    assert repository.comparisons.text_of_files((old, "*.yml"), (new, "*.yml")) == before


# For each filter a value that no commit passes.
NONSENSE = {
    "author": "nobody at all",
    "since": datetime(9000, 1, 1, tzinfo=UTC),
    "until": datetime(1970, 1, 2, tzinfo=UTC),
    "path": "no/such/file",
    "reason": "no such reason",
}


@pytest.mark.usefixtures("no_checkpoints")
@pytest.mark.parametrize("name", [field.name for field in fields(LogFilter)])
def test_every_filter_of_the_log_leaves_commits_out(repository: Repository, name: str):
    """Those of git and those of the journal; a filter without a condition would show all of them."""
    checkpointed(repository, put("a", b"1"))
    repository.transact(put("a", b"2"))
    assert len(commits_of(repository)) == 3
    assert commits_of(repository, **{name: NONSENSE[name]}) == []
