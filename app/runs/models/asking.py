"""One sample, asked for until it is answered."""

from collections.abc import Awaitable, Callable
from typing import Any

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from app.runs.models.answers import Answer
from app.runs.models.client import ModelClient
from app.runs.models.permits import Permits
from app.runs.models.verdicts import Refused, Verdict


async def ask(
    client: ModelClient,
    permits: Permits,
    body: dict[str, Any],
    idempotency_key: str,
    counted: Callable[[bool], Awaitable[None]],
) -> Answer:
    """Return the answer, or raise Refused."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception(lambda e: isinstance(e, Refused) and e.verdict in (Verdict.RETRY, Verdict.THROTTLED)),
        stop=stop_after_attempt(5),
        wait=wait_random_exponential(0.5, 30),
        reraise=True,
    ):
        with attempt:
            async with permits.one():
                await counted(attempt.retry_state.attempt_number > 1)
                return await client.send(body, idempotency_key)
    raise AssertionError
