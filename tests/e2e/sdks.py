"""Both clients of the published Python SDK, called alike."""

import asyncio
import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import pytest
from aibread import AsyncBread, Bread
from aibread._resource import AsyncAPIResource, SyncAPIResource

CLIENTS = [Bread, AsyncBread]


class Blocking:
    """A client of the SDK, or a part of one, whose coroutines are run: both clients are called alike.

    `called` gathers the methods that were, as `targets.create`.
    """

    def __init__(self, sdk: Any, run: Callable[..., Any], called: set[str], path: str = "") -> None:
        self.sdk, self.run_coroutine, self.called, self.path = sdk, run, called, path

    def __getattr__(self, name: str) -> Any:
        member, path = getattr(self.sdk, name), f"{self.path}{name}"
        if not callable(member):
            return Blocking(member, self.run_coroutine, self.called, f"{path}.")

        def call(*arguments: Any, **named: Any) -> Any:
            self.called.add(path)
            answer = member(*arguments, **named)
            return self.run_coroutine(answer) if inspect.isawaitable(answer) else answer

        return call


Connect = Callable[..., Blocking]


@contextmanager
def connecting(client: type, url: str) -> Iterator[Connect]:
    """Make clients with some token; each holds the answers to the types of the SDK. All are closed at the end."""
    clients = []
    with asyncio.Runner() as runner:

        def make(token: str, **options: Any) -> Blocking:
            given = {"max_retries": 0, "_strict_response_validation": True} | options
            clients.append(Blocking(client(base_url=url, api_key=token, **given), runner.run, set()))
            return clients[-1]

        yield make
        for made in clients:
            made.close()


def sleeping_less(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the SDK sleep only a moment between its looks at a run; return the seconds that it means to sleep."""
    slept: list[float] = []

    def sleep(_: Any, seconds: float) -> None:
        slept.append(seconds)
        time.sleep(0.1)

    async def sleep_meanwhile(_: Any, seconds: float) -> None:
        slept.append(seconds)
        await anyio.sleep(0.1)

    monkeypatch.setattr(SyncAPIResource, "_sleep", sleep)
    monkeypatch.setattr(AsyncAPIResource, "_sleep", sleep_meanwhile)
    return slept
