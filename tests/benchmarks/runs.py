"""Runs: rows a second, pages, memory, going on after a failure, and creates while a rollout goes on."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path

from app.runs.ledger.runs import Run
from tests.benchmarks import carrying, endpoint, other_generators, rates
from tests.benchmarks.carrying import Took
from tests.benchmarks.load import Client, rate
from tests.benchmarks.rollouts import REPO, Rollouts, questions
from tests.benchmarks.table import beside, in_turns
from tests.server import environment

AT_ONCE = 32  # requests
ROWS, FEW, MANY, WIDTH = 2000, 1000, 100_000, 20
PAGE = 1000  # rows
ROUNDS, OTHER_ROUNDS, MEMORY_ROUNDS = 12, 3, 3
PYTHONS = {name: f"BENCH_{name.upper()}" for name in other_generators.GENERATORS}

_names = (f"questions-{number}" for number in count())


def rows(client: Client, data_dir: Path) -> Iterator[str]:
    """Yield a row for each question."""
    with endpoint.running() as url:
        rollouts = Rollouts(client, data_dir, url)
        yield from _rates(rollouts, data_dir, url)
        yield from _memory(rollouts, data_dir)
        run = rollouts.start(MANY // WIDTH, WIDTH)
        rollouts.fill(run, missing=1)
        yield _first_request(client, rollouts, run, data_dir, url)
        yield _pages(client, run)
        yield _creates(client, rollouts, data_dir, url)


def _rates(rollouts: Rollouts, data_dir: Path, url: str) -> Iterator[str]:
    with carrying.process() as ours, carrying.process() as theirs:
        measures = {
            "ours": lambda: ours(carrying.carry_out, data_dir, rollouts.start(ROWS, at_once=AT_ONCE).id),
            "httpx2": lambda: theirs(carrying.only_send, url, rollouts.bodies(ROWS), AT_ONCE),
        }
        found = in_turns(measures, ROUNDS)
        yield from _both(found["ours"], "httpx2 alone, nothing stored", found["httpx2"], "goal 0.5")
        others: dict[str, Callable[[], Took]] = {}
        for name, variable in PYTHONS.items():
            if variable in os.environ:
                others[name] = partial(_other, name, os.environ[variable], url)
            else:
                yield f"{f'  {name}':44}  not measured: {variable} names no Python that has it\n"
        if others:
            found = in_turns({"ours": measures["ours"], **others}, OTHER_ROUNDS)
            for name in others:
                yield from _both(found["ours"], name, found[name], "goal 2")


def _both(ours: list[Took], yardstick: str, theirs: list[Took], goal: str) -> Iterator[str]:
    """Yield a row of rates and one of the processor's time."""
    (rate, cpu), (other_rate, other_cpu) = _figures(ours), _figures(theirs)
    yield beside(f"rollout, {AT_ONCE} at once", rate, f"  {yardstick}", other_rate, goal)
    yield beside("  processor time of a row", cpu, f"  {yardstick}", other_cpu, "no goal", unit="ms")


def _figures(found: list[Took]) -> tuple[list[float], list[float]]:
    return [ROWS / took.seconds for took in found], [took.cpu / ROWS * 1000 for took in found]


def _other(name: str, python: str, url: str) -> Took:
    """Have another program ask as many questions."""
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder, "questions.json")
        asked.write_text(json.dumps(questions(next(_names), ROWS)))
        command = [python, other_generators.__file__, name, url, endpoint.MODEL, str(AT_ONCE), str(asked), folder]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-600:]}")
    seconds, cpu, *_ = done.stdout.rpartition("took ")[2].split()
    return Took(float(seconds), float(cpu), 0)


