"""One run carried out by one worker: from the lease to the manifest."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any

from app.registry.messages import Origin
from app.runs import full_rows, manifests
from app.runs.failures import RunFailed
from app.runs.ledger.database import LedgerUnavailable
from app.runs.ledger.leases import Lease, LeaseLost
from app.runs.ledger.runs import Run, RunGone
from app.runs.models.endpoint_fields import EndpointsInvalid
from app.runs.models.verdicts import Refused
from app.runs.services import Runs
from app.runs.work import rollouts, stims
from storage.errors import RepositoryNotFound, StorageError
from storage.repository import Repository

_PAUSE = 5.0  # seconds until a run is tried again whose repo or ledger could not be used

_log = logging.getLogger(__name__)


class Stopped(Exception):
    """The worker was told to stop."""


def perform(runs: Runs, run_id: int, holder: str, is_stopping: Callable[[], bool] = lambda: False) -> bool:
    """Carry out a run, unless somebody else does; return whether this caller did, whatever came of it.

    The run is left to whoever is free where the worker is to stop, or where the ledger or the repo cannot be used.
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
    except (LedgerUnavailable, StorageError) as error:
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
    except (Refused, EndpointsInvalid) as error:
        _log.warning("Run %s failed: %s", told, error)
        lease.fail("endpoint", str(error))
    except (LeaseLost, RunGone, LedgerUnavailable, StorageError):
        raise
    except Exception:
        _log.exception("Run %s failed by a fault of the server", told)
        lease.fail("internal", "The server failed. Its log says why, under this run's number.")


def _carry_out(runs: Runs, run: Run, lease: Lease, is_stopping: Callable[[], bool]) -> None:
    repository = _repository(runs, run)
    work = stims.carry_out if run.stim is None else rollouts.carry_out
    asyncio.run(_until_stopped(work(runs, run, lease), is_stopping))
    with lease.kept():  # a large run takes a while to read
        done = runs.table.get(run.id)
        if done is None:
            raise RunGone(run.id)
        digest = manifests.digest_of(full_rows.lines(runs, done))
        manifest = manifests.of_run(done, digest)
        commit = manifests.write(repository, manifest, Origin(**done.origin), before=lease.renew)
    lease.complete(commit, digest)
    _log.info("Run %s: the %s of %s %s is complete: %s rows", run.id, run.kind, run.place, run.target, done.done)


async def _until_stopped(work: Coroutine[Any, Any, None], is_stopping: Callable[[], bool]) -> None:
    """Do some work; Stopped where the worker is to stop before it is done."""
    task = asyncio.create_task(work)
    while not task.done():
        await asyncio.wait((task,), timeout=0.1)
        if is_stopping() and not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise Stopped
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
    moved = runs.repos.find(run.repo)
    if moved is not None:
        yield moved
