"""Rolling up packs, and writing the commit-graph, while others read and write."""

import os
import random
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from storage import maintenance
from storage.errors import RepositoryDamaged
from storage.history import LogFilter
from storage.machine import disk
from storage.maintenance import Maintenance, pack_sizes, roll_up, write_commit_graph
from storage.plumbing import pack_files
from storage.plumbing.branch import Branch
from storage.plumbing.object import GitObject
from storage.repository import Repository
from storage.store import Store
from storage.waits import Waits
from tests.storage.repositories import ALICE, first_commit, git, increment, publish, put


def test_small_packs_become_one(repository: Repository):
    for number in range(20):
        publish(repository, put(f"targets/{number}", b"%d" % number))
    assert len(pack_sizes(repository.path)) == 21
    assert roll_up(repository._branch) == 21
    assert len(pack_sizes(repository.path)) == 1
    assert roll_up(repository._branch) == 0
    assert git(repository.path, "fsck", "--strict") == ""
    assert repository.head().read("targets/7").data == b"7"


def test_a_large_pack_is_left_alone(repository: Repository):
    publish(repository, put("large", random.Random(1).randbytes(500_000)))
    assert roll_up(repository._branch) == 2
    (large,) = pack_sizes(repository.path)
    for number in range(5):
        publish(repository, put("small", b"%d" % number))
    assert roll_up(repository._branch) == 5
    assert large in pack_sizes(repository.path)
    assert len(pack_sizes(repository.path)) == 2


def test_what_git_made_beside_packs_goes_with_them(repository: Repository):
    """As `git maintenance` and `git repack` do where an operator runs them."""
    for number in range(5):
        publish(repository, put(f"targets/{number}", b"%d" % number))
    git(repository.path, "multi-pack-index", "write")
    git(repository.path, "repack", "-adq", "--write-bitmap-index")
    publish(repository, put("large", random.Random(1).randbytes(5000)))
    git(repository.path, "multi-pack-index", "write", "--bitmap")
    assert roll_up(repository._branch) == 2
    assert git(repository.path, "fsck", "--strict") == ""
    assert git(repository.path, "show", "main:targets/3") == "3"
    assert {path.suffix for path in (repository.path / "objects/pack").iterdir()} == {".idx", ".pack"}


def test_a_pack_that_is_to_be_kept_is_left_alone(repository: Repository):
    publish(repository, put("a", b"1"))
    git(repository.path, "repack", "-adq")
    (kept,) = pack_sizes(repository.path)
    (repository.path / "objects/pack" / kept).with_suffix(".keep").touch()
    publish(repository, put("a", b"2"))
    publish(repository, put("a", b"3"))
    assert roll_up(repository._branch) == 2
    assert kept in pack_sizes(repository.path)
    assert git(repository.path, "fsck", "--strict") == ""


def test_the_journal_gives_its_room_back(repository: Repository, store: Store):
    """Whoever followed it before goes on writing."""
    for number in range(100):
        repository.transact(put("a", random.Random(number).randbytes(1000)))
    journal = repository.path / "bakehouse-journal"
    assert journal.stat().st_size > 50_000
    assert store.open("alice/demo").maintain(always=True)
    assert journal.stat().st_size == 4096
    publish(repository, increment)
    assert git(repository.path, "show", "main:counter") == "1\n"


def test_objects_that_nothing_names_yet_stay(repository: Repository):
    """A flush whose ref has not moved yet must find its objects after a roll-up."""
    blob = GitObject.of("blob", b"not named by any ref").id
    with pack_files.write(
        repository.path / "objects/pack", blob.hex(), [GitObject.of("blob", b"not named by any ref")]
    ):
        publish(repository, put("a", b"1"))
        roll_up(repository._branch)
    roll_up(repository._branch)
    assert git(repository.path, "cat-file", "blob", blob.hex()) == "not named by any ref"