def _memory(rollouts: Rollouts, data_dir: Path) -> Iterator[str]:
    """Compare workers that end a run of many rows and a run of few, in new processes."""

    def peak(stimuli: int, width: int, asked: int) -> float:
        run = rollouts.start(stimuli, width, AT_ONCE)
        rollouts.fill(run, missing=asked)
        with carrying.process() as process:
            return process(carrying.carry_out, data_dir, run.id).peak

    few = f"  of {FEW:,} rows"
    of_many = f"a worker's memory, a rollout of {MANY:,} rows"
    measures = {
        of_many: lambda: peak(MANY // WIDTH, WIDTH, FEW),
        f"  the same, {10 * FEW:,} rows, all asked for": lambda: peak(FEW, WIDTH, FEW * WIDTH),
        few: lambda: peak(FEW, 1, FEW),
    }
    found = in_turns(measures, MEMORY_ROUNDS)
    for what in measures:
        if what != few:
            yield beside(what, found[what], few, found[few], "goal at most 1.2", unit="MiB")


def _first_request(client: Client, rollouts: Rollouts, run: Run, data_dir: Path, url: str) -> str:
    """Measure how long it takes from a POST of a run that lacks its last row to the request for that row."""
    small = rollouts.start(FEW, 1)
    rollouts.fill(small, missing=1)
    for filled in (run, small):  # the worker leaves runs alone that failed
        rollouts.drop_last(filled)
    with _worker(data_dir):

        def first(run: Run) -> float:
            rollouts.drop_last(run)
            endpoint.first_request(url)
            began = time.monotonic()
            client.ask("POST", f"/v1/repo/{REPO}/targets/{run.target}/rollout")
            while (found := rollouts.runs.table.get(run.id)) is not None and found.state == "running":
                time.sleep(0.1)
            if found is None or found.state != "complete":
                raise RuntimeError(f"the run is not complete: {found}")
            return endpoint.first_request(url) - began

        found = in_turns({"many": lambda: first(run), "few": lambda: first(small)})
    return beside(
        f"first request of {MANY:,} rows, one missing",
        found["many"],
        f"  of {FEW:,} rows",
        found["few"],
        "goal at most 1 s",
        unit="s",
    )


def _pages(client: Client, run: Run) -> str:
    """Compare the last page and the first."""

    def page(offset: int) -> float:
        path = f"/v1/repo/{REPO}/targets/{run.target}/rollout/output?offset={offset}&limit={PAGE}"
        return min(client.latencies([client.request("GET", path)] * 5))

    last = MANY - PAGE
    found = in_turns({"last": lambda: page(last), "first": lambda: page(0)}, ROUNDS)
    what = f"page of {PAGE:,} rows at offset {last:,}"
    return beside(what, found["last"], "  at offset 0", found["first"], "goal at most 1.5", unit="ms")


def _creates(client: Client, rollouts: Rollouts, data_dir: Path, url: str) -> str:
    """Compare creates of targets while a worker carries out a rollout, and while none does."""
    rollouts.start(MANY // WIDTH, WIDTH, AT_ONCE)
    amounts = [400] * rates.CLIENTS

    def creates() -> float:
        repos = [rates.new_repo(client) for _ in range(rates.REPOS)]
        return rate(client, rates.creates(client, amounts, repos))

    def while_one_goes_on() -> float:
        endpoint.first_request(url)
        with _worker(data_dir):
            while not endpoint.first_request(url):
                time.sleep(0.1)
            return creates()

    found = in_turns({"beside": while_one_goes_on, "alone": creates}, ROUNDS)
    what = f"create, {rates.CLIENTS} clients, while a rollout goes on"
    return beside(what, found["beside"], "  while none does", found["alone"], "goal 0.8")


@contextmanager
def _worker(data_dir: Path) -> Iterator[None]:
    """Have a worker carry out runs."""
    command = [sys.executable, "-m", "app.cli", "worker"]
    with (
        (data_dir / "worker.log").open("ab") as log,
        subprocess.Popen(command, env=environment(data_dir), stdout=log, stderr=log) as process,
    ):
        try:
            yield
        finally:
            process.terminate()
