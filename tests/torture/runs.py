"""`kill -9` of servers and workers that carry out runs, at random moments: each row is there once.

A proxy plays the model and counts what it is asked. So the rows are compared with the requests, and the requests with
what the status of the run tells.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from tests import databases
from tests.faulty_proxy import FaultyProxy, Seen
from tests.replies import OVERFLOW, Reply
from tests.server import MASTER_KEY, Server, environment, running

STIMULI, TRAJECTORIES = 15, 10
REFUSED = 4  # the stimulus that the endpoint refuses: less than a tenth of all samples, which may fail
KINDS = ("a worker", "the server", "everything", "all workers", "a stopped worker", "a worker that is told to end")
_WORKERS = 2
LEASE = 2  # seconds
_CONCURRENCY = 12
_ANSWERS_AFTER = 0.05  # seconds
_PATIENCE = 300  # seconds; workers give way to whatever else the machine does

Status = dict[str, Any]


class House:
    """A server and its workers, each of which can be killed and started again."""

    def __init__(self, data_dir: Path, models: str, logs: Path | None = None, **settings: str) -> None:
        """Use a model's server at the URL `models`; `settings` are BAKEHOUSE_* in lower case.

        What workers log is in the folder `logs`, beside the data directory if there is none.
        """
        data_dir.mkdir(exist_ok=True)
        endpoint = {"name": "fast", "base_url": models, "models": ["*"], "max_concurrency": 64}
        (data_dir / "endpoints.yml").write_text(yaml.safe_dump([endpoint]))
        self.data_dir = data_dir
        self.logs: list[Path] = []
        self._log_folder = logs or data_dir.parent
        self._settings = {"run_workers": "0", "run_lease": str(LEASE), **settings}
        self._serving: AbstractContextManager[Server] | None = None
        self.server: Server | None = None
        self.workers: list[subprocess.Popen[bytes]] = []

    def heal(self, workers: int = _WORKERS) -> None:
        """Start what is not there."""
        if self.server is None:
            self._serving = running(self.data_dir, **self._settings)
            self.server = self._serving.__enter__()
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        while len(self.workers) < workers:
            self.workers.append(self._start_worker())

    def _start_worker(self) -> "subprocess.Popen[bytes]":
        self.logs.append(self._log_folder / f"worker-{len(self.logs)}.log")
        with self.logs[-1].open("wb") as log:
            command = [sys.executable, "-m", "app.cli", "worker"]
            return subprocess.Popen(command, env=environment(self.data_dir, **self._settings), stdout=log, stderr=log)

    def kill_server(self) -> None:
        """Kill the server's processes at once."""
        assert self.server is not None
        os.killpg(self.server.process.pid, signal.SIGKILL)
        self._end_server()

    def kill_workers(self, number: int) -> None:
        """Kill so many workers at once."""
        for worker in self.workers[:number]:
            worker.kill()
        for worker in self.workers[:number]:
            worker.wait()

    def pause_workers(self, number: int, seconds: float) -> None:
        """Stop so many workers for a while, as a machine without memory would."""
        for worker in self.workers[:number]:
            worker.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        for worker in self.workers[:number]:
            worker.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End everything, and expect that nothing went wrong that nobody thought of."""
        for worker in self.workers:
            worker.send_signal(signal.SIGCONT)
            worker.terminate()
        for worker in self.workers:
            worker.wait(timeout=60)
        told = "".join(log.read_text() for log in self.logs)
        if self.server is not None:
            told += self.server.log.read_text()
            self._end_server()
        assert "Traceback" not in told, told

    def _end_server(self) -> None:
        assert self._serving is not None
        self._serving.__exit__(None, None, None)
        self.server = self._serving = None

    def ask(self, method: str, path: str, body: Any = None) -> bytes:
        """Return the answer to a request; OSError while the server is gone."""
        if self.server is None:
            raise ConnectionRefusedError
        request = urllib.request.Request(
            self.server.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {MASTER_KEY}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: bytes = answer.read()
        return found

    def insist(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON that a request is answered with, once the server is there."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return json.loads(self.ask(method, path, body))
            except urllib.error.HTTPError as error:
                with error:
                    if error.code != 503:
                        raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error
            except (OSError, ValueError):  # the server was killed, maybe while it answered
                pass
            assert time.monotonic() < deadline, f"{method} {path} is not answered"
            time.sleep(0.05)


@contextmanager
def open_house(data_dir: Path, models: str, logs: Path | None = None, **settings: str) -> Iterator[House]:
    """Start a house with a repo and a prompt, and end it; AssertionError where its logs have a traceback."""
    house = House(data_dir, models, logs, **settings)
    try:
        house.heal()
        house.insist("POST", "/v1/repo", {"repo_name": "runs"})
        house.insist("PUT", "/v1/repo/runs/prompts/kind", {"messages": [{"role": "system", "content": "Be kind."}]})
        yield house
    finally:
        house.close()


def make_target(house: House, name: str) -> str:
    """Make a target that can be carried out, with questions of its own, and return its address."""
    questions = [f"Question {number} of {name}?" for number in range(STIMULI)]
    config = {
        "teacher_prompt": "kind",
        "student_prompt": "",
        "generators": [{"type": "hardcoded", "questions": questions}],
        "model_name": "m",
        "num_traj_per_stimulus": TRAJECTORIES,
        "max_concurrency": _CONCURRENCY,
    }
    address = f"/v1/repo/runs/targets/{name}"
    house.insist("PUT", address, {"template": "default", "overrides": config})
    return address


def carry_out(house: House, address: str) -> Status:
    """Start stim and rollout of a target as often as it takes, and return the rollout's status at its end."""
    for kind in ("stim", "rollout"):
        status = house.insist("POST", f"{address}/{kind}")
        deadline = time.monotonic() + _PATIENCE
        while status["status"] == "running":
            assert time.monotonic() < deadline, f"{address}: the {kind} does not end: {status}"
            time.sleep(0.05)
            status = house.insist("GET", f"{address}/{kind}")
        assert status["status"] == "complete", status
    found: Status = status
    return found


