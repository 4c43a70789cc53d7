"""The field index: right answers whatever has become of its file, of other processes, and of the history."""

import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from storage import field_index
from storage.block_file import NAME
from storage.comparisons import FileChange
from storage.ids import CommitId
from storage.log_filter import EVERYTHING, LogFilter
from storage.repository import Repository
from storage.store import Store
from storage.transaction import Transaction
from tests.storage.repositories import BOB, git, put

SIZE = 8  # commits of a block
FIELDS = ("/a", "/b", "/c/d")
ASKED = (*FIELDS, "/c", "/nothing")


class Reader:
    """Names the fields that a file lists, a line each."""

    def __init__(self, repository: Repository, most: int = 10**9) -> None:
        self._snapshot = repository.head()
        self._left = most
        self.read = 0

    def is_spent(self) -> bool:
        return self.read >= self._left

    def allow(self, more: int) -> None:
        """Let another answer read some files."""
        self._left = self.read + more

    def names(self, commit: CommitId, file: FileChange) -> Sequence[str]:
        assert self._snapshot.commit
        assert commit
        self.read += 1
        return [] if file.new is None else self._snapshot.blob(file.new).decode().split()


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(field_index, "COMMITS", SIZE)


def write_some(repository: Repository, count: int, seed: int = 0) -> None:
    """Make commits that each write a few files, and say which fields they changed."""
    chance = random.Random(seed)

    def change(transaction: Transaction) -> None:
        for number in range(count):
            for path in chance.sample(("x", "y", "z/w"), chance.randint(1, 2)):
                fields = "\n".join(chance.sample(FIELDS, chance.randint(0, 2)))
                transaction.write(path, f"{fields}\n\n{number}_{seed}".encode().replace(b"_", b" "))
            transaction.commit("Change\n", BOB)

    repository.transact(change)


def page(
    repository: Repository, field: str, before: CommitId | None, reader: Reader
) -> tuple[list[str], CommitId | None]:
    """Return the commits of a page, and where the next one goes on."""
    found: list[str] = []
    for logged in repository.fields.search(field, EVERYTHING, reader, repository.head().commit, before):
        if not logged.files:
            return found, logged.commit
        found.append(logged.commit)
    return found, None


def search(repository: Repository, field: str, wanted: LogFilter = EVERYTHING, most: int = 10**9) -> list[str]:
    """Return the commits that a search finds on all its pages."""
    found, before = [], None
    while True:
        reader = Reader(repository, most)
        for logged in repository.fields.search(field, wanted, reader, repository.head().commit, before):
            if not logged.files:
                assert logged.commit != before
                before = logged.commit
                break
            found.append(logged.commit)
        else:
            return found


def right(repository: Repository) -> list[list[str]]:
    """Return the commits of each field of `ASKED`, as git's log and the files of all its commits tell."""
    logged = git(repository.path, "log", "--raw", "--no-abbrev", "--format=@%H", "main").splitlines()
    blobs = sorted({line.split()[3] for line in logged if line.startswith(":")})
    contents = git(repository.path, "cat-file", "--batch=@%(objectname)", stdin="\n".join(blobs)).split("@")[1:]
    names = {content[:40]: content[40:].split() for content in contents}
    found: dict[str, dict[str, None]] = {field: {} for field in ASKED}
    commit = ""
    for line in logged:
        if line.startswith("@"):
            commit = line[1:]
        for field in ASKED if line.startswith(":") else ():
            if any(f"{name}/".startswith(f"{field}/") for name in names[line.split()[3]]):
                found[field][commit] = None
    return [list(commits) for commits in found.values()]


def fresh(repository: Repository) -> Repository:
    """Open a repository as another process would: with nothing in memory."""
    return Store(repository.path.parent.parent).open(f"{repository.path.parent.name}/{repository.name}")


def answers(repository: Repository) -> list[list[str]]:
    return [search(repository, field) for field in ASKED]


@pytest.fixture
def truth(repository: Repository) -> list[list[str]]:
    """Return the right answers for a repository whose index is on disk."""
    write_some(repository, 5 * SIZE)
    found = answers(repository)
    assert found == right(repository)
    with closing(sqlite3.connect(repository.path / NAME)) as file:
        assert file.execute("SELECT count(*) FROM blocks").fetchone() == (5,)
    return found


def test_what_is_on_disk_is_not_read_again(repository: Repository, truth: list[list[str]]):
    other = fresh(repository)
    reader = Reader(other)
    list(other.fields.search("/a", EVERYTHING, reader, other.head().commit, None))
    assert reader.read <= 2 * SIZE
    assert answers(other) == truth


