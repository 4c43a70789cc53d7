"""Permits to send requests to an endpoint: how many at once, how many a minute, and none while it cools down."""

import asyncio
import logging
import time
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Self

from app.runs.ledger.database import LedgerUnavailable
from app.runs.ledger.limits import Ask, Grant, Limits
from app.runs.models.endpoints import Endpoint

_PAUSE = 1.0  # seconds between renewals
_SHORT_PAUSE = 0.1  # at least, and where somebody has more than their part; then longer and longer
_LONGER = 1.5
_LATE = 1.0  # seconds after which a time to start at is given up, so that no minute has too many
_COOLING = 10.0  # seconds, where a 429 cannot be told to the ledger

_log = logging.getLogger(__name__)


class Permit:
    """The right to send one request, until the context ends. `began` is by `time.monotonic`."""

    __slots__ = ("_permits", "began")

    def __init__(self, permits: "Permits") -> None:
        self._permits = permits
        self.began = 0.0

    async def __aenter__(self) -> Self:
        await self._permits.take()
        self.began = time.monotonic()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._permits.give_back()


class Permits:
    """The permits of one run for one endpoint, for as long as the context lasts.

    The run never has more than `at_most` requests out, and all runs and workers together never more than the
    endpoint's `max_concurrency`: the run has slots in the ledger, by a lease that is renewed about once a second.
    While the ledger is away the slots last as long as the lease, and then nothing is sent until the ledger is back.
    """

    def __init__(self, limits: Limits, endpoint: Endpoint, at_most: int, holder: str) -> None:
        self._limits = limits
        self._endpoint = endpoint
        self._at_most = at_most
        self._holder = holder
        self._out = 0
        self._usable = 0
        self._valid_until = 0.0  # by `time.monotonic`, as all times here
        self._cool_until = 0.0
        self._last_throttled = 0.0
        self._starts = deque[float]()
        self._waiters = deque[asyncio.Future[None]]()
        self._timer: asyncio.TimerHandle | None = None
        self._wanted = at_most  # the most that was out or waited since the last renewal
        self._started = at_most  # requests since the last renewal
        self._has_succeeded = False
        self._asked = 0
        self._pause = _PAUSE
        self._is_settled = True
        self._hurry = asyncio.Event()
        self._renewal: asyncio.Future[Grant] | None = None

    async def __aenter__(self) -> Self:
        await self._renew()
        self._keeper = asyncio.create_task(self._keep())
        self._keeper.add_done_callback(self._fail)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keeper.cancel()
        with suppress(asyncio.CancelledError):
            await self._keeper
        if self._renewal is not None:  # a thread goes on when its task is cancelled
            await asyncio.gather(self._renewal, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
        with suppress(LedgerUnavailable):  # the lease runs out
            await asyncio.to_thread(self._limits.release, self._endpoint.name, self._holder)

    def one(self) -> Permit:
        """Return a context in which one request may be sent."""
        return Permit(self)

    async def take(self) -> None:
        """Wait for a permit."""
        if not self._waiters and self._may_start(time.monotonic()):
            self._start()
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._note_demand()
        self._wake()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.give_back()
            with suppress(ValueError):
                self._waiters.remove(waiter)
            raise

    def give_back(self) -> None:
        """Give a permit back."""
        self._out -= 1
        if self._out >= self._usable:
            self._hurry.set()  # others wait for what this run has too many of
        elif self._waiters:
            self._wake()

    def succeeded(self) -> None:
        """Note that the endpoint answered a request."""
        self._has_succeeded = True

    async def throttled(self, permit: Permit, retry_after: float | None) -> None:
        """Note that the endpoint answered 429: it cools down for all, and is asked less at once."""
        now = time.monotonic()
        if permit.began <= self._last_throttled and now + (retry_after or 0) <= self._cool_until:
            return  # another request that was out at the same time has told it
        self._last_throttled = now
        self._has_succeeded = False
        told = (self._endpoint.name, self._endpoint.max_concurrency, now - permit.began, retry_after)
        self._cool_until = max(self._cool_until, now + _COOLING)
        try:
            cool = await asyncio.to_thread(self._limits.throttled, *told)
        except LedgerUnavailable as error:
            _log.warning("Endpoint '%s' was throttled, which other workers are not told: %s", told[0], error)
        else:
            self._cool_until = time.monotonic() + cool
            self._hurry.set()  # it may have fewer slots now
        self._wake()

    def _may_start(self, now: float) -> bool:
        if self._out >= min(self._usable, self._at_most) or now >= self._valid_until or now < self._cool_until:
            return False
        if not self._endpoint.requests_per_minute:
            return True
        while self._starts and self._starts[0] < now - _LATE:
            self._starts.popleft()
        return bool(self._starts) and self._starts[0] <= now

    def _start(self) -> None:
        self._out += 1
        self._started += 1
        self._wanted = max(self._wanted, self._out)
        if self._endpoint.requests_per_minute:
            self._starts.popleft()

    def _note_demand(self) -> None:
        self._wanted = max(self._wanted, min(self._at_most, self._out + len(self._waiters)))
        if self._wanted > self._asked or (self._endpoint.requests_per_minute and not self._starts):
            self._hurry.set()

    def _wake(self) -> None:
        """Let those go on who wait, as far as they may, and look again when they may because time has passed."""
        now = time.monotonic()
        while self._waiters and self._may_start(now):
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._start()
                waiter.set_result(None)
        if self._waiters:
            self._look_again(now)

    def _look_again(self, now: float) -> None:
        soon = max(self._cool_until, self._starts[0] if self._starts else 0)
        if soon > now:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(soon - now, self._wake)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_SHORT_PAUSE)
            with suppress(TimeoutError):  # wait_for of Python 3.11 may swallow a cancellation
                async with asyncio.timeout(self._pause - _SHORT_PAUSE):
                    await self._hurry.wait()
            await self._renew()

    def _fail(self, keeper: "asyncio.Task[None]") -> None:
        """Hand an error of the keeper, which would be a bug, to those who wait."""
        if not keeper.cancelled() and (error := keeper.exception()):
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_exception(error)

    async def _renew(self) -> None:
        """Renew the lease, and learn what others have told of the endpoint."""
        self._hurry.clear()
        ask = self._ask()
        began = time.monotonic()
        self._renewal = asyncio.ensure_future(asyncio.to_thread(self._limits.renew, ask))
        try:
            grant = await asyncio.shield(self._renewal)
        except LedgerUnavailable as error:
            _log.warning("Endpoint '%s' may soon not be asked for a while: %s", self._endpoint.name, error)
            return
        self._valid_until = began + self._limits.seconds
        self._learn(grant)

    def _ask(self) -> Ask:
        self._asked, started = self._wanted, self._started
        self._wanted, self._started = min(self._at_most, self._out + len(self._waiters)), 0
        succeeded, self._has_succeeded = self._has_succeeded, False
        return Ask(
            self._endpoint.name,
            self._holder,
            self._endpoint.max_concurrency,
            max(self._out, min(self._usable, self._at_most)),
            self._asked,
            self._endpoint.requests_per_minute,
            len(self._waiters) + 2 * started if self._endpoint.requests_per_minute else 0,
            succeeded,
        )

    def _learn(self, grant: Grant) -> None:
        now = time.monotonic()
        self._usable = grant.usable
        self._cool_until = max(self._cool_until, now + grant.cool)
        self._starts.extend(now + seconds for seconds in grant.starts)
        if grant.is_settled:
            self._pause = _PAUSE
        else:
            self._pause = _SHORT_PAUSE if self._is_settled else min(_PAUSE, self._pause * _LONGER)
        self._is_settled = grant.is_settled
        self._wake()