def refuse_one(seen: Seen) -> Reply | None:
    """Refuse the samples of one question, whoever asks and however often."""
    is_refused = seen.body["messages"][-1]["content"].startswith(f"Question {REFUSED} ")
    return replace(OVERFLOW, delay=_ANSWERS_AFTER) if is_refused else None


def check(house: House, address: str, status: Status, seen: list[Seen], refused: int | None = None) -> tuple[int, int]:
    """Return how many requests were repeated, and how many the status tells of; `refused` is a stimulus, if any."""
    rows = [json.loads(line) for line in house.ask("GET", f"{address}/rollout/rows").splitlines()]
    places = [(row["stimulus_id"], row["trajectory_id"]) for row in rows]
    assert places == [(stimulus, one) for stimulus in range(STIMULI) for one in range(TRAJECTORIES)], places
    lost, answered = [row for row in rows if row["response"] is None], [row for row in rows if row["response"]]
    assert [row["stimulus_id"] for row in lost] == ([] if refused is None else [refused] * TRAJECTORIES)
    assert all(row["response"]["content"] == f"An answer to: {row['question']}" for row in answered)
    told_rows = (status["lines"], status["failed_rows"], status["tokens_in"])
    assert told_rows == (len(rows), len(lost), 7 * len(answered)), status
    assert len({each.headers["idempotency-key"] for each in seen}) == len(rows)
    repeated, told = len(seen) - len(rows), status["repeated_requests"]
    assert repeated <= told, f"{repeated} requests were repeated, and the status tells of {told}"
    assert told <= repeated + _CONCURRENCY, status  # those that were about to be sent at the kill
    return repeated, told


@dataclass
class Torture:
    """A house, the proxy that plays the model, and what was found so far."""

    house: House
    proxy: FaultyProxy
    chance: random.Random
    found: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)

    def round(self, number: int, kind: str) -> None:
        """Start a run, hurt those who carry it out, heal them, and check what comes of it."""
        self.house.heal()
        address = make_target(self.house, f"t{number}")
        first = len(self.proxy.seen)
        with ThreadPoolExecutor(1) as pool:
            going_on = pool.submit(carry_out, self.house, address)
            moment = self.chance.randrange(STIMULI * TRAJECTORIES)
            while len(self.proxy.seen) - first < moment and not going_on.done():  # which has a deadline of its own
                time.sleep(0.005)
            time.sleep(self.chance.uniform(0, _ANSWERS_AFTER))
            self._hurt(kind)
            self.house.heal()
            status = going_on.result()
        if kind == "a stopped worker":
            time.sleep(1)  # what a worker that goes on has left to say
        repeated, told = check(self.house, address, status, self.proxy.seen[first:], REFUSED)
        self.found["rows"] += status["lines"]
        self.found["repeated"] += repeated
        self.found["told"] += told
        self.kinds[kind] += 1

    def _hurt(self, kind: str) -> None:
        house = self.house
        match kind:
            case "a worker":
                house.kill_workers(1)
            case "all workers":
                house.kill_workers(len(house.workers))
            case "the server":
                house.kill_server()
            case "everything":
                house.kill_workers(len(house.workers))
                house.kill_server()
            case "a worker that is told to end":
                house.workers[0].terminate()
                house.workers[0].wait()
            case "a stopped worker":
                house.pause_workers(1, 1.5 * LEASE)
        self.chance.shuffle(house.workers)


def run(rounds: int, seed: int, *, on_servers: bool = False) -> Iterator[str]:
    """Kill so often; yield what was found, or raise AssertionError. `on_servers`: on PostgreSQL and Redis."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bakehouse-runs-"))
        proxy = stack.enter_context(FaultyProxy(rule=refuse_one, delay=_ANSWERS_AFTER))
        settings = {}
        if on_servers:
            settings["database_url"] = stack.enter_context(databases.postgresql()).make_database()
            settings["queue_url"] = stack.enter_context(databases.redis()).make_database()
        house = stack.enter_context(open_house(Path(folder, "data"), proxy.url, **settings))
        torture = Torture(house, proxy, random.Random(seed))
        for number in range(rounds):
            torture.round(number, KINDS[(number + seed) % len(KINDS)])
        _verify(house, settings)
    found = torture.found
    kinds = ", ".join(f"{count} × {kind}" for kind, count in torture.kinds.items())
    place = "PostgreSQL and Redis" if on_servers else "SQLite"
    yield (
        f"runs on {place}: {rounds} kills ({kinds}), {found['rows']:,} rows: "
        f"none lost, none twice; {found['repeated']:,} requests repeated, {found['told']:,} told"
    )


def _verify(house: House, settings: dict[str, str]) -> None:
    command = [sys.executable, "-m", "app.cli", "verify"]
    done = subprocess.run(command, env=environment(house.data_dir, **settings), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
