"""`kill -9` of the server at random moments under writing clients: nothing is lost, or half there."""

import contextlib
import http.client
import json
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from storage import disk
from tests.server import MASTER_KEY, Server, running
from tests.storage.repositories import git

CLIENTS = 16
REPOS = ("r0", "r1", "r2")
_BATCH = 3

Value = int | None  # what a target's `max_tokens` says; None: it is not there


@dataclass
class Client:
    """One that writes to names of its own, one request after another, and remembers what may be there."""

    number: int
    chance: random.Random
    values: dict[tuple[str, str], set[Value]] = field(default_factory=dict)
    batches: list[list[tuple[str, str]]] = field(default_factory=list)  # those that were not answered
    outcomes: Counter[str] = field(default_factory=Counter)
    made: int = 0

    def write_until_gone(self, port: int) -> None:
        """Write until the server breaks the connection."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        with contextlib.suppress(OSError, http.client.HTTPException):
            while True:
                self._write(connection)
        connection.close()

    def _write(self, connection: http.client.HTTPConnection) -> None:
        self.made += 1
        repo = self.chance.choice(REPOS)
        path = f"/v1/repo/{repo}/targets"
        known = [place for place, values in self.values.items() if place[0] == repo and None not in values]
        kind = self.chance.choice(("create", "create", "batch", "put", "delete")) if known else "create"
        if kind in ("put", "delete"):
            names = [self.chance.choice(known)[1]]
        else:
            count = _BATCH if kind == "batch" else 1
            names = [f"c{self.number}-{self.made}-{index}" for index in range(count)]
        places = [(repo, name) for name in names]
        value = None if kind == "delete" else self.made
        before = {place: self.values.get(place, {None}) for place in places}
        for place in places:
            self.values[place] = before[place] | {value}
        if kind == "batch":
            self.batches.append(places)
        items = [
            {"target_name": name, "template": "default", "overrides": {"max_tokens": value}} for name in names
        ]
        if kind == "create":
            _send(connection, "POST", path, items[0])
        elif kind == "batch":
            _send(connection, "POST", f"{path}/batch", {"targets": items})
        elif kind == "put":
            body = {"template": "default", "overrides": {"max_tokens": value}}
            _send(connection, "PUT", f"{path}/{names[0]}", body)
        else:
            _send(connection, "DELETE", f"{path}/{names[0]}", None)
        self.outcomes["answered"] += 1
        for place in places:
            self.values[place] = {value}
        if kind == "batch":
            self.batches.pop()

    def compare(self, there: dict[tuple[str, str], Value]) -> None:
        """Hold what is there against what may be; from then on, it is what must be."""
        for batch in self.batches:
            found = {there.get(place) for place in batch}
            assert len(found) == 1, f"a batch is half there: {batch}: {found}"
        for place, values in self.values.items():
            found_value = there.get(place)
            assert found_value in values, f"{place} is {found_value}, and may be {values}"
            if len(values) > 1:
                self.outcomes["not answered"] += 1
                self.outcomes["of these there"] += found_value == max(values - {None})
            self.values[place] = {found_value}
        self.batches.clear()


def run(rounds: int, seed: int) -> Iterator[str]:
    """Kill a server so many times; yield what was found, or raise AssertionError."""
    chance = random.Random(seed)
    clients = [Client(number, random.Random(f"{seed}-{number}")) for number in range(CLIENTS)]
    kinds: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="bakehouse-kills-") as folder:
        data_dir = Path(folder, "data")
        for _ in range(rounds):
            with running(data_dir) as server:
                _make_repos(server)
                kinds[_kill_while_writing(server, clients, chance)] += 1
            with running(data_dir) as server:
                for repo in REPOS:  # the next request works, and clears what the kill left
                    body = {"template": "default", "overrides": {"max_tokens": chance.randrange(1, 10**6)}}
                    _ask(server, "PUT", f"/v1/repo/{repo}/targets/after", body)
                _check(data_dir, clients)
    outcomes: Counter[str] = sum((client.outcomes for client in clients), Counter())
    of_kinds = ", ".join(f"{count} of {kind}" for kind, count in sorted(kinds.items()))
    yield (
        f"kill -9: {rounds} kills ({of_kinds}), "
        f"{outcomes['answered']:,} answered writes, {outcomes['not answered']:,} targets of unanswered ones "
        f"({outcomes['of these there']:,} there, whole): nothing lost"
    )


def _kill_while_writing(server: Server, clients: Sequence[Client], chance: random.Random) -> str:
    pool = ThreadPoolExecutor(len(clients))
    writing = [pool.submit(client.write_until_gone, server.port) for client in clients]
    kind = chance.choice(("all processes", "all processes", "a worker, then all", "the master, then all"))
    workers = _children(server.process.pid)
    time.sleep(chance.uniform(0.05, 1.0))
    first = {"a worker, then all": workers[:1], "the master, then all": [server.process.pid]}.get(kind, [])
    for pid in first:
        os.kill(pid, signal.SIGKILL)
        time.sleep(chance.uniform(0.0, 0.3))
    workers += _children(server.process.pid)  # those that took a killed one's place, too
    for pid in dict.fromkeys([server.process.pid, *workers]):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for done in writing:
        done.result()
    pool.shutdown()
    return kind


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _check(data_dir: Path, clients: Sequence[Client]) -> None:
    there: dict[tuple[str, str], Value] = {}
    for repo in REPOS:
        folder = data_dir / "repos" / "admin" / f"{repo}.git"
        there |= {(repo, name): value for name, value in _targets(folder)}
        with disk.exclusive(folder / "objects"):  # fsck takes a pack that maintenance rolls up for lost
            assert git(folder, "fsck", "--full", "--strict", "--no-dangling") == ""
        assert git(folder, "rev-list", "--merges", "--count", "main") == "0\n"
    for client in clients:
        client.compare(there)
    assert not list(data_dir.rglob("*.lock"))


def _targets(folder: Path) -> Iterator[tuple[str, Value]]:
    """Yield what git says lies in a repo."""
    names = git(folder, "ls-tree", "--name-only", "main", "targets/").splitlines()
    documents = git(folder, "cat-file", "--batch", stdin="".join(f"main:{name}\n" for name in names))
    at = 0
    for name in names:
        header, _, _ = documents[at:].partition("\n")
        size = int(header.split()[2])
        start = at + len(header) + 1
        document = yaml.load(documents[start : start + size], yaml.CSafeLoader)
        yield Path(name).stem, document["config"]["max_tokens"]
        at = start + size + 1


def _make_repos(server: Server) -> None:
    for repo in REPOS:
        _ask(server, "POST", "/v1/repo", {"repo_name": repo})


def _ask(server: Server, method: str, path: str, body: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    _send(connection, method, path, body)
    connection.close()


def _send(connection: http.client.HTTPConnection, method: str, path: str, body: Any) -> None:
    """Send a request whose answer must be good, if there is one."""
    content = None if body is None else json.dumps(body)
    headers = {"Authorization": f"Bearer {MASTER_KEY}", "Content-Type": "application/json"}
    connection.request(method, path, content, headers)
    answer = connection.getresponse()
    said = answer.read()
    assert answer.status < 300, f"{method} {path}: {answer.status} {said.decode()}"
    if "created" in (result := json.loads(said)):
        assert not result["failed"], result
