"""The audit endpoints in a repo with a long history, beside one with a short history."""

import statistics
import subprocess
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from storage import block_file
from tests.benchmarks import histories
from tests.benchmarks.load import Client
from tests.benchmarks.table import compare

LONG, SHORT = 100_000, 1_000
REQUESTS = 40
MOST_MILLISECONDS = 50

_numbers = count()


def rows(client: Client, data_dir: Path) -> Iterator[str]:
    """Yield a row for each question, in milliseconds."""
    repos = {}
    for commits in (LONG, SHORT):
        repos[commits] = f"of-{commits}"
        client.send([client.request("POST", "/v1/repo", {"repo_name": repos[commits]})])
        histories.write(data_dir / "repos" / "admin" / f"{repos[commits]}.git", commits)
    name = histories.CHAIN[0]
    questions = {
        "history of a target, 20 commits": f"targets/{name}/history?limit=20",
        "explain, a chain of five templates": f"targets/{name}/explain",
        "target at a tag": f"targets/{name}?ref=middle",
        "log, 20 commits": "log?limit=20",
        "diff of a target, tag and now": f"targets/{name}/diff?from=middle",
        "log of a field, 20 commits": "log?field=max_tokens&limit=20",
        "log of a field and a path": f"log?field=max_tokens&path=targets/{name}.yml",
        "log of a field that nobody changed": "log?field=no_such_field",
    }
    for repo in repos.values():
        path = f"targets/{name}/history?limit=100"
        middle = client.ask("GET", f"/v1/repo/{repo}/{path}")["commits"][-1]["commit"]
        client.ask("POST", f"/v1/repo/{repo}/tags", {"name": "middle", "ref": middle})
    folders = {commits: data_dir / "repos" / "admin" / f"{repo}.git" for commits, repo in repos.items()}
    for commits, repo in repos.items():
        yield _index(client, repo, folders[commits], commits)
    yield _diff(client, repos[LONG], folders[LONG])
    for moving in (False, True):
        for what, path in questions.items():
            long, short = (f"/v1/repo/{repos[commits]}/{path}" for commits in (LONG, SHORT))
            yield _row(client, what, long, short, moving=moving)


def _index(client: Client, repo: str, folder: Path, commits: int) -> str:
    """Make the field index of a repo, as somebody does who asks for a field and walks all pages."""
    began, slowest, pages, before = time.monotonic(), 0.0, 0, ""
    while before is not None:
        asked = time.monotonic()
        before = client.ask("GET", f"/v1/repo/{repo}/log?field=no_such_field&before={before}")["next"]
        slowest, pages = max(slowest, time.monotonic() - asked), pages + 1
    file = folder / block_file.NAME
    size = file.stat().st_size // commits if file.exists() else 0
    return (
        f"{f'field index of {commits:,} commits':44}{time.monotonic() - began:9.1f} s\n"
        f"{'  pages, slowest, on disk':44}{pages:9} pages, {slowest:.1f} s, {size} bytes a commit\n"
    )


def _diff(client: Client, repo: str, folder: Path) -> str:
    """Compare all files at a tag and now, after a write each time, beside what git says of the same."""
    request = client.request("GET", f"/v1/repo/{repo}/diff?from=middle")

    def ours() -> float:
        writes = (client.request("PUT", f"/v1/repo/{repo}/targets/moving", _other_body()) for _ in range(REQUESTS))
        return statistics.median(client.latencies([request] * REQUESTS, writes.__next__))

    def theirs() -> float:
        began = time.monotonic()
        for _ in range(REQUESTS):
            subprocess.run(["git", "diff", "--stat", "middle", "main"], cwd=folder, capture_output=True, check=True)
        return (time.monotonic() - began) * 1000 / REQUESTS

    what = "diff of the repo, tag and now, 100 files"
    return compare(what, ours, "  git diff --stat", theirs, "the page has fields and commits", unit="ms")


def _row(client: Client, what: str, long: str, short: str, *, moving: bool) -> str:
    """Measure two requests in turns; where the tip is `moving`, a target is written before each."""

    def measure(path: str) -> float:
        put = f"{path[: path.index('/', len('/v1/repo/'))]}/targets/moving"
        writes = (client.request("PUT", put, _other_body()) for _ in range(REQUESTS))
        requests = [client.request("GET", path)] * REQUESTS
        return statistics.median(client.latencies(requests, writes.__next__ if moving else None))

    return compare(
        f"{what}, tip moving" if moving else what,
        lambda: measure(long),
        f"  the same, {SHORT:,} commits",
        lambda: measure(short),
        f"goal under {MOST_MILLISECONDS} ms",
        unit="ms",
    )


def _other_body() -> dict[str, Any]:
    """Return the body of a PUT that changes something each time."""
    return {"template": "default", "overrides": {"max_tokens": 1 + next(_numbers) % 1000}}
