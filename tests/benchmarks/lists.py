"""The values of 10,000 targets in one answer, beside the list of their names."""

import statistics
from collections.abc import Iterator
from itertools import count

from tests.benchmarks.load import Client
from tests.benchmarks.rates import new_repo
from tests.benchmarks.table import compare

TARGETS, AT_ONCE = 10_000, 500
REQUESTS = 10
MOST = 10  # times as long as the names

_numbers = count(1)


def rows(client: Client) -> Iterator[str]:
    """Yield a row for each question, in milliseconds a request."""
    repo = new_repo(client)
    path = f"/v1/repo/{repo}/targets"
    for start in range(0, TARGETS, AT_ONCE):
        items = [_item(number) for number in range(start, start + AT_ONCE)]
        client.ask("POST", f"{path}/batch", {"targets": items})
    everything = f"limit={TARGETS}"
    questions = {
        "two fields": f"fields=temperature,generators.0.numq&{everything}",
        "two fields, where": f"fields=temperature,generators.0.numq&where=temperature>1,model_name~qwen&{everything}",
        "the template, descends_from": f"include=template&descends_from=default&{everything}",
        "when and by whom, 100 targets": "include=changed&limit=100",
    }
    for moving in (False, True):
        for what, query in questions.items():
            yield _row(client, what, path, query, moving=moving)


def _row(client: Client, what: str, path: str, query: str, *, moving: bool) -> str:
    """Measure a list beside the names, in turns; where the tip is `moving`, a target is written before each."""

    def measure(address: str) -> float:
        writes = (client.request("PUT", f"{path}/target-00000", _changed()) for _ in range(REQUESTS))
        requests = [client.request("GET", address)] * REQUESTS
        return statistics.median(client.latencies(requests, writes.__next__ if moving else None))

    return compare(
        f"{what}{', tip moving' if moving else ''}",
        lambda: measure(f"{path}?{query}"),
        "  the names alone",
        lambda: measure(path),
        f"goal under {MOST}",
        unit="ms",
    )


def _item(number: int) -> dict[str, object]:
    overrides = {
        "temperature": number % 20 / 10,
        "generators": [{"type": "oneshot_qs", "model": "claude-3-5-sonnet-20241022", "numq": 1 + number % 50}],
        "teacher_prompt": "system_prompt_v1",
        "extra_kwargs": {"seed": number},
    }
    return {"target_name": f"target-{number:05}", "template": "default", "overrides": overrides}


def _changed() -> dict[str, object]:
    """Return the body of a PUT that changes something each time."""
    return {"template": "default", "overrides": {"max_tokens": next(_numbers)}}
