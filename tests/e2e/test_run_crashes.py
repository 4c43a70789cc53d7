"""Workers and servers that are killed, stopped or told to end while they carry out runs: each row is there once."""

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faulty_proxy import FaultyProxy
from tests.seams import wait_until
from tests.torture import runs
from tests.torture.runs import LEASE, STIMULI, TRAJECTORIES, House, carry_out, check, make_target, open_house

TOTAL = STIMULI * TRAJECTORIES


@pytest.mark.slow
@pytest.mark.parametrize("on_servers", [False, True], ids=["SQLite", "PostgreSQL and Redis"])
def test_kill_9_loses_no_row_and_doubles_none(on_servers: bool):
    (line,) = runs.run(rounds=5, seed=0, on_servers=on_servers)
    assert "none lost, none twice" in line


@pytest.fixture
def proxy() -> Iterator[FaultyProxy]:
    """A model that takes its time."""
    with FaultyProxy(delay=0.2) as proxy:
        yield proxy


@pytest.fixture
def house(tmp_path: Path, proxy: FaultyProxy) -> Iterator[House]:
    with open_house(tmp_path / "data", proxy.url) as house:
        yield house


def told(house: House) -> str:
    return "".join(log.read_text() for log in house.logs)


@pytest.mark.slow
def test_a_worker_that_was_stopped_past_its_lease_writes_nothing_more(house: House, proxy: FaultyProxy):
    address = make_target(house, "a")
    with ThreadPoolExecutor(1) as pool:
        going_on = pool.submit(carry_out, house, address)
        wait_until(lambda: len(proxy.seen) > TOTAL // 5)
        for worker in house.workers:  # whichever has the run
            worker.send_signal(signal.SIGSTOP)
        stopped = house.workers
        house.workers = []
        time.sleep(LEASE)
        house.heal(workers=1)
        status = going_on.result()
    before = house.ask("GET", f"{address}/rollout/rows")
    assert len(before.splitlines()) == TOTAL
    for worker in stopped:
        worker.send_signal(signal.SIGCONT)
    wait_until(lambda: "is no longer this worker's" in told(house))
    house.workers += stopped
    time.sleep(1)  # it may still send what was counted before it was stopped
    assert house.ask("GET", f"{address}/rollout/rows") == before
    assert house.insist("GET", f"{address}/rollout") == status
    check(house, address, status, proxy.seen)


@pytest.mark.slow
def test_a_worker_that_is_told_to_end_hands_its_run_over_at_once(house: House, proxy: FaultyProxy):
    """The next worker need not wait until a lease has run out."""
    address = make_target(house, "a")
    with ThreadPoolExecutor(1) as pool:
        going_on = pool.submit(carry_out, house, address)
        wait_until(lambda: len(proxy.seen) > TOTAL // 5)
        house.workers[0].terminate()
        house.workers[0].wait(timeout=60)
        assert house.workers[0].returncode == 0
        status = going_on.result()
    check(house, address, status, proxy.seen)
    assert "waits" not in told(house)


@pytest.mark.slow
def test_many_who_start_the_same_run_start_it_once(house: House, proxy: FaultyProxy):
    house.heal(workers=3)
    address = make_target(house, "a")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: carry_out(house, address), range(8)))
    assert len({status["job_id"] for status in answers}) == 1
    assert len(proxy.seen) == TOTAL
    assert check(house, address, answers[0], proxy.seen) == (0, 0)
    runs_of_repo = json.loads(house.ask("GET", "/v1/repo/runs/runs"))["runs"]
    assert sorted(run["kind"] for run in runs_of_repo) == ["rollout", "stim"]
