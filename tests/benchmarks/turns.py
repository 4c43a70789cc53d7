"""The writes of one user, while 16 clients of another send the heaviest requests that are allowed."""

import json
import statistics
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from multiprocessing import get_context

from tests.benchmarks.load import Client
from tests.benchmarks.table import compare
from tests.payloads import target

CLIENTS = 16
WRITES = 100
SETTLING = 4.0  # seconds until the server has seen who takes how much
_VALUES = 6000  # lists of some values each: their YAML is 0.9 MB, and takes the most time a byte

_numbers = count()


def rows(client: Client) -> Iterator[str]:
    """Yield a row for each kind of heavy request, in milliseconds of a write of the other user."""
    heavy, other = client.acting_for("heavy"), client.acting_for("other")
    other.ask("POST", "/v1/repo", {"repo_name": "demo"})
    for number in range(CLIENTS):
        heavy.ask("POST", "/v1/repo", {"repo_name": f"r{number}"})
    for method in ("PUT", "GET"):

        def beside(method: str = method) -> float:
            with _busy(heavy, method):
                time.sleep(SETTLING / 2)
                _median(other, WRITES // 4)
                time.sleep(SETTLING / 2)
                return _median(other, WRITES)

        yield compare(
            f"create, beside {CLIENTS} clients that {method} 0.9 MB",
            beside,
            "  alone",
            lambda: _median(other, WRITES),
            "goal at most 5",
            unit="ms",
        )


def _median(client: Client, amount: int) -> float:
    path = "/v1/repo/demo/targets"
    writes = [client.request("POST", path, target(f"t{next(_numbers)}")) for _ in range(amount)]
    return statistics.median(client.latencies(writes))


@contextmanager
def _busy(client: Client, method: str) -> Iterator[None]:
    """Have all clients send requests, each to its own repo, while the block runs.

    They are a process of their own: their large bodies would hold up the thread that measures.
    """
    clients = get_context("fork").Process(target=_send_all, args=(client, method))
    clients.start()
    try:
        yield
    finally:
        clients.kill()
        clients.join()


def _send_all(client: Client, method: str) -> None:
    threads = [threading.Thread(target=_send, args=(client, method, number)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()


def _send(client: Client, method: str, number: int) -> None:
    path = f"http://127.0.0.1:{client.port}/v1/repo/r{number}/defaults/target"
    headers = {"Authorization": f"Bearer {client.token}", "X-User-Id": client.user, "Content-Type": "application/json"}
    while True:
        first = next(_numbers)
        values = {f"key{at}": [first, at, {"a": [at, {"b": first}]}] for at in range(_VALUES)}
        body = json.dumps({"config": {"extra_kwargs": values}}).encode() if method == "PUT" else None
        try:
            with urllib.request.urlopen(urllib.request.Request(path, body, headers, method=method)) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            with error:
                if error.code not in (429, 503):
                    raise
                time.sleep(float(error.headers["Retry-After"]))
