"""The turns of a user: who keeps a worker busy leaves the others their threads, and is told to wait."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest
from flask import Flask

from app.wire import turns
from app.wire.turns import TooBusy, Turns
from tests.client import Client, assert_error
from tests.seams import wait_until

TARGETS = "/v1/repo/demo/targets"


class Clock:
    """The time that passes, and the time that the processor worked, as the test sets them."""

    def __init__(self) -> None:
        self.now = time.monotonic()
        self.worked = 0.0

    def monotonic(self) -> float:
        return self.now

    def thread_time(self) -> float:
        return self.worked


@contextmanager
def working(of: Turns, user: str) -> Iterator[None]:
    turn = of.begin(user)
    try:
        yield
    finally:
        of.end(turn)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(turns, "time", clock)
    return clock


@pytest.fixture
def work(clock: Clock) -> Callable[[Turns, str, float], None]:
    """Return a function that lets a user take some seconds of the processor."""

    def take(of: Turns, user: str, seconds: float) -> None:
        with working(of, user):
            clock.worked += seconds

    return take


def test_a_user_alone_has_all_threads(clock: Clock, work: Callable[..., None]):
    of = Turns(8)
    work(of, "alice", 5.0)
    with ExitStack() as held:
        for _ in range(50):
            held.enter_context(working(of, "alice"))
            clock.now += 1


def test_a_user_whose_requests_are_long_is_refused_beside_others(clock: Clock, work: Callable[..., None]):
    of = Turns(2)
    work(of, "alice", 5.0)
    work(of, "bob", 0.001)
    with working(of, "alice"):
        clock.now += 1
        with pytest.raises(TooBusy), working(of, "alice"):
            pass
        for _ in range(10):
            work(of, "bob", 0.001)
    work(of, "alice", 0.0)


def test_short_requests_wait_and_none_is_refused(work: Callable[..., None]):
    of = Turns(8)
    work(of, "alice", 5.0)
    work(of, "bob", 0.001)
    at_once, most, lock = 0, 0, threading.Lock()

    def ask(_: int) -> None:
        nonlocal at_once, most
        with working(of, "alice"):
            with lock:
                at_once += 1
                most = max(most, at_once)
            with lock:
                at_once -= 1

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(ask, range(500)))
    assert most == 1


def test_who_takes_little_never_waits(clock: Clock, work: Callable[..., None]):
    of = Turns(2)
    work(of, "alice", 5.0)
    with working(of, "alice"), working(of, "bob"), working(of, "bob"), working(of, "bob"):
        clock.now += 1


def test_what_was_taken_counts_less_with_time(clock: Clock, work: Callable[..., None]):
    of = Turns(2)
    work(of, "alice", 5.0)
    clock.now += 20
    work(of, "bob", 0.001)
    with working(of, "alice"), working(of, "alice"):
        pass


def test_a_turn_ends_also_where_its_request_fails(work: Callable[..., None]):
    of = Turns(2)
    for _ in range(5):
        with pytest.raises(ValueError, match="no"), working(of, "alice"):
            raise ValueError("no")
    work(of, "alice", 5.0)
    work(of, "bob", 0.001)
    done = threading.Event()
    with working(of, "alice"):
        waiting = threading.Thread(target=lambda: (work(of, "alice", 0.0), done.set()))
        waiting.start()
        assert not done.is_set()
    wait_until(done.is_set)
    waiting.join()


def test_the_refusal_is_429_and_others_go_on(app: Flask, alice: Client, master: Client, clock: Clock):
    of = app.extensions["bakehouse"].turns
    with ExitStack() as held:
        for _ in range(4):
            held.enter_context(working(of, "alice"))
        with working(of, "alice"):
            clock.worked += 5.0
        assert master.get("/v1/repo").status_code == 200
        clock.now += 1
        response = alice.get(TARGETS)
        assert_error(response, 429, "RATE_LIMITED", "other users wait")
        assert response.headers["Retry-After"] == "1"
        assert master.get("/v1/repo").status_code == 200
    assert alice.get(TARGETS).status_code == 200


def test_the_streams_of_one_user_leave_threads_to_others():
    worker = Turns(8)
    with working(worker, "alice"):
        alone = [worker.stream("alice") for _ in range(8)]  # nobody else is there
    for end in alone:
        end()
    with working(worker, "bob"), working(worker, "alice"):
        ends = [worker.stream("alice") for _ in range(6)]
        with pytest.raises(TooBusy):
            worker.stream("alice")
        worker.stream("bob")()
        ends.pop()()
        worker.stream("alice")()


def test_answers_that_wait_for_what_happens_take_a_quarter_of_the_threads_at_most():
    worker = Turns(8)
    first = worker.watch("alice")
    with pytest.raises(TooBusy):
        worker.watch("alice")  # half of them is for others
    second = worker.watch("bob")
    with pytest.raises(TooBusy):
        worker.watch("carol")
    first()
    worker.watch("carol")()
    second()
    small = Turns(3)
    with pytest.raises(TooBusy):
        small.watch("alice")


def test_answers_that_wait_make_room_for_answers_in_pieces():
    worker = Turns(8)
    end = worker.watch("alice")
    streams = [worker.stream("bob") for _ in range(3)]
    assert worker.may_watch_on()
    with pytest.raises(TooBusy):
        worker.watch("carol")
    streams.append(worker.stream("bob"))
    assert not worker.may_watch_on()
    end()
    for stream in streams:
        stream()
    worker.watch("alice")()


def test_nobody_watches_in_a_worker_that_is_to_stop():
    worker = Turns(8)
    end = worker.watch("alice")
    worker.close()
    assert not worker.may_watch_on()
    end()
    with pytest.raises(TooBusy):
        worker.watch("alice")


def test_a_user_whose_load_has_faded_waits_no_longer_beside_a_request_that_takes_nothing():
    worker = Turns(8)
    with working(worker, "bob"):
        pass
    with working(worker, "alice"):
        pass
    worker._uses["alice"].seconds = 1.0
    with working(worker, "alice"), ThreadPoolExecutor(1) as pool:  # the first waits for a slow client

        def another() -> bool:
            with working(worker, "alice"):
                return True

        assert pool.submit(another).result(timeout=60)
