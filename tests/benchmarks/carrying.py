"""What the process of a worker does in the benchmarks of runs, and what stands beside it."""

import asyncio
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import httpx2

from app.runs.services import Runs
from app.runs.work.performing import perform
from app.settings import Settings
from storage.store import Store


class Took(NamedTuple):
    """What some rows took: `seconds`, seconds of a core, and the most memory of the process in MiB."""

    seconds: float
    cpu: float
    peak: float


def services(data_dir: Path) -> Runs:
    """Return the services of runs on a data directory."""
    settings = Settings(data_dir)
    return Runs(settings, Store(data_dir / "repos"))


@contextmanager
def process() -> Iterator[Callable[..., Took]]:
    """Yield a function that calls another one in a new process, which stays until the end."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        yield lambda function, *arguments: pool.submit(function, *arguments).result()


def carry_out(data_dir: Path, run_id: int) -> Took:
    """Carry out a run, from the lease to the manifest."""
    runs = services(data_dir)
    took = _measured(lambda: perform(runs, run_id, f"bench:{os.getpid()}"))
    run = runs.table.get(run_id)
    if run is None or run.state != "complete":
        raise RuntimeError(f"the run is not complete: {run}")
    runs.database.close()
    return took


def only_send(url: str, bodies: Sequence[Any], at_once: int) -> Took:
    """Send requests, some at once, and parse the answers. Nothing is counted, repeated or stored."""
    return _measured(lambda: asyncio.run(_send_all(f"{url}/chat/completions", iter(bodies), at_once)))


async def _send_all(url: str, bodies: Iterator[Any], at_once: int) -> None:
    async with httpx2.AsyncClient(timeout=60) as client:

        async def send() -> None:
            for body in bodies:
                answer = await client.post(url, json=body)
                answer.json()["choices"]

        await asyncio.gather(*(send() for _ in range(at_once)))


def _measured(work: Callable[[], object]) -> Took:
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return Took(time.perf_counter() - began, time.process_time() - cpu, _peak())


def _peak() -> float:
    """Return the most memory that this process ever had, in MiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024