def test_each_commit_is_read_once_however_little_an_answer_reads(repository: Repository):
    write_some(repository, 3 * SIZE + 3)
    assert search(repository, "/a", most=1) == right(repository)[0]
    reader = Reader(repository)
    list(repository.fields.search("/a", EVERYTHING, reader, repository.head().commit, None))
    assert reader.read == 0
    write_some(repository, 2, seed=1)
    list(repository.fields.search("/a", EVERYTHING, reader, repository.head().commit, None))
    assert 2 <= reader.read <= 4


@pytest.mark.parametrize("seed", range(4))
def test_walks_from_anywhere_by_turns_through_several_processes_go_back_and_miss_nothing(
    repository: Repository, seed: int
):
    write_some(repository, 4 * SIZE + 3, seed)
    newest_first = git(repository.path, "rev-list", "main").split()
    age = {commit: number for number, commit in enumerate(newest_first)}
    chance, opened = random.Random(seed), [fresh(repository), fresh(repository)]
    expected = dict(zip(ASKED, right(repository), strict=True))
    starts = [None, *map(CommitId, chance.sample(newest_first, 6))]
    walks = [(chance.choice(FIELDS), start, [start], list[str]()) for start in starts]
    going = [*walks]
    while going:
        field, start, reached, found = walk = chance.choice(going)
        at = chance.choice(opened)
        more, following = page(at, field, reached[-1], Reader(at, chance.choice([1, 1, 2, 5])))
        found += more
        reached.append(following)
        if following is None:
            going.remove(walk)
            first = -1 if start is None else age[start]
            assert found == [commit for commit in expected[field] if age[commit] > first]
        else:
            assert reached[-2] is None or age[following] > age[reached[-2]]
            assert not more or age[following] >= age[more[-1]]


def test_walks_in_several_blocks_do_not_cost_each_other_what_was_read(repository: Repository):
    write_some(repository, 6 * SIZE)
    commits = git(repository.path, "rev-list", "main").split()
    going: list[CommitId] = [CommitId(commits[at]) for at in (3, SIZE + 3, 3 * SIZE + 3)]
    reader = Reader(repository)
    for _ in range(len(commits) * len(going)):
        if not going:
            break
        before = going.pop(0)
        reader.allow(1)
        _, following = page(repository, "/nothing", before, reader)
        going += [following] if following else []
    assert not going
    files = git(repository.path, "log", "--raw", "--root", "--format=", commits[4]).splitlines()
    assert reader.read == len(files)  # of the commits before the first walk's start, each once


def test_the_whole_index_is_made_at_once_and_not_again(repository: Repository):
    write_some(repository, 3 * SIZE + 2)
    reader = Reader(repository)
    assert repository.fields.fill(reader) == 3 * SIZE
    other = fresh(repository)
    again = Reader(other)
    assert (other.fields.fill(again), again.read) == (0, 0)
    assert answers(other) == right(repository)
    write_some(repository, SIZE, seed=1)
    third = fresh(repository)  # which knows what only the journal has
    assert third.fields.fill(Reader(third)) == SIZE


def ruin(path: Path, how: str) -> None:
    """Do something to the index file."""
    data = path.read_bytes()
    if how == "removed":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "garbage":
        path.write_bytes(b"garbage " * 1000)
    elif how == "cut":
        path.write_bytes(data[: len(data) // 2 + 100])
    elif how == "a folder":
        path.unlink()
        path.mkdir()
    elif how == "another table":
        path.unlink()
        with closing(sqlite3.connect(path)) as file, file:
            file.execute("CREATE TABLE blocks (x)")
    elif how == "texts":
        with closing(sqlite3.connect(path)) as file, file:
            file.execute("UPDATE blocks SET data = 'x'")


@pytest.mark.parametrize("how", ["removed", "empty", "garbage", "cut", "a folder", "another table", "texts"])
def test_a_file_that_is_lost_or_wrong_changes_no_answer(repository: Repository, truth: list[list[str]], how: str):
    ruin(repository.path / NAME, how)
    for _ in range(2):
        assert answers(fresh(repository)) == truth
    write_some(repository, SIZE, seed=2)
    found = answers(fresh(repository))
    assert found == answers(repository) == right(repository)


@pytest.mark.parametrize("seed", range(3))
def test_bits_that_have_changed_on_disk_change_no_answer(repository: Repository, truth: list[list[str]], seed: int):
    path, chance = repository.path / NAME, random.Random(seed)
    whole = path.read_bytes()
    for _ in range(10):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 1, 20])):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        assert answers(fresh(repository)) == truth


