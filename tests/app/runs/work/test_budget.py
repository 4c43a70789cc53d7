"""The tokens that a rollout may use, however many of its requests are out at a time."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.runs.failures import RunFailed
from app.runs.ledger.database import Database
from app.runs.ledger.runs import Run, RunTable
from app.runs.models.answers import Answer
from app.runs.work.budget import Budget
from tests.app.runs.ledger.runs import new

TOKENS_IN, TOKENS_OUT = 7, 3  # of each answer


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run of any number of samples, without a limit of tokens."""
    database = Database(None, tmp_path)
    run = RunTable(database).start(new(config={}))
    database.close()
    return run


class Endpoint:
    """An endpoint that answers each request after a moment, with as many tokens as it is told."""

    def __init__(self, tokens_out: int = TOKENS_OUT) -> None:
        self._tokens_out = tokens_out
        self.out = self.most_out = self.answers = 0

    @property
    def used(self) -> int:
        return self.answers * (TOKENS_IN + self._tokens_out)

    async def ask(self, budget: Budget) -> None:
        async with budget.room():
            self.out += 1
            self.most_out = max(self.most_out, self.out)
            await asyncio.sleep(0)
            self.out -= 1
            self.answers += 1
            budget.count(Answer({}, b"", TOKENS_IN, self._tokens_out))


def ask(run: Run, most: int, requests: int = 100, tokens_out: int = TOKENS_OUT) -> tuple[Endpoint, str | None]:
    """Ask for many samples at once; return the endpoint, and the error with which the run ends."""
    endpoint = Endpoint(tokens_out)

    async def work() -> list[BaseException | None]:
        budget = Budget(most, run)
        return await asyncio.gather(*(endpoint.ask(budget) for _ in range(requests)), return_exceptions=True)

    errors = [error for error in asyncio.run(work()) if error is not None]
    assert all(isinstance(error, RunFailed) and error.kind == "budget" for error in errors)
    return endpoint, str(errors[0]) if errors else None


@pytest.mark.parametrize("most", [1, 10, 15, 205, 999])
def test_a_budget_holds_with_many_requests_at_once(run: Run, most: int):
    """The first answer tells what one takes: only a budget below that is too small for it."""
    endpoint, error = ask(run, most)
    assert endpoint.used == max(10, most // 10 * 10)
    assert error == f"The run used {endpoint.used} tokens, another answer takes up to 10, and {most} are allowed."


@pytest.mark.parametrize("config", [{"max_tokens": 50}, {"extra_kwargs": {"max_completion_tokens": 50}}])
def test_a_limit_of_tokens_is_reserved_for_each_request(run: Run, config: dict[str, Any]):
    endpoint, error = ask(replace(run, config=config), 210, tokens_out=50)
    assert (endpoint.most_out, endpoint.used) == (4, 228)  # what the first requests have is not known before
    assert error is not None
    assert Budget(210, replace(run, config=config)).shortage() is None


def test_without_a_limit_one_request_is_out_until_something_is_known(run: Run):
    assert ask(run, 10**6, requests=1)[0].most_out == 1
    endpoint, error = ask(run, 10**6)
    assert (endpoint.answers, error) == (100, None)
    assert endpoint.most_out == 99


def test_without_a_budget_nothing_waits(run: Run):
    endpoint, error = ask(replace(run, tokens_in=10**9), 0)
    assert (endpoint.most_out, endpoint.answers, error) == (100, 100, None)


def test_a_budget_that_is_just_enough_is_enough(run: Run):
    assert ask(run, 1000)[1] is None


def test_a_run_that_goes_on_knows_what_its_answers_took(run: Run):
    found = replace(run, done=12, failed=2, tokens_in=70, tokens_out=30)
    assert Budget(110, found).shortage() is None
    assert Budget(109, found).shortage() == (
        "The run used 100 tokens, another answer takes up to 10, and 109 are allowed."
    )
    assert ask(found, 125)[0].answers == 2


def test_a_request_that_fails_gives_its_room_back(run: Run):
    async def lose(budget: Budget) -> None:
        async with budget.room():
            await asyncio.sleep(0)
            raise ValueError

    async def work() -> Endpoint:
        endpoint, budget = Endpoint(), Budget(64, replace(run, config={"max_tokens": 50}))
        lost = [lose(budget) for _ in range(5)]
        await asyncio.gather(*lost, endpoint.ask(budget), return_exceptions=True)
        return endpoint

    assert asyncio.run(work()).answers == 1
