"""One sample, asked for until it is answered or lost."""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tenacity import AsyncRetrying, RetryCallState

from app.runs.ledger.limits import LONGEST
from app.runs.models.answers import Answer
from app.runs.models.client import ModelClient
from app.runs.models.permits import Permits
from app.runs.models.verdicts import Refused, Verdict


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a sample is asked for. Times are in seconds."""

    tries: int = 6  # a request that was throttled counts as none
    first_wait: float = 0.5  # doubled with each try
    longest_wait: float = 60.0  # where the endpoint does not say how long
    longest_heeded: float = LONGEST  # where it does
    longest_throttled: float = 3600.0  # after which a sample is lost that had as many 429s in a row as it has tries


PATIENCE = Patience()


class Counted(Protocol):
    """A function that counts a request which is about to be sent."""

    async def __call__(self, *, is_retry: bool) -> None:
        """Return once the count is durable."""


async def ask(
    client: ModelClient,
    permits: Permits,
    body: Mapping[str, Any],
    idempotency_key: str,
    counted: Counted,
    patience: Patience = PATIENCE,
) -> Answer:
    """Return the answer to a request, which is repeated while that may help.

    Raises Refused where it ends the sample or the run.
    """
    sample = _Sample(client, permits, body, idempotency_key, counted, patience)
    retrying = AsyncRetrying(retry=sample.may_go_on, wait=sample.wait, stop=_never, reraise=True)
    try:
        return await retrying(sample.send)
    except Refused as error:
        if error.verdict in (Verdict.RETRY, Verdict.THROTTLED):
            message = f"{error.message} It was asked {sample.sent} times."
            raise Refused(Verdict.SAMPLE, error.type, message, error.status) from error
        raise


@dataclass(slots=True)
class _Sample:
    client: ModelClient
    permits: Permits
    body: Mapping[str, Any]
    idempotency_key: str
    counted: Counted
    patience: Patience
    sent: int = 0
    tries: int = 0
    throttled: int = 0  # in a row
    throttled_since: float = 0.0  # by `time.monotonic`

    async def send(self) -> Answer:
        """Send the request once."""
        async with self.permits.one() as permit:
            await self.counted(is_retry=self.sent > 0)
            self.sent += 1
            try:
                answer = await self.client.send(self.body, self.idempotency_key)
            except Refused as error:
                if error.verdict is Verdict.THROTTLED:
                    await self.permits.throttled(permit, error.retry_after)
                raise
            self.permits.succeeded()
            return answer

    def may_go_on(self, state: RetryCallState) -> bool:
        """Tell whether another try may help; a request that was throttled costs none."""
        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, Refused):
            return False
        if error.verdict is Verdict.THROTTLED:
            now = time.monotonic()
            self.throttled_since = self.throttled_since if self.throttled else now
            self.throttled += 1
            lasts = now - self.throttled_since
            return self.throttled < self.patience.tries or lasts < self.patience.longest_throttled
        self.throttled = 0
        self.tries += 1
        return error.verdict is Verdict.RETRY and self.tries < self.patience.tries

    def wait(self, state: RetryCallState) -> float:
        """Return the seconds until the next try. Where the endpoint cools down, the next permit waits for that."""
        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, Refused) or error.verdict is Verdict.THROTTLED:
            return 0
        most = self.patience.first_wait * 2 ** (self.tries - 1)
        chosen = min(self.patience.longest_wait, random.uniform(most / 2, most))  # noqa: S311  no secret
        return max(chosen, min(self.patience.longest_heeded, error.retry_after or 0))


def _never(_: RetryCallState) -> bool:
    return False