def test_the_file_of_another_repository_changes_no_answer(repository: Repository, truth: list[list[str]]):
    other = Store(repository.path.parent.parent).create("alice/other", lambda transaction: put("x", b"/b")(transaction))
    write_some(other, 5 * SIZE, seed=5)
    shutil.copy(repository.path / NAME, other.path / NAME)
    assert answers(fresh(other)) == right(other)
    assert answers(fresh(repository)) == truth


def test_a_history_that_an_operator_rewrote_is_derived_anew(repository: Repository, truth: list[list[str]]):
    middle = git(repository.path, "rev-parse", f"main~{2 * SIZE + 3}").strip()
    git(repository.path, "update-ref", "refs/heads/main", middle)
    shorter = answers(repository)
    assert shorter == right(repository) != truth
    write_some(repository, 3 * SIZE, seed=3)
    for opened in (repository, fresh(repository)):
        assert answers(opened) == right(repository)


def test_a_repository_that_was_moved_keeps_its_index(repository: Repository, truth: list[list[str]]):
    moved = repository.path.with_name("moved.git")
    repository.path.rename(moved)
    other = Store(moved.parent.parent).open("alice/moved")
    reader = Reader(other)
    list(other.fields.search("/a", EVERYTHING, reader, other.head().commit, None))
    assert reader.read <= 2 * SIZE
    assert answers(other) == truth


def test_another_process_that_holds_the_file_changes_no_answer(repository: Repository, truth: list[list[str]]):
    write_some(repository, 2 * SIZE, seed=4)
    now = right(repository)
    with closing(sqlite3.connect(repository.path / NAME, isolation_level=None)) as file:
        file.execute("BEGIN EXCLUSIVE")
        assert [search(fresh(repository), "/a"), search(repository, "/a")] == [now[0]] * 2 != [truth[0]] * 2
        file.execute("ROLLBACK")
    assert answers(fresh(repository)) == now


KILLED = """
import os, signal, sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute("PRAGMA cache_size = 1")
file.execute("BEGIN IMMEDIATE")
for number in range(200):
    file.execute("INSERT OR REPLACE INTO blocks VALUES (?, ?, ?)", (number % 5, b"x", os.urandom(20_000)))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_was_killed_while_it_wrote_changes_no_answer(repository: Repository, truth: list[list[str]]):
    done = subprocess.run([sys.executable, "-c", KILLED, repository.path / NAME], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (repository.path / f"{NAME}-journal").stat().st_size > 0
    for _ in range(2):
        assert answers(fresh(repository)) == truth
    write_some(repository, SIZE, seed=6)
    assert answers(fresh(repository)) == right(repository)


def search_in_a_process(root: str) -> list[list[str]]:
    field_index.COMMITS = SIZE  # type: ignore[misc]
    return answers(Store(Path(root)).open("alice/demo"))


def test_processes_that_derive_it_at_once_give_the_same_answers(repository: Repository):
    write_some(repository, 12 * SIZE + 5)
    repository.checkpoint()
    with ProcessPoolExecutor(4) as pool:
        found = list(pool.map(search_in_a_process, [str(repository.path.parent.parent)] * 4))
    assert found == [right(repository)] * 4


def search_on_a_full_disk(root: str) -> list[list[str]]:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write fails instead
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    return search_in_a_process(root)


def test_a_full_disk_changes_no_answer(repository: Repository):
    write_some(repository, 4 * SIZE)
    repository.checkpoint()
    with ProcessPoolExecutor(1) as pool:
        assert pool.submit(search_on_a_full_disk, str(repository.path.parent.parent)).result() == right(repository)
    assert not (repository.path / NAME).exists() or (repository.path / NAME).stat().st_size <= 100
    assert answers(fresh(repository)) == right(repository)


@pytest.mark.usefixtures("no_checkpoints")
def test_commits_that_only_the_journal_has_are_found(repository: Repository):
    write_some(repository, 2 * SIZE + 3)
    found = answers(repository)
    repository.checkpoint()
    assert found == right(repository)


def test_a_commit_with_very_many_files_is_not_read_whole(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(field_index, "MOST_FILES", 3)

    def change(transaction: Transaction) -> str:
        for number in range(6):
            transaction.write(f"f{number}", b"/a %d" % number)
        return transaction.commit("Change\n", BOB)

    commit = repository.transact(change)
    reader = Reader(repository)
    found = list(repository.fields.search("/b", EVERYTHING, reader, commit, None))
    assert [(logged.commit, [file.path for file in logged.files]) for logged in found] == [(commit, ["f3", "f4", "f5"])]
    assert reader.read == 5  # and two files of the first commit
