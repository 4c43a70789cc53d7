"""`make bench`: each row is a rate beside its yardstick's, measured in turns in the same run."""

import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import click

from tests.benchmarks import audit
from tests.benchmarks.load import Client, Requests, rate, spread
from tests.payloads import target
from tests.server import MASTER_KEY, running

FOLDER = Path("build", "bench")
ROUNDS = 5
CLIENTS = 8
REPOS = 16
SWEEP = {"temperature": 0.5, "max_tokens": 100}

_names = (f"target-{number}" for number in count())

Measure = Callable[[], float]


def main() -> None:
    """Print the table."""
    server_command = [
        *(sys.executable, "-m", "gunicorn", "--workers=2", "--threads=8", "--worker-class=gthread"),
        *("--bind=127.0.0.1:0", "--no-control-socket", "tests.benchmarks.yardsticks:app"),
    ]
    FOLDER.mkdir(parents=True, exist_ok=True)
    # It stays until `make clean`: ext4 does not give out an inode again for some minutes after it
    # was freed, and passes over each of them whenever a file is made.
    folder = Path(tempfile.mkdtemp(dir=FOLDER)).absolute()
    with running(folder, server_command) as server:
        client = Client(server.port, MASTER_KEY)
        machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
        click.echo(f"{machine}, two gunicorn workers of 8 threads.")
        click.echo(f"Requests a second: median of {ROUNDS} rounds taken in turns, and their range.\n")
        for row in _rows(client):
            click.echo(row)
        click.echo(f"Milliseconds a request, in a repo of {audit.LONG:,} commits, warm: medians, as above.\n")
        for row in audit.rows(client, folder):
            click.echo(row)


def _rows(client: Client) -> Iterator[str]:
    many = [150] * CLIENTS
    repos = count()
    yield _compare(
        f"create, {CLIENTS} clients, {REPOS} repos",
        lambda: rate(client, _creates(client, many, [_new_repo(client, next(repos)) for _ in range(REPOS)])),
        "same validation, nothing stored",
        lambda: rate(client, _bodies(client, many, "/yardstick/nothing-stored")),
        0.5,
    )
    # As many targets in the one repo as GitPython has in its own.
    alone = _new_repo(client, next(repos))
    yield _compare(
        "create, 1 client",
        lambda: rate(client, _creates(client, [50], [alone])),
        "GitPython's index, same HTTP",
        lambda: rate(client, _bodies(client, [50], "/yardstick/gitpython")),
        8.0,
    )
    client.send([client.request("POST", f"/v1/repo/{alone}/targets", target("read-me"))])
    yield _compare(
        f"read, {CLIENTS} clients",
        lambda: rate(client, [[client.request("GET", f"/v1/repo/{alone}/targets/read-me")] * 300] * CLIENTS),
        "authenticated, nothing read",
        lambda: rate(client, [[client.request("GET", "/yardstick/nothing-read")] * 300] * CLIENTS),
        0.7,
    )

    batches, alone = _new_repo(client, next(repos)), _new_repo(client, next(repos))
    for what, overrides in (("a sweep", SWEEP), ("the seed's body", {})):
        yield _compare(
            f"500 in a batch, {what}",
            lambda overrides=overrides: rate(client, [[_batch(client, batches, overrides)]]) * 500,
            "one by one, 1 client",
            lambda overrides=overrides: rate(client, _creates(client, [50], [alone], **overrides)),
            500 / 20,
        )
    small, large = _new_repo(client, next(repos)), _new_repo(client, next(repos))
    client.send([_batch(client, small, SWEEP, 10)] + [_batch(client, large, SWEEP, 500) for _ in range(20)])
    yield _compare(
        "list of 10,000 targets",
        lambda: rate(client, [[client.request("GET", f"/v1/repo/{large}/targets")] * 300]),
        "list of 10, and as many bytes",
        lambda: rate(client, [[client.request("GET", f"/yardstick/{small}/many-bytes")] * 300]),
        0.5,
    )


def _batch(client: Client, repo: str, overrides: dict[str, Any], size: int = 500) -> bytes:
    """Return a request for many targets, each with another temperature."""
    items = [target(next(_names), **overrides) for _ in range(size)]
    for number, item in enumerate(items):
        item["overrides"] = {**item["overrides"], "temperature": number % 200 / 100}
    return client.request("POST", f"/v1/repo/{repo}/targets/batch", {"targets": items})


def _new_repo(client: Client, number: int) -> str:
    name = f"r{number}"
    client.send([client.request("POST", "/v1/repo", {"repo_name": name})])
    return name


def _compare(what: str, measure: Measure, yardstick: str, measure_yardstick: Measure, goal: float) -> str:
    measure(), measure_yardstick()
    rounds = [(measure(), measure_yardstick()) for _ in range(ROUNDS)]
    ratios = [ours / theirs for ours, theirs in rounds]
    ours, theirs = zip(*rounds, strict=True)
    return (
        f"{what:32} {spread(ours)}\n{yardstick:32} {spread(theirs)}\n"
        f"{'':32} ratio {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}), goal {goal}\n"
    )


def _creates(client: Client, amounts: list[int], repos: list[str], **overrides: Any) -> list[Requests]:
    """Return so many creates for each client, each client going round all repos."""
    return [
        [
            client.request(
                "POST",
                f"/v1/repo/{repos[(start + step) % len(repos)]}/targets",
                target(next(_names), **overrides),
            )
            for step in range(amount)
        ]
        for start, amount in enumerate(amounts)
    ]


def _bodies(client: Client, amounts: list[int], path: str) -> list[Requests]:
    return [[client.request("POST", path, target(next(_names))) for _ in range(amount)] for amount in amounts]


if __name__ == "__main__":
    main()
