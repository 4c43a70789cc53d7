"""How many requests may be out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from app.runs.ledger.limits import Limits
from app.runs.models.endpoints import Endpoint


class Permits:
    """Permits for the requests of one run."""

    def __init__(self, limits: Limits, endpoint: Endpoint, at_most: int, holder: str) -> None:
        self._limits, self._holder = limits, holder
        self._permits = asyncio.Semaphore(min(at_most, endpoint.max_concurrency))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Hold a permit."""
        async with self._permits:
            yield
