"""`make bench`: one table, each row beside its yardstick, measured in turns in the same run."""

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from tests.benchmarks import audit, clones, growth, lists, pages, rates, rivals, runs, turns
from tests.benchmarks.load import Client
from tests.benchmarks.table import ROUNDS
from tests.server import MASTER_KEY, running

FOLDER = Path("build", "bench")
PARTS: dict[str, Callable[[Client, Path], Iterator[str]]] = {
    "rates": lambda client, _: rates.rows(client),
    "rivals": rivals.rows,
    "growth": growth.rows,
    "clones": clones.rows,
    "turns": lambda client, _: turns.rows(client),
    "audit": audit.rows,
    "lists": lambda client, _: lists.rows(client),
    "pages": pages.rows,
    "runs": runs.rows,
}


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
def main(parts: tuple[str, ...]) -> None:
    """Print the table, or some parts of it."""
    server_command = [sys.executable, "-m", "tests.benchmarks.yardsticks"]
    FOLDER.mkdir(parents=True, exist_ok=True)
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    click.echo(f"{machine}, two gunicorn workers of 8 threads; clients and server share the machine.")
    click.echo(f"/s: requests a second; ms: a request. Median of {ROUNDS} rounds in turns, and their range.\n")
    for part in parts or PARTS:
        # The folder stays until `make clean`: ext4 does not reuse an inode for some minutes after
        # it was freed, and passes over each of them whenever a file is made.
        folder = Path(tempfile.mkdtemp(dir=FOLDER)).absolute()
        with running(folder, server_command, run_workers="0") as server:
            for row in PARTS[part](Client(server.port, MASTER_KEY), folder):
                click.echo(row)


if __name__ == "__main__":
    main()
