"""Many clients of two servers on one directory: each target is a register whose history is checked."""

import http.client
import json
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

from tests.server import MASTER_KEY, Server, running
from tests.storage.repositories import git
from tests.torture.linearizability import Operation, is_linearizable

Place = tuple[str, str]  # a repo and a target
History = list[tuple[Place, Operation, str]]  # with the commit, where there is one


def run(clients: int, operations: int, repos: int, registers: int, seed: int) -> Iterator[str]:
    """Let clients do so many operations each on some registers; yield what was found.

    Raises AssertionError where no order of them explains what they were answered.
    """
    with tempfile.TemporaryDirectory(prefix="bakehouse-registers-") as folder:
        data_dir = Path(folder, "data")
        with running(data_dir) as one, running(data_dir) as other:
            names = [f"r{number}" for number in range(repos)]
            connection = _connect(one)
            for name in names:
                _ask(connection, "POST", "/v1/repo", {"repo_name": name})
            connection.close()
            places = [(name, f"t{number}") for name in names for number in range(registers)]
            with ThreadPoolExecutor(clients) as pool:
                parts = [
                    pool.submit(_operate, (one, other)[number % 2], places, operations, f"{seed}-{number}")
                    for number in range(clients)
                ]
            history = list(chain.from_iterable(part.result() for part in parts))
        _check_registers(history)
        for name in names:
            _check_commits(data_dir / "repos" / "admin" / f"{name}.git", name, history)
    kinds = Counter(f"{operation.kind} {operation.status}" for _, operation, _ in history)
    told = ", ".join(f"{count:,} × {kind}" for kind, count in sorted(kinds.items()))
    who = f"{clients} clients of 2 servers, {len(places)} targets in {repos} repos"
    yield f"registers: {who}, {len(history):,} operations: linearizable ({told})"


def _operate(server: Server, places: list[Place], amount: int, seed: str) -> History:
    chance, connection = random.Random(seed), _connect(server)
    known: dict[Place, str | None] = {}  # the version that this client saw last
    history: History = []
    for number in range(amount):
        place = chance.choice(places)
        kind = chance.choice(("create", "read", "read", "put", "put", "delete"))
        saw = known.get(place)
        if kind in ("put", "delete") and saw is None:
            kind = "create"
        history.append((place, *_do(connection, kind, place, saw, f"{seed}-{number}", known)))
    connection.close()
    return history


def _do(
    connection: http.client.HTTPConnection,
    kind: str,
    place: Place,
    saw: str | None,
    value: str,
    known: dict[Place, str | None],
) -> tuple[Operation, str]:
    """Do one operation, and note the version that it saw or made. A version stands for its value."""
    repo, name = place
    path = f"/v1/repo/{repo}/targets/{name}"
    body = {"template": "default", "overrides": {"extra_kwargs": {"value": value}}}
    condition = {"If-None-Match": "*"} if kind == "create" else {"If-Match": saw or ""}
    began = time.monotonic_ns()
    if kind == "create" and len(value) % 2:
        answer = _ask(connection, "POST", path.rpartition("/")[0], {"target_name": name, **body})
    elif kind in ("create", "put"):
        answer = _ask(connection, "PUT", path, body, **condition)
    elif kind == "read":
        answer = _ask(connection, "GET", path, None)
    else:
        answer = _ask(connection, "DELETE", path, None, **condition)
    ended = time.monotonic_ns()
    version = answer.headers["ETag"]
    status = 201 if kind == "create" and answer.status == 200 else answer.status
    wrote = version if kind in ("create", "put") and status < 300 else None
    seen = version if kind == "read" else saw
    known[place] = version
    return Operation(kind, status, began, ended, wrote, seen), answer.headers["Git-Commit"] or ""


def _check_registers(history: History) -> None:
    by_place: dict[Place, list[Operation]] = defaultdict(list)
    for place, operation, _ in history:
        assert operation.status in (200, 201, 404, 409, 412), operation
        by_place[place].append(operation)
    for place, operations in by_place.items():
        assert is_linearizable(operations), f"{place}: no order explains {operations}"


def _check_commits(folder: Path, repo: str, history: History) -> None:
    """Each answered change is one commit of a linear history, and there are no others."""
    changed = [
        commit
        for place, operation, commit in history
        if place[0] == repo and operation.kind != "read" and operation.status < 300
    ]
    assert len(set(changed)) == len(changed), "two changes were answered with one commit"
    line = git(folder, "rev-list", "--first-parent", "main").split()
    assert sorted(line[:-1]) == sorted(changed)
    assert git(folder, "rev-list", "--merges", "--count", "main") == "0\n"
    assert git(folder, "fsck", "--full", "--strict", "--no-dangling") == ""


def _connect(server: Server) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)


def _ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: Any, **headers: str
) -> http.client.HTTPResponse:
    headers |= {"Authorization": f"Bearer {MASTER_KEY}", "Content-Type": "application/json"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    answer.read()
    return answer
