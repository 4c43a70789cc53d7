"""A ledger that cannot be read for a while, in the middle of a rollout."""

import pytest
from flask import Flask

from app.runs.ledger.database import LedgerUnavailable
from app.runs.ledger.rows import Row, RowTable
from app.runs.work.performing import perform
from tests.app.api.runs import ROLLOUT, STIM, make_target, runs_of, serve_models, start
from tests.client import Client
from tests.faulty_proxy import FaultyProxy

pytestmark = pytest.mark.alone  # the lease is a second
NUMBER = 250  # stimuli, which are read in three parts


@pytest.fixture
def job(app: Flask, alice: Client, proxy: FaultyProxy) -> int:
    """A rollout that waits for a worker."""
    object.__setattr__(runs_of(app).settings, "run_lease", 1)
    serve_models(app, proxy.url)
    questions = [f"What is {number}?" for number in range(NUMBER)]
    make_target(alice, generators=[{"type": "hardcoded", "questions": questions}], num_traj_per_stimulus=1)
    start(alice, STIM)
    job: int = start(alice, ROLLOUT)["job_id"]
    return job


def fail_reads(patch: pytest.MonkeyPatch, first: int, end: int) -> None:
    """Have the ledger refuse to read rows, from one time that it is asked until before another."""
    page, times = RowTable.page, iter(range(10**6))

    def refuse(table: RowTable, run_id: int, width: int, offset: int, limit: int, *, bodies: bool = False) -> list[Row]:
        if first <= next(times) < end:
            raise LedgerUnavailable("server closed the connection")
        return page(table, run_id, width, offset, limit, bodies=bodies)

    patch.setattr(RowTable, "page", refuse)


@pytest.mark.parametrize("first", [0, 1, 2])
def test_a_read_that_fails_for_a_moment_ends_no_rollout(
    app: Flask, alice: Client, proxy: FaultyProxy, job: int, monkeypatch: pytest.MonkeyPatch, first: int
):
    with monkeypatch.context() as patch:
        fail_reads(patch, first, first + 1)
        perform(runs_of(app), job, "worker")
    status = alice.get(ROLLOUT).json
    assert (status["status"], status["error"], status["lines"]) == ("complete", None, NUMBER)
    assert len(proxy.seen) == NUMBER


def test_a_rollout_waits_for_a_ledger_that_cannot_be_read_for_longer(
    app: Flask, job: int, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        fail_reads(patch, 1, 10**6)
        perform(runs_of(app), job, "worker")
    found = runs_of(app).table.get(job)
    assert found is not None
    assert (found.state, found.error, found.done) == ("running", None, 100)
