"""Clones of a large repo, beside clones through `git http-backend`; and the memory of a worker."""

import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from storage.store import Store
from tests.benchmarks import histories
from tests.benchmarks.load import Client
from tests.benchmarks.rates import creates, new_repo
from tests.benchmarks.table import compare

TARGETS = 10_000
COMMITS = 10_000
AT_ONCE = 8

# Makes a clone of a URL in a folder.
Clone = Callable[[str], None]


def rows(client: Client, data_dir: Path) -> Iterator[str]:
    """Yield a row for a clone alone, and one for clones at once beside writes, in milliseconds each."""
    repo = new_repo(client)
    folder = data_dir / "repos" / "admin" / f"{repo}.git"
    histories.write(folder, COMMITS, targets=TARGETS)
    Store(data_dir / "repos").open(f"admin/{repo}").maintain(always=True)
    ours = f"http://admin:{client.token}@127.0.0.1:{client.port}/git/admin/{repo}.git"
    theirs = f"http://127.0.0.1:{client.port}/yardstick/backend/repos/admin/{repo}.git"
    what = f"clone of {TARGETS:,} targets, {COMMITS:,} commits"
    yield compare(
        what,
        lambda: _clones(ours, 1),
        "  through git http-backend",
        lambda: _clones(theirs, 1),
        "goal at most 1.2",
        unit="ms",
        rounds=3,
    )
    before = _memory(data_dir)
    yield compare(
        f"{AT_ONCE} at once while writes go on",
        lambda: _while_writing(client, repo, lambda: _clones(ours, AT_ONCE)),
        "  through git http-backend",
        lambda: _while_writing(client, repo, lambda: _clones(theirs, AT_ONCE)),
        "goal at most 1.2",
        unit="ms",
        rounds=1,
    )
    after = _memory(data_dir)
    yield f"{'memory of a worker after these, MiB':44}{after:9}\n{'  before':44}{before:9}\n"


def _clones(url: str, amount: int) -> float:
    """Return how many milliseconds so many clones at once took, for each."""
    with tempfile.TemporaryDirectory(prefix="bakehouse-clones-") as folder:
        start = time.perf_counter()
        cloning = [
            subprocess.Popen(["git", "clone", "--quiet", "--bare", url, f"{folder}/{number}"])
            for number in range(amount)
        ]
        failed = [process.wait() for process in cloning]
        if any(failed):
            raise RuntimeError("a clone failed")
        return (time.perf_counter() - start) * 1000 / amount


def _while_writing(client: Client, repo: str, measure: Callable[[], float]) -> float:
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            client.send(creates(client, [5], [repo])[0])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        return measure()
    finally:
        done.set()
        writer.join()


def _memory(data_dir: Path) -> int:
    """Return the most memory, in MiB, that a worker of the server on a directory holds."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"BAKEHOUSE_DATA_DIR={data_dir}\0".encode() in (process / "environ").read_bytes():
                status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
                if "yardsticks" in (process / "cmdline").read_text():
                    found.append(int(status["VmRSS"].split()[0]) // 1024)
        except OSError:  # it has just ended
            continue
    return max(found)
