"""The last change of many files: as git log has it, and no further back than it takes."""

import subprocess
from pathlib import Path

import pytest

from storage.repository import Repository
from storage.store import Store
from tests.seams import count_processes
from tests.storage.repositories import git, put, settle

COMMITS, FILES = 4000, 30
OLD = "targets/old.yml"  # changed once, by the first of the commits
OFTEN = [f"targets/t{number}.yml" for number in range(FILES)]


@pytest.fixture
def long_history(repository: Repository, tmp_path: Path) -> Repository:
    """Return a repository with many commits, which nothing was asked of yet."""
    settle(repository.path)
    stream = "".join(
        f"commit refs/heads/main\ncommitter Hand <hand@example.org> {2**31 + number} +0000\ndata 2\nBy\n"
        f"{'from refs/heads/main^0' + chr(10) if number == 0 else ''}"
        f"M 100644 inline {OLD if number == 0 else OFTEN[number % FILES]}\ndata {len(str(number))}\n{number}\n"
        for number in range(COMMITS)
    )
    command = ["git", "-C", str(repository.path), "fast-import", "--quiet"]
    subprocess.run(command, input=stream.encode(), check=True)
    return Store(tmp_path).open("alice/demo")


def last(repository: Repository, paths: list[str], commit: str) -> dict[str, str]:
    """Return what git says."""
    found = {path: git(repository.path, "log", "-1", "--format=%H", commit, "--", path).strip() for path in paths}
    return {path: commit for path, commit in found.items() if commit}


def test_files_are_found_however_far_back_and_at_each_commit(long_history: Repository):
    paths = [OLD, OFTEN[3], OFTEN[29], "README.md", "no/such"]
    for back in (0, 5, COMMITS - 100, 10, COMMITS, 0):
        commit = git(long_history.path, "rev-parse", f"main~{back}").strip()
        found = long_history.last_changes(paths, commit)
        assert found == last(long_history, paths, commit)
        positions = {path: long_history.position(changed) for path, changed in found.items()}
        assert long_history.last_positions(paths, commit) == positions


def test_what_is_known_takes_no_process_and_a_write_takes_one_at_most(
    long_history: Repository, monkeypatch: pytest.MonkeyPatch
):
    tip = long_history.head().commit
    long_history.last_changes(OFTEN, tip)
    processes = count_processes(monkeypatch)
    long_history.last_changes(OFTEN, tip)
    assert processes == []
    long_history.last_changes([*OFTEN, OLD], tip)  # further back, in a few steps
    assert 0 < len(processes) < 5
    del processes[:]
    long_history.last_changes([*OFTEN, OLD], tip)
    assert processes == []
    new = long_history.transact(put(OFTEN[7], b"new"))
    found = long_history.last_changes([*OFTEN, OLD], new)
    assert found[OFTEN[7]] == new
    assert found == last(long_history, [*OFTEN, OLD], new)
    assert len(processes) <= 1 + 2 + len(found)  # those of `last`, a checkpoint, and one for what is new


def test_a_rewritten_history_is_gone_through_anew(long_history: Repository):
    tip = long_history.head().commit
    before = long_history.last_changes([*OFTEN, OLD], tip)
    settle(long_history.path)
    git(long_history.path, "update-ref", "refs/heads/main", "main~50")
    now = long_history.transact(put(OFTEN[7], b"other"))
    after = long_history.last_changes([*OFTEN, OLD], now)
    assert after == last(long_history, [*OFTEN, OLD], now)
    assert after != before
