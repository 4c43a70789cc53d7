"""Requests to an endpoint as a run sends them: with permits, and again where that may help."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.runs.ledger.limits import Limits
from app.runs.models.answers import Answer
from app.runs.models.asking import Patience, ask
from app.runs.models.client import ModelClient
from app.runs.models.endpoints import Endpoint
from app.runs.models.permits import Permits
from app.runs.models.verdicts import Refused

QUICK = Patience(tries=3, first_wait=0.01)
BODY = {"model": "m", "messages": [{"role": "user", "content": "Is bread good?"}], "max_tokens": 5}


@dataclass
class Asked:
    """What came of some requests: an answer or what was refused for each, and which were counted as retries."""

    outcomes: list[Answer | Refused] = field(default_factory=list)
    counted: list[bool] = field(default_factory=list)

    async def count(self, *, is_retry: bool) -> None:
        self.counted.append(is_retry)


def ask_all(
    limits: Limits,
    endpoint: Endpoint,
    number: int = 1,
    *,
    at_most: int = 1,
    holder: str = "run",
    patience: Patience = QUICK,
    body: Mapping[str, Any] = BODY,
    env: Mapping[str, str] = os.environ,
) -> Asked:
    """Ask an endpoint some times, `at_most` at once, and return what came of it."""
    return asyncio.run(_ask_all(limits, endpoint, number, at_most, holder, patience, body, endpoint.key(env)))


async def _ask_all(
    limits: Limits,
    endpoint: Endpoint,
    number: int,
    at_most: int,
    holder: str,
    patience: Patience,
    body: Mapping[str, Any],
    key: str | None,
) -> Asked:
    asked = Asked()
    numbers = iter(range(number))

    async def work() -> None:
        for sample in numbers:
            try:
                asked.outcomes.append(await ask(client, permits, body, f"sample-{sample}", asked.count, patience))
            except Refused as error:
                asked.outcomes.append(error)

    async with (
        ModelClient(endpoint, key) as client,
        Permits(limits, endpoint, at_most, holder) as permits,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(at_most):
            group.create_task(work())
    return asked
