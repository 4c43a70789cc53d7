"""One run carried out by one worker: from the lease to the manifest."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any

from app.registry.messages import Origin
from app.runs import full_rows, manifests, plans
from app.runs.failures import RunFailed, Stopped
from app.runs.ledger.database import LedgerUnavailable
from app.runs.ledger.leases import Lease, LeaseLost
from app.runs.ledger.runs import Run, RunGone
from app.runs.models.endpoint_fields import EndpointsInvalid
from app.runs.models.verdicts import Refused
from app.runs.services import Runs
from app.runs.work import rollouts, stims
from storage import identities
from storage.errors import RepositoryNotFound, StorageError
from storage.repository import Repository

_LAST_ANSWERS = 5.0  # seconds for answers that are out when the worker is to stop; it is killed after 10
_PAUSE = 5.0  # seconds until a run is tried again whose repo, ledger or endpoints could not be used
_WAITS = (LedgerUnavailable, StorageError, EndpointsInvalid)  # what passes, or what an operator mends
_LOOK = 1.0  # seconds between looks whether the repo is there

_log = logging.getLogger(__name__)


def perform(runs: Runs, run_id: int, holder: str, is_stopping: Callable[[], bool] = lambda: False) -> bool:
    """Carry out a run, unless somebody else does; return whether this caller did, whatever came of it.

    The run is left to whoever is free where the worker is to stop, or where the ledger, the repo or the file
    of endpoints cannot be used.
    """
    lease = runs.leases.take(run_id, holder)
    run = None if lease is None else runs.table.get(run_id)
    if lease is None or run is None:
        return False
    told = f"{run.id}: the {run.kind} of {run.place} {run.target}"
    _log.info("Run %s is carried out", told)
    try:
        _end(runs, run, lease, is_stopping, told)
    except (LeaseLost, RunGone) as error:
        _log.warning("%s", error)
        with suppress(LedgerUnavailable):
            lease.give_up()
    except _WAITS as error:
        _log.warning("Run %s waits: %s", told, error)
        with suppress(LeaseLost, LedgerUnavailable):
            lease.release(_PAUSE)
    return True


def _end(runs: Runs, run: Run, lease: Lease, is_stopping: Callable[[], bool], told: str) -> None:
    """Carry out a run, and write to the ledger what came of it."""
    try:
        _carry_out(runs, run, lease, is_stopping)
    except Stopped:
        lease.release()
    except RunFailed as error:
        _log.warning("Run %s failed: %s", told, error)
        lease.fail(error.kind, str(error))
    except Refused as error:
        _log.warning("Run %s failed: %s", told, error)
        lease.fail("endpoint", str(error))
    except (LeaseLost, RunGone, *_WAITS):
        raise
    except Exception:
        _log.exception("Run %s failed by a fault of the server", told)
        lease.fail("internal", "The server failed. Its log says why, under this run's number.")


def _carry_out(runs: Runs, run: Run, lease: Lease, is_stopping: Callable[[], bool]) -> None:
    repository, looked = _repository(runs, run), time.monotonic()
    told_to_stop: float | None = None

    def check() -> None:
        """Go on only while the worker may, and while the repo is somewhere: rows of one that was deleted cost, too."""
        nonlocal repository, looked, told_to_stop
        if is_stopping():
            told_to_stop = told_to_stop or time.monotonic()
            if time.monotonic() - told_to_stop > _LAST_ANSWERS:
                raise Stopped
        if time.monotonic() - looked > _LOOK:
            looked = time.monotonic()
            if repository.is_gone():
                repository = _repository(runs, run)

    work = stims.carry_out if run.kind == plans.STIM else rollouts.carry_out
    asyncio.run(_until(work(runs, run, lease, is_stopping), check))
    if repository.is_gone():
        repository = _repository(runs, run)
    with lease.kept():  # a large run takes a while to read
        done = runs.table.get(run.id)
        if done is None:
            raise RunGone(run.id)
        if done.listed != done.total:  # a manifest vouches for all rows
            raise RuntimeError(f"run {run.id} ended with {done.listed} of {done.total} rows")
        digest = manifests.digest_of(full_rows.lines(runs, done))
        manifest = manifests.of_run(done, digest)
        commit = manifests.write(repository, manifest, Origin(**done.origin), before=lease.renew)
    lease.complete(commit, digest)
    _log.info("Run %s: the %s of %s %s is complete: %s rows", run.id, run.kind, run.place, run.target, done.done)


async def _until(work: Coroutine[Any, Any, None], check: Callable[[], None]) -> None:
    """Do some work, unless `check`, which is called all the time, raises something."""
    task = asyncio.create_task(work)
    try:
        while not task.done():
            await asyncio.wait((task,), timeout=0.1)
            if not task.done():
                check()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    task.result()


def _repository(runs: Runs, run: Run) -> Repository:
    """Return the repo of a run, wherever it was moved; RunFailed if it is gone."""
    for place in _places(runs, run):
        with suppress(RepositoryNotFound):
            found = runs.repos.open(place)
            if found.identity() == run.repo:
                return found
    raise RunFailed("repo", f"The repo '{run.place}' is not there any more.")


def _places(runs: Runs, run: Run) -> Iterator[str]:
    yield run.place
    moved = identities.find(runs.repos, run.repo)
    if moved is not None:
        yield moved
