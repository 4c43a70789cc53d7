"""How many requests are out at once, and how many a minute, measured at the endpoint."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.runs.ledger.database import Database
from app.runs.ledger.limits import Ask, Grant, Limits
from app.runs.ledger.tables import PACES
from app.runs.models.answers import Answer
from app.runs.models.asking import ask
from app.runs.models.client import ModelClient
from app.runs.models.endpoints import Endpoint
from app.runs.models.permits import Permits
from tests import databases, replies
from tests.app.runs.models.asked import BODY, QUICK, Asked, ask_all
from tests.faulty_proxy import FaultyProxy

ROOT = Path(__file__).parents[4]


def endpoint(proxy: FaultyProxy, **more: Any) -> Endpoint:
    return Endpoint("fast", proxy.url, ("*",), **more)


class CountingLimits(Limits):
    """Limits that count how often a run renews its slots."""

    renewals = 0

    def renew(self, ask: Ask) -> Grant:
        self.renewals += 1
        return super().renew(ask)


@contextmanager
def worker(folder: Path, holder: str, proxy: FaultyProxy, **told: Any) -> Iterator["subprocess.Popen[str]"]:
    """Start a process that asks an endpoint; `told` has `number`, `at_most` and limits of the endpoint."""
    mine = {"folder": str(folder), "holder": holder, "lease": told.pop("lease", 15)}
    mine |= {name: told.pop(name) for name in ("number", "at_most")} | {"url": told.pop("url", None)}
    given = mine | {"endpoint": {"name": "fast", "base_url": proxy.url, **told}}
    command = [sys.executable, "-m", "tests.app.runs.models.asking_process", json.dumps(given)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_run_has_no_more_out_than_its_own_limit(proxy: FaultyProxy, limits: Limits):
    proxy.delay = 0.1
    asked = ask_all(limits, endpoint(proxy), 12, at_most=3)
    assert all(isinstance(outcome, Answer) for outcome in asked.outcomes)
    assert (len(proxy.seen), proxy.most_at_once) == (12, 3)


def test_slots_are_renewed_about_once_a_second_however_many_requests_there_are(proxy: FaultyProxy, tmp_path: Path):
    database = Database(None, tmp_path)
    limits = CountingLimits(database)
    began = time.monotonic()
    ask_all(limits, endpoint(proxy), 300, at_most=8)
    assert len(proxy.seen) == 300
    assert limits.renewals <= 3 + time.monotonic() - began
    database.close()


def test_a_run_that_may_have_more_than_the_endpoint_has_as_many_as_the_endpoint(proxy: FaultyProxy, limits: Limits):
    proxy.delay = 0.1
    ask_all(limits, endpoint(proxy, max_concurrency=2), 8, at_most=5)
    assert (len(proxy.seen), proxy.most_at_once) == (8, 2)


def test_runs_of_one_worker_divide_what_the_endpoint_allows(proxy: FaultyProxy, limits: Limits):
    proxy.delay = 0.05
    fast = endpoint(proxy, max_concurrency=4)

    async def both() -> None:
        async with (
            ModelClient(fast, None) as client,
            Permits(limits, fast, 10, "one") as one,
            Permits(limits, fast, 10, "two") as two,
        ):
            counted = Asked()
            requests = [ask(client, one, BODY, "k", counted.count) for _ in range(100)]
            requests += [ask(client, two, {**BODY, "user": "two"}, "k", counted.count) for _ in range(30)]
            await asyncio.gather(*requests)

    asyncio.run(both())
    assert (len(proxy.seen), proxy.most_at_once) == (130, 4)
    of_two = [place for place, body in enumerate(proxy.bodies()) if "user" in body]
    assert of_two[0] < 100  # the second run did not wait for the end of the first


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_processes_never_have_more_out_than_the_endpoint_allows_and_none_starves(
    proxy: FaultyProxy, tmp_path: Path, request: pytest.FixtureRequest, engine: str
):
    proxy.delay = 0.05
    url = request.getfixturevalue("postgresql").make_database() if engine == "postgresql" else None
    with ExitStack() as stack:
        told = {"number": 60, "at_most": 8, "max_concurrency": 5, "url": url}
        workers = [stack.enter_context(worker(tmp_path, f"run-{name}", proxy, **told)) for name in "abc"]
        assert [process.communicate()[0] for process in workers] == ["60\n"] * 3
    assert len(proxy.seen) == 180
    assert proxy.most_at_once == 5


@pytest.mark.slow
def test_more_workers_than_the_endpoint_allows_requests_take_turns(proxy: FaultyProxy, tmp_path: Path):
    proxy.delay = 0.05
    with ExitStack() as stack:
        told = {"number": 20, "at_most": 2, "max_concurrency": 1}
        workers = [stack.enter_context(worker(tmp_path, f"run-{name}", proxy, **told)) for name in "abc"]
        assert [process.communicate()[0] for process in workers] == ["20\n"] * 3
    assert (len(proxy.seen), proxy.most_at_once) == (60, 1)


@pytest.mark.slow
def test_what_a_killed_worker_had_out_goes_to_the_others(proxy: FaultyProxy, tmp_path: Path):
    proxy.delay = 600
    told = {"at_most": 4, "max_concurrency": 4, "lease": 4}
    with worker(tmp_path, "killed", proxy, number=4, **told) as killed:
        while len(proxy.seen) < 4:
            time.sleep(0.02)
        with worker(tmp_path, "other", proxy, number=20, **told) as other:
            time.sleep(1)
            assert len(proxy.seen) == 4  # the first has all
            proxy.delay = 0.05
            killed.kill()
            killed.wait()
            assert other.communicate()[0] == "20\n"
    assert (len(proxy.seen), proxy.most_at_once) == (24, 4)


@pytest.mark.slow
def test_a_worker_that_was_stopped_past_its_lease_sends_nothing_until_it_has_slots_again(
    proxy: FaultyProxy, tmp_path: Path
):
    proxy.delay = 0.05
    told = {"at_most": 4, "max_concurrency": 4, "lease": 3}
    with worker(tmp_path, "stopped", proxy, number=100, **told) as stopped:
        while len(proxy.seen) < 20:
            time.sleep(0.02)
        stopped.send_signal(signal.SIGSTOP)
        time.sleep(0.5)
        sent = len(proxy.seen)
        with worker(tmp_path, "other", proxy, number=200, **told) as other:
            while len(proxy.seen) < sent + 20:
                time.sleep(0.02)
            stopped.send_signal(signal.SIGCONT)
            assert other.communicate()[0] == "200\n"
        assert stopped.communicate()[0] == "100\n"
    assert len(proxy.seen) == 300
    assert proxy.most_at_once == 4


@pytest.mark.slow
def test_a_minute_has_no_more_requests_than_the_endpoint_allows_over_all_workers(proxy: FaultyProxy, tmp_path: Path):
    with ExitStack() as stack:
        told = {"number": 25, "at_most": 8, "requests_per_minute": 600}
        workers = [stack.enter_context(worker(tmp_path, f"run-{name}", proxy, **told)) for name in "ab"]
        assert [process.communicate()[0] for process in workers] == ["25\n"] * 2
    times = sorted(seen.at for seen in proxy.seen)
    assert len(times) == 50
    for first, begin in enumerate(times):
        for last, end in enumerate(times[first:], 1):
            assert last <= (end - begin + 1) * 600 / 62 + 1.5  # a start may be up to a second late


def test_a_429_cools_the_endpoint_down_for_other_runs(proxy: FaultyProxy, limits: Limits):
    fast = endpoint(proxy)

    async def both() -> None:
        async with (
            ModelClient(fast, None) as client,
            Permits(limits, fast, 2, "one") as one,
            Permits(limits, fast, 2, "two") as two,
        ):
            counted = Asked()
            proxy.replies(replies.throttled("6"))
            first = asyncio.create_task(ask(client, one, BODY, "k", counted.count))
            await asyncio.sleep(3)  # the other run renews its lease meanwhile
            await ask(client, two, BODY, "k", counted.count)
            await first

    asyncio.run(both())
    first, *others = (seen.at for seen in proxy.seen)
    assert len(others) == 2
    assert min(others) - first >= 6


def test_many_requests_that_are_throttled_together_shrink_what_is_allowed_once(
    proxy: FaultyProxy, limits: Limits, tmp_path: Path
):
    proxy.replies(*[replace(replies.throttled("0"), delay=1)] * 10)

    async def ask_ten() -> None:
        fast = endpoint(proxy)
        async with ModelClient(fast, None) as client, Permits(limits, fast, 10, "run") as permits:
            counted = Asked()
            await asyncio.gather(*(ask(client, permits, BODY, "k", counted.count) for _ in range(10)))

    asyncio.run(ask_ten())
    assert len(proxy.seen) == 20
    database = Database(None, tmp_path)
    with database.read() as connection:
        pace = connection.execute(select(PACES)).one()
    database.close()
    assert 8 <= pace.allowed < 10  # and not 0.8 to the power of 10, of 10


def test_who_gives_up_waiting_takes_no_permit_along(proxy: FaultyProxy, limits: Limits):
    async def give_up() -> None:
        fast = endpoint(proxy, max_concurrency=2)
        async with Permits(limits, fast, 2, "run") as permits:
            async with permits.one(), permits.one():
                waiting = [asyncio.create_task(permits.take()) for _ in range(5)]
                await asyncio.sleep(0.05)
                for task in waiting[:4]:
                    task.cancel()
            waiting[3].cancel()
            assert await asyncio.gather(*waiting, return_exceptions=True)
            permits.give_back()
            async with asyncio.timeout(10), permits.one(), permits.one():
                pass

    asyncio.run(give_up())


@pytest.mark.slow
def test_without_the_ledger_nothing_is_sent_once_the_lease_is_over_and_all_goes_on_with_it(proxy: FaultyProxy):
    proxy.delay = 0.05
    fast = endpoint(proxy)

    async def ask_on(server: databases.PostgreSQL) -> None:
        database = Database(server.make_database(), Path("/nowhere"))
        limits = Limits(database, 2)
        async with ModelClient(fast, None) as client, Permits(limits, fast, 2, "run") as permits:
            counted = Asked()

            async def keep_asking() -> None:
                while True:
                    await ask(client, permits, BODY, "k", counted.count, QUICK)

            asking = asyncio.create_task(keep_asking())
            await asyncio.sleep(0.5)
            await asyncio.to_thread(server.stop)
            stopped = time.monotonic()
            await asyncio.sleep(6)
            assert proxy.seen[-1].at - stopped < 4
            sent = len(proxy.seen)
            await asyncio.to_thread(server.start)
            while len(proxy.seen) < sent + 5:
                assert not asking.done()
                await asyncio.sleep(0.05)
            asking.cancel()
        database.close()

    with databases.postgresql() as server:
        asyncio.run(ask_on(server))
