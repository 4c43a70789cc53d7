"""The rates of creates, reads and batches, each beside the same request with less work."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from tests.benchmarks.load import Client, Requests, rate
from tests.benchmarks.table import compare
from tests.payloads import seed_overrides, target

CLIENTS = 8
REPOS = 16
SWEEP = {"temperature": 0.5, "max_tokens": 100}

_names = (f"target-{number}" for number in count())
_repos = (f"r{number}" for number in count())


def rows(client: Client) -> Iterator[str]:
    """Yield a row for each rate, in requests a second."""
    many = [400] * CLIENTS  # some seconds, so that checkpoints happen meanwhile
    limit = ("  the limit: same request, nothing stored", "/yardstick/repo/any/nothing-stored")
    alone, batches = new_repo(client), new_repo(client)
    yield compare(
        f"create, {CLIENTS} clients, {REPOS} repos",
        lambda: rate(client, creates(client, many, [new_repo(client) for _ in range(REPOS)])),
        limit[0],
        lambda: rate(client, bodies(client, many, limit[1])),
        "goal 0.6",
    )
    yield compare(
        f"create, {CLIENTS} clients, one repo",
        lambda: rate(client, creates(client, many, [new_repo(client)])),
        limit[0],
        lambda: rate(client, bodies(client, many, limit[1])),
        "goal 0.4",
    )
    # The same number of targets as in the repository of GitPython.
    yield compare(
        "create, 1 client",
        lambda: rate(client, creates(client, [150], [alone])),
        "  GitPython's index, same HTTP",
        lambda: rate(client, bodies(client, [150], "/yardstick/repo/any/gitpython")),
        "goal 8",
    )
    client.send([client.request("POST", f"/v1/repo/{alone}/targets", own_target("read-me"))])
    yield compare(
        f"read, {CLIENTS} clients",
        lambda: rate(client, [[client.request("GET", f"/v1/repo/{alone}/targets/read-me")] * 300] * CLIENTS),
        "  the limit: authenticated, nothing read",
        lambda: rate(client, [[client.request("GET", "/yardstick/nothing-read")] * 300] * CLIENTS),
        "goal 0.8",
    )
    for what, overrides in (("a sweep", SWEEP), ("the seed's body", {})):
        yield compare(
            f"500 in a batch, {what}",
            lambda overrides=overrides: rate(client, [[batch(client, batches, overrides)]]) * 500,
            "  one by one, 1 client",
            lambda overrides=overrides: rate(client, creates(client, [50], [alone], **overrides)),
            "goal 25",
        )


def own_target(name: str, **overrides: Any) -> dict[str, Any]:
    """Return the body of a create: without overrides the seed's, with questions of its own, as users ask."""
    if overrides:
        return target(name, **overrides)
    seed = seed_overrides()
    for generator in seed["generators"]:
        if "questions" in generator:
            generator["questions"] = [f"{question} for {name}" for question in generator["questions"]]
    return target(name, **seed)


def batch(client: Client, repo: str, overrides: dict[str, Any], size: int = 500) -> bytes:
    """Return a request for many targets, each with another temperature."""
    items = [own_target(next(_names), **overrides) for _ in range(size)]
    for number, item in enumerate(items):
        item["overrides"] = {**item["overrides"], "temperature": number % 200 / 100}
    return client.request("POST", f"/v1/repo/{repo}/targets/batch", {"targets": items})


def new_repo(client: Client) -> str:
    """Make a repo, and return its name."""
    name = next(_repos)
    client.send([client.request("POST", "/v1/repo", {"repo_name": name})])
    return name


def creates(client: Client, amounts: list[int], repos: list[str], **overrides: Any) -> list[Requests]:
    """Return so many creates for each client, each client going round all repos."""
    return [
        [
            client.request(
                "POST",
                f"/v1/repo/{repos[(start + step) % len(repos)]}/targets",
                own_target(next(_names), **overrides),
            )
            for step in range(amount)
        ]
        for start, amount in enumerate(amounts)
    ]


def bodies(client: Client, amounts: list[int], path: str) -> list[Requests]:
    """Return so many creates for each client, all to a yardstick."""
    return [[client.request("POST", path, own_target(next(_names))) for _ in range(amount)] for amount in amounts]
