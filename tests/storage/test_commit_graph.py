"""The commit-graph: what is in it, how it grows, and that no answer depends on it."""

import os
import random
import subprocess
from pathlib import Path

import pytest

from storage import maintenance
from storage.log_filter import LogFilter
from storage.maintenance import write_commit_graph
from storage.repository import Repository
from storage.roll_up import pack_sizes
from storage.store import Store
from tests.seams import wait_until
from tests.storage.repositories import branch, checkpointed, git, increment, put


def graph_layers(repository: Repository) -> list[Path]:
    """Return the files of the commit-graph, oldest first."""
    folder = repository.path / "objects/info/commit-graphs"
    names = (folder / "commit-graph-chain").read_text().split()
    return [folder / f"graph-{name}.graph" for name in names]


def test_commit_graph_says_which_commits_changed_a_path(repository: Repository, tmp_path: Path):
    for number in range(20):
        checkpointed(repository, put(f"targets/{number}", b"%d" % number))
    write_commit_graph(branch(repository))
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


def test_commit_graph_grows_by_a_layer(repository: Repository):
    """A layer is not written again until git merges layers of equal size."""
    checkpointed(repository, lambda transaction: [increment(transaction) for _ in range(50)])
    write_commit_graph(branch(repository))
    (first,) = graph_layers(repository)
    written = first.stat()
    checkpointed(repository, increment)
    write_commit_graph(branch(repository))
    assert len(graph_layers(repository)) == 2
    assert graph_layers(repository)[0] == first
    assert (first.stat().st_ino, first.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)
    write_commit_graph(branch(repository))
    assert len(graph_layers(repository)) == 2
    assert git(repository.path, "commit-graph", "verify") == ""
    assert git(repository.path, "fsck", "--strict") == ""


def test_commit_graph_changes_no_answer(repository: Repository, tmp_path: Path):
    chance = random.Random(3)
    for _ in range(40):
        checkpointed(repository, put(f"targets/{chance.randint(0, 4)}", chance.randbytes(4)))
    tip, paths = repository.head().commit, [f"targets/{number}" for number in range(6)]
    before = [(repository.versions(path, tip), repository.log(tip, LogFilter(path=path))) for path in paths]
    write_commit_graph(branch(repository))
    fresh = Store(tmp_path).open("alice/demo")
    assert [(fresh.versions(path, tip), fresh.log(tip, LogFilter(path=path))) for path in paths] == before
    last = checkpointed(repository, put("targets/1", b"after the graph"))
    assert fresh.versions("targets/1", last)[0].commit == last


def test_commit_graph_is_written_in_the_background(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(maintenance, "ROLL_UP_ABOVE", 10)
    for number in range(11):
        checkpointed(repository, put("a", b"%d" % number))
    wait_until((repository.path / "objects/info/commit-graphs/commit-graph-chain").exists)
    assert graph_layers(repository)
    assert git(repository.path, "commit-graph", "verify") == ""
    assert len(pack_sizes(repository.path)) < 5  # packs added meanwhile stay until the next roll-up