def clear_up(repository: Repository) -> None:
    """Do what `git gc --prune=now` does, where a git command would wait for what is not published."""
    for command in (["repack", "-adq"], ["prune", "--expire=now"]):
        subprocess.run(["git", "-C", str(repository.path), *command], check=True)


def test_git_may_clear_up_before_the_branch_moves(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    move = Branch.move

    def clear_up_and_move(branch: Branch, tip: str) -> None:
        clear_up(repository)
        move(branch, tip)

    monkeypatch.setattr(Branch, "move", clear_up_and_move)
    publish(repository, put("a", b"1"))
    assert git(repository.path, "show", "main:a") == "1"
    assert git(repository.path, "fsck", "--strict") == ""
    assert not list((repository.path / "objects/pack").glob("*.keep"))


def test_git_may_clear_up_before_a_tag_has_its_name(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    put_file = disk.put_file

    def clear_up_and_put(*arguments: Any) -> None:
        clear_up(repository)
        put_file(*arguments)

    monkeypatch.setattr(disk, "put_file", clear_up_and_put)
    repository.create_tag("v1", repository.head().commit, ALICE, "A tag\n")
    assert git(repository.path, "cat-file", "-t", "v1") == "tag\n"
    assert git(repository.path, "fsck", "--strict") == ""


def test_git_may_clear_up_beside_writers_and_maintenance(repository: Repository, tmp_path: Path):
    """A publication a write, from two stores: as many moments as can be at which it goes wrong."""
    cleared = threading.Event()

    def write(name: str) -> list[str]:
        written = Store(tmp_path).open("alice/demo")
        paths = []
        while not cleared.is_set():
            paths.append(f"{name}/{len(paths)}")
            publish(written, put(paths[-1], b"1"))
        return paths

    with ThreadPoolExecutor() as pool:
        writers = [pool.submit(write, name) for name in ("one", "other")]
        try:
            for _ in range(30):
                clear_up(repository)
                subprocess.run(["git", "-C", str(repository.path), "multi-pack-index", "write"], check=True)
                repository.maintain(always=True)
        finally:
            cleared.set()
        paths = sorted(path for writer in writers for path in writer.result())
    assert len(paths) > 20
    listed = git(repository.path, "ls-tree", "-r", "--name-only", "main", "one", "other").split()
    assert sorted(listed) == paths
    assert git(repository.path, "fsck", "--strict") == ""


def test_git_may_clear_up_what_maintenance_has_just_found(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
):
    publish(repository, put("a", b"1"))
    find_small, found = maintenance._find_small, []

    def find_and_clear_up(git_folder: Path) -> list[str]:
        found.append(find_small(git_folder))
        if len(found) == 1:
            clear_up(repository)
        return found[-1]

    monkeypatch.setattr(maintenance, "_find_small", find_and_clear_up)
    assert repository.maintain(always=True)
    assert [len(small) for small in found] == [2, 0]
    assert git(repository.path, "show", "main:a") == "1"
    assert git(repository.path, "fsck", "--strict") == ""


def test_git_may_take_what_was_just_begun_for_a_leftover(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
):
    write_file, found = disk.write_file, []

    def write_and_clear_up(path: Path, *arguments: Any, **options: Any) -> None:
        write_file(path, *arguments, **options)
        if path.name.startswith("tmp_") and not found:
            found.append(path)
            clear_up(repository)
            assert not path.exists()

    monkeypatch.setattr(disk, "write_file", write_and_clear_up)
    publish(repository, put("a", b"1"))
    assert found
    assert git(repository.path, "show", "main:a") == "1"


def test_it_starts_by_itself_beside_readers_and_writers(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(maintenance, "ROLL_UP_ABOVE", 10)
    other = Store(tmp_path).open("alice/demo")
    stop = threading.Event()
    failures: list[Exception] = []

    def read() -> None:
        while not stop.is_set():
            try:
                other.head().read("README.md")
            except Exception as error:
                failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(60):
        publish(repository, put("a", b"%d" % number))
    stop.set()
    reader.join()
    assert not failures
    with disk.exclusive(
        repository.path / "objects", Waits(600)
    ):  # fsck takes a pack that goes for one that is lost
        assert len(pack_sizes(repository.path)) < 60
        assert git(repository.path, "fsck", "--strict") == ""
    assert git(repository.path, "rev-list", "--count", "main").strip() == "61"


def graph_layers(repository: Repository) -> list[Path]:
    """Return the files of the commit-graph, oldest first."""
    folder = repository.path / "objects/info/commit-graphs"
    names = (folder / "commit-graph-chain").read_text().split()
    return [folder / f"graph-{name}.graph" for name in names]


def test_the_commit_graph_knows_which_commit_changed_what(repository: Repository, tmp_path: Path):
    for number in range(20):
        publish(repository, put(f"targets/{number}", b"%d" % number))
    write_commit_graph(repository._branch)
    assert git(repository.path, "commit-graph", "verify") == ""
    (layer,) = graph_layers(repository)
    content = layer.read_bytes()
    assert content.startswith(b"CGPH")
    assert b"BIDX" in content[: 12 * (content[6] + 1) + 8]  # the table of chunks: filters of changed paths
    trace = tmp_path / "trace"
    command = ("log", "--format=%H", "main", "--", "targets/7")
    subprocess.run(
        ["git", *command], cwd=repository.path, env={**os.environ, "GIT_TRACE2_PERF": str(trace)}, check=True
    )
    (statistics,) = [line for line in trace.read_text().splitlines() if "statistics:" in line]
    assert '"filter_not_present":0' in statistics
    assert '"definitely_not":0' not in statistics


def test_the_commit_graph_grows_by_a_layer(repository: Repository):
    """What was written is written once, until git merges layers that are of a size."""
    publish(repository, lambda transaction: [increment(transaction) for _ in range(50)])
    write_commit_graph(repository._branch)
    (first,) = graph_layers(repository)
    written = first.stat()
    publish(repository, increment)
    write_commit_graph(repository._branch)
    assert len(graph_layers(repository)) == 2
    assert graph_layers(repository)[0] == first
    assert (first.stat().st_ino, first.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)
    write_commit_graph(repository._branch)
    assert len(graph_layers(repository)) == 2
    assert git(repository.path, "commit-graph", "verify") == ""
    assert git(repository.path, "fsck", "--strict") == ""


@pytest.mark.parametrize("lock", ["objects/info/commit-graphs/commit-graph-chain.lock", "packed-refs.lock"])
def test_a_lock_that_a_kill_left_does_not_end_maintenance(repository: Repository, lock: str):
    repository.maintain(always=True)
    repository.create_tag("v1", publish(repository, put("a", b"1")), ALICE, "A tag\n")
    left = repository.path / lock
    left.touch()
    with pytest.raises(RepositoryDamaged):  # git may be at it
        repository.maintain(always=True)
    os.utime(left, (time.time() - 4000,) * 2)
    repository.maintain(always=True)
    assert not left.exists()
    assert git(repository.path, "commit-graph", "verify") == ""
    assert "refs/tags/v1" in (repository.path / "packed-refs").read_text()


def test_the_commit_graph_changes_no_answer(repository: Repository, tmp_path: Path):
    chance = random.Random(3)
    for _ in range(40):
        publish(repository, put(f"targets/{chance.randint(0, 4)}", chance.randbytes(4)))
    tip, paths = repository.head().commit, [f"targets/{number}" for number in range(6)]
    before = [(repository.versions(path, tip), repository.log(tip, LogFilter(path=path))) for path in paths]
    write_commit_graph(repository._branch)
    fresh = Store(tmp_path).open("alice/demo")
    assert [(fresh.versions(path, tip), fresh.log(tip, LogFilter(path=path))) for path in paths] == before
    last = publish(repository, put("targets/1", b"after the graph"))
    assert fresh.versions("targets/1", last)[0].commit == last


def test_the_commit_graph_is_written_in_the_background(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(maintenance, "ROLL_UP_ABOVE", 10)
    for number in range(11):
        publish(repository, put("a", b"%d" % number))
    while not (repository.path / "objects/info/commit-graphs/commit-graph-chain").exists():
        time.sleep(0.001)
    assert graph_layers(repository)
    assert git(repository.path, "commit-graph", "verify") == ""
    assert len(pack_sizes(repository.path)) < 5  # those that came meanwhile wait for the next time


def test_loose_objects_tags_and_leftovers_are_cleared(repository: Repository):
    commit = publish(repository, put("a", b"1"))
    for number in range(3):
        repository.create_tag(f"v{number}", commit, ALICE, "A tag\n")
    blob = git(repository.path, "hash-object", "-w", "--stdin", stdin="loose").strip()
    pack_folder, graph_folder = (
        repository.path / "objects" / name for name in ("pack", "info/commit-graphs")
    )
    graph_folder.mkdir(parents=True)
    fresh = pack_folder / "tmp_idx_fresh"
    left = [
        pack_folder / "tmp_idx_stale",
        pack_folder / "flush-killed.pack",
        pack_folder / f"flush-{commit}.keep",
        graph_folder / "tmp_graph_stale",
    ]
    for path in (fresh, *left):
        path.touch()
    for path in left:
        os.utime(path, (time.time() - 4000,) * 2)
    assert repository.maintain(always=False) is False
    assert repository.maintain(always=True) is True
    assert fresh.exists()
    assert not any(path.exists() for path in left)
    assert not list((repository.path / "refs/tags").iterdir())
    assert not list((repository.path / "objects").glob("??/*"))
    assert [tag.name for tag in repository.tags()] == ["v0", "v1", "v2"]
    assert (repository.path / "refs/heads/main").exists()  # a writer need not wait for its lock
    assert len(pack_sizes(repository.path)) == 1
    assert git(repository.path, "cat-file", "blob", blob) == "loose"
    assert git(repository.path, "fsck", "--strict", "--no-dangling") == ""


@pytest.mark.parametrize("many", ["packs", "loose objects", "tags"])
def test_many_files_make_it_due(tmp_path: Path, many: str, monkeypatch: pytest.MonkeyPatch):
    repository = Store(tmp_path, Maintenance(None)).create("alice/demo", first_commit)
    monkeypatch.setattr(maintenance, "ROLL_UP_ABOVE", 3)
    for number in range(4):
        assert not maintenance.is_due(repository._branch) or number > 2
        if many == "packs":
            publish(repository, increment)
        elif many == "tags":
            (repository.path / "refs/tags").mkdir(exist_ok=True)
            git(repository.path, "tag", f"v{number}")
        else:
            git(repository.path, "hash-object", "-w", "--stdin", stdin=str(number))
    assert repository.maintain(always=False)
    assert not repository.maintain(always=False)


def test_one_at_a_time_of_all_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(maintenance, "ROLL_UP_ABOVE", 3)
    store = Store(tmp_path)
    repository = store.create("alice/demo", first_commit)
    (tmp_path / ".maintenance").mkdir()
    with disk.exclusive(tmp_path / ".maintenance", Waits()):  # as another process has it
        for _ in range(6):
            publish(repository, increment)
        assert len(pack_sizes(repository.path)) == 7
    while not (repository.path / "objects/info/commit-graphs/commit-graph-chain").exists():
        time.sleep(0.001)
    assert len(pack_sizes(repository.path)) == 1


def test_nothing_is_done_in_the_background_where_that_is_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(maintenance, "ROLL_UP_ABOVE", 3)
    off = Maintenance(None)
    repository = Store(tmp_path, off).create("alice/demo", first_commit)
    for _ in range(6):
        publish(repository, increment)
    assert not off._queued
    assert len(pack_sizes(repository.path)) == 7
    assert repository.maintain(always=False)
    assert len(pack_sizes(repository.path)) == 1
