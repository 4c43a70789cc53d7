"""Requests where there are many targets, commits or repos, beside where there are 10."""

import os
import shutil
import statistics
from collections.abc import Callable, Iterator
from itertools import count, cycle
from pathlib import Path

from storage.journal import journal_file
from storage.store import Store
from tests.benchmarks import histories
from tests.benchmarks.load import Client
from tests.benchmarks.rates import SWEEP, batch, creates, new_repo
from tests.benchmarks.table import compare
from tests.payloads import target

REQUESTS = 40
COMMITS = 1000
REPOS = 10_000

_numbers = count()

Measure = Callable[[], float]


def rows(client: Client, data_dir: Path) -> Iterator[str]:
    """Yield a row for each question, in milliseconds a request of one client, beside the smallest."""
    yield from _targets(client)
    yield from _commits(client, data_dir)
    yield from _repos(client, data_dir)
    yield _disk(client, data_dir)


def _targets(client: Client) -> Iterator[str]:
    few, *many = sizes = (10, 1000, 10_000)
    repos = {size: new_repo(client) for size in sizes}
    for size, repo in repos.items():
        client.send([batch(client, repo, SWEEP, min(size, 500)) for _ in range(max(1, size // 500))])
        client.send([client.request("POST", f"/v1/repo/{repo}/targets", target("read-me", **SWEEP))])
    small = f"/v1/repo/{repos[few]}/targets"
    for size in many:
        large = f"/v1/repo/{repos[size]}/targets"
        ours, theirs = _creates(client, [repos[size]]), _creates(client, [repos[few]])
        yield _grown(f"create among {size:,} targets", "among 10", ours, theirs, 3)
        ours, theirs = _gets(client, f"{large}/read-me"), _gets(client, f"{small}/read-me")
        yield _grown(f"read among {size:,} targets", "among 10", ours, theirs, 2)
        ours = _gets(client, large)
        theirs = _gets(client, f"/yardstick/{repos[few]}/many-bytes/{size}")
        yield _grown(f"list of {size:,} targets", "of 10, and as many bytes", ours, theirs, 2)


def _commits(client: Client, data_dir: Path) -> Iterator[str]:
    few, *many = sizes = (10, 10_000, 100_000)
    repos = {size: new_repo(client) for size in sizes}
    for size, repo in repos.items():
        histories.write(data_dir / "repos" / "admin" / f"{repo}.git", size, targets=10)
    for size in many:
        ours, theirs = _creates(client, [repos[size]]), _creates(client, [repos[few]])
        yield _grown(f"create after {size:,} commits", "after 10", ours, theirs, 2)


def _repos(client: Client, data_dir: Path) -> Iterator[str]:
    """Compare a user with 10 repos and one with 10,000, most of which are copies with linked files."""
    few, many = client.acting_for("few"), client.acting_for("many")
    names = [f"r{number}" for number in range(REPOS)]
    for user in (few, many):
        user.send([user.request("POST", "/v1/repo", {"repo_name": name}) for name in names[:10]])
    folder = data_dir / "repos" / "many"
    for name in names[10:]:
        shutil.copytree(folder / "r0.git", folder / f"{name}.git", copy_function=_copy)
    ours, theirs = _creates(many, ["r0"]), _creates(few, ["r0"])
    yield _grown(f"create beside {REPOS:,} repos", "beside 10", ours, theirs, 2)
    ours, theirs = _creates(many, names[10:]), _creates(few, names[:10])
    yield _grown(f"create in each of {REPOS:,} repos in turn", "in each of 10", ours, theirs, 2)
    ours, theirs = _gets(many, "/v1/repo"), _gets(few, f"/yardstick/repos/{REPOS}")
    yield _grown(f"list of {REPOS:,} repos", "of 10, and as many bytes", ours, theirs, 2)
    page = "/v1/repo?include_metadata=true&limit=10"
    ours, theirs = _gets(many, f"{page}&offset=5000"), _gets(few, page)
    yield _grown(f"page of 10 of {REPOS:,} repos", "of 10", ours, theirs, 2)


def _copy(source: str, target: str) -> None:
    """Link a file, but copy a journal: only a journal is ever written to."""
    (shutil.copy if source.endswith(journal_file.NAME) else os.link)(source, target)


def _disk(client: Client, data_dir: Path) -> str:
    repo = new_repo(client)
    client.send([batch(client, repo, SWEEP, 100)])
    folder = data_dir / "repos" / "admin" / f"{repo}.git"
    empty = _size(folder)
    client.send(creates(client, [COMMITS], [repo])[0])
    repository = Store(data_dir / "repos").open(f"admin/{repo}")
    repository.checkpoint()
    before = (_size(folder) - empty) // COMMITS
    repository.maintain(always=True)
    after = (_size(folder) - empty) // COMMITS
    what = f"disk, {COMMITS:,} creates among 100 targets"
    return f"{what:44}{after:9} bytes a commit\n{'  before maintenance':44}{before:9} bytes a commit\n"


def _creates(client: Client, repos: list[str]) -> Measure:
    """Return a function that measures creates in these repos in turn."""
    turns = cycle(repos)

    def request() -> bytes:
        body = target(f"new-{next(_numbers)}", **SWEEP)
        return client.request("POST", f"/v1/repo/{next(turns)}/targets", body)

    return lambda: statistics.median(client.latencies(request() for _ in range(REQUESTS)))


def _gets(client: Client, path: str) -> Measure:
    return lambda: statistics.median(client.latencies([client.request("GET", path)] * REQUESTS))


def _grown(what: str, least: str, ours: Measure, theirs: Measure, most: int) -> str:
    return compare(what, ours, f"  {least}", theirs, f"goal at most {most}", unit="ms")


def _size(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*"))
