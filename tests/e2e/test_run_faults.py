"""A ledger or a queue that is gone for a while: requests are answered 503, runs wait, and go on by themselves."""

import json
import sqlite3
import time
import urllib.error
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.databases import PostgreSQL, Redis
from tests.e2e.disks import fill
from tests.faulty_proxy import FaultyProxy
from tests.seams import wait_until
from tests.torture.runs import LEASE, STIMULI, TRAJECTORIES, House, carry_out, check, make_target, open_house

TOTAL = STIMULI * TRAJECTORIES
Trouble = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def proxy() -> Iterator[FaultyProxy]:
    """A model that takes its time."""
    with FaultyProxy(delay=0.1) as proxy:
        yield proxy


def refused(house: House, address: str) -> str:
    """Start a run, expect that it is refused for now, and return why."""
    with pytest.raises(urllib.error.HTTPError) as raised:
        house.ask("POST", f"{address}/stim")
    with raised.value as answer:
        told = json.load(answer)
        assert (answer.code, told["code"]) == (503, "STORAGE_UNAVAILABLE"), told
        assert int(answer.headers["Retry-After"]) > 0
    return str(told["message"])


def go_through(house: House, proxy: FaultyProxy, trouble: Trouble) -> str:
    """Start a run, have trouble for longer than a lease lasts, and expect that the run goes on by itself after it.

    Return why requests were refused meanwhile.
    """
    address, other = make_target(house, "a"), make_target(house, "b")
    with ThreadPoolExecutor(1) as pool:
        going_on = pool.submit(carry_out, house, address)
        wait_until(lambda: len(proxy.seen) > TOTAL // 5)
        with trouble():
            reason = refused(house, other)
            time.sleep(1.5 * LEASE)
        status = going_on.result()
    check(house, address, status, proxy.seen)
    carry_out(house, other)
    return reason


@pytest.mark.slow
def test_a_full_disk(small_disk: Path, tmp_path: Path, proxy: FaultyProxy):
    @contextmanager
    def full() -> Iterator[None]:
        fill(small_disk / "filler")
        try:
            yield
        finally:
            (small_disk / "filler").unlink()

    with open_house(small_disk / "data", proxy.url, logs=tmp_path) as house:
        assert "full" in go_through(house, proxy, full)


@pytest.mark.slow
def test_a_ledger_that_another_process_locks(tmp_path: Path, proxy: FaultyProxy):
    @contextmanager
    def locked() -> Iterator[None]:
        other = sqlite3.connect(tmp_path / "data/runs.sqlite", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            other.rollback()
            other.close()

    with open_house(tmp_path / "data", proxy.url) as house:
        assert "locked" in go_through(house, proxy, locked)


@pytest.mark.slow
def test_a_ledger_that_is_moved_away_and_back(tmp_path: Path, proxy: FaultyProxy):
    ledger = tmp_path / "data/runs.sqlite"

    @contextmanager
    def gone() -> Iterator[None]:
        ledger.rename(tmp_path / "elsewhere")
        try:
            yield
            assert not ledger.exists()
        finally:
            (tmp_path / "elsewhere").rename(ledger)

    with open_house(tmp_path / "data", proxy.url) as house:
        assert "runs.sqlite is gone" in go_through(house, proxy, gone)


@pytest.mark.slow
def test_a_postgresql_that_ends_and_comes_back(tmp_path: Path, proxy: FaultyProxy, postgresql: PostgreSQL):
    @contextmanager
    def ended() -> Iterator[None]:
        postgresql.kill()
        try:
            yield
        finally:
            postgresql.start()

    with open_house(tmp_path / "data", proxy.url, database_url=postgresql.make_database()) as house:
        assert "refused" in go_through(house, proxy, ended)


@pytest.mark.slow
def test_a_redis_that_is_gone_delays_nobody_for_long(tmp_path: Path, proxy: FaultyProxy, redis: Redis):
    """Workers look into the ledger meanwhile: the second run starts and ends without Redis."""

    def make(name: str) -> None:
        first = len(proxy.seen)
        address = make_target(house, name)
        check(house, address, carry_out(house, address), proxy.seen[first:])

    with open_house(tmp_path / "data", proxy.url, queue_url=redis.make_database()) as house:
        make("a")
        redis.stop()
        try:
            make("b")
        finally:
            redis.start()
        make("c")
