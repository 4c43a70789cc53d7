"""The tokens that a rollout may use: those that it used, and room for each answer that is out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.runs.failures import RunFailed
from app.runs.ledger.runs import BUDGET, Run
from app.runs.models import requests
from app.runs.models.answers import Answer

_LIMITS = ("max_completion_tokens", "max_tokens")  # the names of the limit that requests may have


class Budget:
    """The budget of a run, of at most `most` tokens; 0 for any number.

    A request takes as many tokens as the answers so far took in the mean, or `max_tokens` for what the model writes,
    where the config has a limit. As long as neither is known, one request is out at a time.
    """

    def __init__(self, most: int, run: Run) -> None:
        body = requests.body([], None, "", run.config, None)
        limits = [body[name] for name in _LIMITS if type(body.get(name)) is int]
        self._most = most
        self._max_tokens: int | None = max(limits, default=None)
        self._answers = run.done - run.failed
        self._tokens_in, self._tokens_out = run.tokens_in, run.tokens_out
        self._reserved = self._out = 0
        self._changed = asyncio.Event()

    def shortage(self) -> str | None:
        """Return why not even one request may be sent while none is out; None if it may."""
        need = self._need()
        if self._fits(need):
            return None
        used, more = self._tokens_in + self._tokens_out, max(1, need or 0)
        return f"The run used {used} tokens, another answer takes up to {more}, and {self._most} are allowed."

    @asynccontextmanager
    async def room(self) -> AsyncIterator[None]:
        """Reserve room for a request while the context lasts, as soon as there is some; RunFailed if there is none."""
        while not self._has_room():
            if not self._out:
                raise RunFailed(BUDGET, self.shortage() or "")
            self._changed.clear()
            await self._changed.wait()
        need = self._need() or 0
        self._reserved, self._out = self._reserved + need, self._out + 1
        try:
            yield
        finally:
            self._reserved, self._out = self._reserved - need, self._out - 1
            self._changed.set()

    def count(self, answer: Answer) -> None:
        """Count the tokens of an answer."""
        self._answers += 1
        self._tokens_in, self._tokens_out = self._tokens_in + answer.tokens_in, self._tokens_out + answer.tokens_out

    def _has_room(self) -> bool:
        need = self._need()
        if self._most and need is None and self._out:
            return False
        return self._fits(need, self._reserved)

    def _fits(self, need: int | None, reserved: int = 0) -> bool:
        used = self._tokens_in + self._tokens_out + reserved
        return not self._most or used + max(1, need or 0) <= self._most

    def _need(self) -> int | None:
        """Return the tokens of one more request; None where nothing is known."""
        if self._max_tokens is None and not self._answers:
            return None
        answers = max(1, self._answers)
        tokens_in, tokens_out = -(-self._tokens_in // answers), -(-self._tokens_out // answers)
        return tokens_in + (tokens_out if self._max_tokens is None else self._max_tokens)
