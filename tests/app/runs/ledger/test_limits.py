"""What all holders together may ask of an endpoint, by a real ledger whose clock the test moves."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, select

from app.runs.ledger.database import Database
from app.runs.ledger.limits import Ask, Grant, Limits
from app.runs.ledger.tables import PACES, SLOTS

MOST = 5
LEASE = 10.0


class Clocked(Database):
    """A ledger whose clock stands still until the test moves it."""

    time = 1_000.0

    def now(self, _: Connection) -> float:
        return self.time


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Clocked]:
    url = request.getfixturevalue("postgresql").make_database() if request.param == "postgresql" else None
    ledger = Clocked(url, tmp_path)
    yield ledger
    ledger.close()


@pytest.fixture
def file_ledger(tmp_path: Path) -> Iterator[Clocked]:
    """A ledger in a file, for long series of the same few statements."""
    ledger = Clocked(None, tmp_path)
    yield ledger
    ledger.close()


@dataclass
class Holder:
    """A run in a worker, which does as it may."""

    limits: Limits
    name: str
    most: int = MOST
    per_minute: int = 0
    usable: int = 0
    out: int = 0
    until: float = 0
    starts: list[float] = field(default_factory=list)

    def renew(self, now: float, wants: int, starts: int = 0, **more: bool) -> Grant:
        keeps = max(self.out, self.usable) if now < self.until else self.out
        ask = Ask("e", self.name, self.most, keeps, wants, self.per_minute, starts, **more)
        grant = self.limits.renew(ask)
        self.usable, self.until = grant.usable, now + LEASE
        self.starts += [now + seconds for seconds in grant.starts]
        return grant


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["renew", "start", "end", "wait", "die"]), st.integers(0, 3), st.integers(0, 9), st.floats(0, 4)
    ),
    max_size=60,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(STEPS)
def test_never_more_than_the_endpoint_allows_are_out_whatever_holders_do(ledger: Clocked, steps: list):
    with ledger.begin() as connection:
        connection.execute(delete(SLOTS))
        connection.execute(delete(PACES))
    limits = Limits(ledger, LEASE)
    holders = [Holder(limits, name) for name in "abcd"]
    for what, which, wants, seconds in steps:
        holder = holders[which]
        if what == "renew":
            holder.renew(ledger.time, wants)
        elif what == "start" and holder.out < holder.usable and ledger.time < holder.until:
            holder.out += 1
        elif what == "end" and holder.out:
            holder.out -= 1
        elif what == "wait":
            ledger.time += seconds
            for other in holders:
                if ledger.time >= other.until:  # it was killed, and its requests with it
                    other.out = other.usable = 0
        elif what == "die":
            holder.out = holder.usable = 0
            holder.until = 0
            holders[which] = Holder(limits, holder.name + "'")
        assert sum(holder.out for holder in holders) <= MOST


def test_who_is_alone_has_all_and_who_comes_gets_an_equal_part_as_requests_end(ledger: Clocked):
    limits = Limits(ledger, LEASE)
    first, second = Holder(limits, "first"), Holder(limits, "second")
    assert first.renew(ledger.time, 20) == Grant(5)
    first.out = 5
    assert second.renew(ledger.time, 2) == Grant(0, is_settled=False)
    assert first.renew(ledger.time, 20) == Grant(3, is_settled=False)
    assert second.renew(ledger.time, 2) == Grant(0, is_settled=False)
    first.out = 4
    assert first.renew(ledger.time, 20) == Grant(3, is_settled=False)
    assert second.renew(ledger.time, 2) == Grant(1, is_settled=False)
    first.out = 3
    assert first.renew(ledger.time, 20) == Grant(3)
    assert second.renew(ledger.time, 2) == Grant(2)
    limits.release("e", "first")
    assert second.renew(ledger.time, 9) == Grant(5)


def test_what_a_dead_holder_had_is_free_when_its_lease_is_over(ledger: Clocked):
    limits = Limits(ledger, LEASE)
    Holder(limits, "dead").renew(ledger.time, 5)
    alive = Holder(limits, "alive")
    ledger.time += LEASE - 0.1
    assert alive.renew(ledger.time, 5).usable == 0
    ledger.time += 0.1
    assert alive.renew(ledger.time, 5) == Grant(5)


def test_a_holder_that_comes_back_after_its_lease_has_no_more_than_what_is_free(ledger: Clocked):
    limits = Limits(ledger, LEASE)
    stopped, other = Holder(limits, "stopped"), Holder(limits, "other")
    stopped.renew(ledger.time, 5)
    ledger.time += LEASE
    assert other.renew(ledger.time, 5).usable == 5
    stopped.out = 2  # which the endpoint has not answered yet
    assert stopped.renew(ledger.time, 5).usable == 0
    assert other.renew(ledger.time, 5).usable == 2


@pytest.mark.parametrize("most", [1, 2])
def test_more_holders_than_requests_take_turns(file_ledger: Clocked, most: int):
    ledger = file_ledger
    limits = Limits(ledger, LEASE)
    holders = [Holder(limits, name, most) for name in "abc"]
    served = dict.fromkeys("abc", 0)
    for _ in range(90):
        ledger.time += 0.25
        for holder in holders:
            holder.renew(ledger.time, 3)
            holder.out = holder.usable  # each request takes a quarter of a second
            served[holder.name] += holder.out
        assert sum(holder.out for holder in holders) <= most
    assert sum(served.values()) >= 90 * most * 0.7
    assert min(served.values()) >= 0.5 * max(served.values())


@pytest.mark.parametrize(("per_minute", "number"), [(1, 1), (7, 2), (60, 3), (600, 1)])
def test_no_minute_has_more_starts_than_the_endpoint_allows(file_ledger: Clocked, per_minute: int, number: int):
    ledger = file_ledger
    chance = random.Random(per_minute)
    limits = Limits(ledger, LEASE)
    holders = [Holder(limits, name, 100, per_minute) for name in "abc"[:number]]
    began = ledger.time
    while ledger.time < began + 200:
        ledger.time += chance.uniform(0.5, 1.1) / number
        chance.choice(holders).renew(ledger.time, 50, 50)
    given = sorted(start for holder in holders for start in holder.starts)
    late = sorted(start + chance.uniform(0, 1) for start in given)
    for starts in (given, late):
        for first, start in enumerate(starts):
            assert sum(start <= other < start + 60 for other in starts[first : first + 1000]) <= per_minute
    in_time = [start for start in given if start < began + 200]
    assert len(in_time) >= per_minute * 200 / 62 * 0.9 - 1
    if per_minute > 1:
        counts = [len(holder.starts) for holder in holders]
        assert min(counts) >= 0.6 * max(counts)


def test_a_dead_holder_does_not_keep_its_place_in_the_order_of_starts(ledger: Clocked):
    limits = Limits(ledger, LEASE)
    Holder(limits, "dead", 5, 60).renew(ledger.time, 5, 5)
    alive = Holder(limits, "alive", 5, 60)
    ledger.time += 4
    assert len(alive.renew(ledger.time, 5, 5).starts) == 2  # both that are due within a second and a half


def test_a_429_cools_the_endpoint_down_for_all_and_shrinks_what_is_allowed_once(ledger: Clocked):
    limits = Limits(ledger, LEASE)
    one, other = Holder(limits, "one", 100), Holder(limits, "other", 100)
    one.renew(ledger.time, 10)
    other.renew(ledger.time, 10)
    ledger.time += 1
    assert limits.throttled("e", 100, 0.5, 7) == 7
    assert limits.throttled("e", 100, 0.6, None) == 7  # it was out at the same time
    assert one.renew(ledger.time, 10).cool == 7
    assert other.renew(ledger.time, 10).cool == 7
    assert one.renew(ledger.time, 10).usable == 8  # 0.8 of what both had, by two
    assert other.renew(ledger.time, 10).usable == 8
    ledger.time += 7
    assert one.renew(ledger.time, 10) == Grant(8)
    assert limits.throttled("e", 100, 0.1, 1) == 1
    assert one.renew(ledger.time, 10).usable == 6


def test_what_is_allowed_grows_by_a_twentieth_a_second_while_requests_succeed(ledger: Clocked):
    limits = Limits(ledger, LEASE)
    holder = Holder(limits, "one", 20)
    holder.renew(ledger.time, 20)
    limits.throttled("e", 20, 0, 1)
    ledger.time += 1
    assert holder.renew(ledger.time, 20, has_succeeded=False).usable == 16
    seen = []
    for _ in range(10):
        ledger.time += 0.5
        seen.append(holder.renew(ledger.time, 20, has_succeeded=True).usable)
    assert seen == [16, 16, 17, 17, 18, 18, 19, 19, 20, 20]
    assert holder.renew(ledger.time + 9, 20).usable == 20


def test_an_endpoint_that_does_not_say_how_long_is_left_alone_longer_each_time(ledger: Clocked):
    limits = Limits(ledger, LEASE)
    waits = []
    for _ in range(8):
        waits.append(limits.throttled("e", 20, 0, None))
        ledger.time += waits[-1] + 1
    for strikes, wait in enumerate(waits, 1):
        assert min(60, 2**strikes) / 2 <= wait <= min(60, 2**strikes)
    holder = Holder(limits, "one", 20)
    holder.renew(ledger.time, 20, has_succeeded=True)
    assert limits.throttled("e", 20, 0, None) <= 2


def test_an_endpoint_that_wants_a_long_pause_is_left_alone_for_up_to_an_hour(ledger: Clocked):
    limits = Limits(ledger, LEASE)
    assert limits.throttled("e", 20, 0, 3_000) == 3_000
    assert limits.throttled("e", 20, 0, 86_400) == 3_600
    ledger.time += 3_599
    assert Holder(limits, "one", 20).renew(ledger.time, 20).cool == 1


@pytest.mark.parametrize("ahead", [30, 3_600, 10**7])
def test_a_clock_that_was_ahead_and_is_put_right_stops_no_endpoint(ledger: Clocked, ahead: float):
    limits = Limits(ledger, LEASE)
    ledger.time += ahead
    Holder(limits, "dead").renew(ledger.time, MOST)
    limits.throttled("e", MOST, 0.1, 5)
    ledger.time -= ahead
    alive = Holder(limits, "alive")
    assert alive.renew(ledger.time, MOST).cool == 5
    assert limits.throttled("e", MOST, 0.1, 2) == 5
    ledger.time += 5
    assert alive.renew(ledger.time, MOST).cool == 0
    ledger.time += LEASE - 5
    assert alive.renew(ledger.time, MOST).usable == 4  # all that the 429 left


@pytest.mark.parametrize("ahead", [30, 3_600, 10**7])
def test_a_clock_that_was_ahead_delays_the_next_start_by_no_more_than_one_interval(ledger: Clocked, ahead: float):
    limits = Limits(ledger, LEASE)
    holder = Holder(limits, "one", per_minute=31)  # one each two seconds
    ledger.time += ahead
    assert len(holder.renew(ledger.time, 5, 5).starts) == 1
    ledger.time -= ahead
    assert holder.renew(ledger.time, 5, 5).starts == ()
    ledger.time += 2.5
    assert len(holder.renew(ledger.time, 5, 5).starts) >= 1


def test_holders_that_are_alive_keep_what_they_have_when_a_clock_is_put_right(ledger: Clocked):
    limits = Limits(ledger, LEASE)
    first, second = Holder(limits, "first"), Holder(limits, "second")
    ledger.time += 3_600
    assert first.renew(ledger.time, 9).usable == MOST
    first.out = MOST
    ledger.time -= 3_600
    assert second.renew(ledger.time, 9).usable == 0
    first.out = 3
    for _ in range(2):
        assert first.renew(ledger.time, 9).usable == 2
    assert second.renew(ledger.time, 9).usable == 2


def test_what_is_allowed_is_never_less_than_one(ledger: Clocked):
    limits = Limits(ledger, LEASE)
    for _ in range(30):
        limits.throttled("e", 20, 0, 1)
        ledger.time += 2
    assert Holder(limits, "one", 20).renew(ledger.time, 20).usable == 1


def test_each_endpoint_has_slots_of_its_own_and_holders_that_are_over_leave_nothing(ledger: Clocked):
    limits = Limits(ledger, LEASE)
    assert limits.renew(Ask("e", "one", 5, 0, 5)).usable == 5
    assert limits.renew(Ask("f", "one", 5, 0, 5)).usable == 5
    limits.release("e", "one")
    limits.renew(Ask("f", "other", 5, 0, 5))
    ledger.time += LEASE
    limits.renew(Ask("f", "third", 5, 0, 5))
    with ledger.read() as connection:
        assert connection.execute(select(func.count()).select_from(SLOTS)).scalar() == 1


def test_holders_that_ask_at_the_same_moment_get_no_more_than_there_is(ledger: Clocked):
    limits = Limits(ledger, LEASE)
    counting, out, most = Lock(), Counter[str](), 0

    def work(name: str) -> None:
        nonlocal most
        holder = Holder(limits, name)
        for _ in range(12):
            holder.renew(ledger.time, 9)
            with counting:
                out[name] = holder.out = holder.usable
                most = max(most, out.total())
            holder.out //= 2
            with counting:
                out[name] = holder.out
        limits.release("e", name)
        out[name] = 0

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, "abcdef"))
    assert most == MOST
