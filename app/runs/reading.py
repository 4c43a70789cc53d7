"""What is read of runs: which run a request means, which runs there are, and their rows."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from app.domain.errors import NotFound
from app.domain.manifests import KINDS, Kind
from app.registry.messages import Origin
from app.runs import full_rows, plans
from app.runs.failures import NotReady
from app.runs.ledger.runs import ListedRun, Run
from app.runs.models.endpoint_fields import EndpointsInvalid
from app.runs.recipe import keys, rows
from app.runs.services import Runs
from storage.errors import RevisionNotFound
from storage.ids import CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot

_PAGE = 100  # runs that are read from the ledger at a time
_MOST_LOOKED_AT = 1000  # runs, for one answer

_log = logging.getLogger(__name__)


class NoRun(Exception):
    """There is no such run. The message says what to do."""


class PageTooLarge(Exception):
    """The rows of a page come to more bytes than one answer may have."""

    def __init__(self, most: int, limit: int) -> None:
        super().__init__(f"These rows come to more than {most} bytes of JSON: ask with a limit below {limit}.")


@dataclass(frozen=True, slots=True)
class Found:
    """The run that a request means, None where there is none. A stale one is not that of the target as it is now.

    While nobody can tell, since the operator's file of endpoints cannot be read, no run is stale. `problems` say what
    keeps the run of the target as it is now from starting.
    """

    run: Run | None
    is_stale: bool = False
    problems: Sequence[str] = ()


def current(runs: Runs, repository: Repository, target: str, kind: Kind) -> Found:
    """Return the run of a target as it is now, else the one that was started last; NotFound without the target."""
    now = _now(runs, repository, target, kind)
    if now.run is not None:
        return Found(now.run)
    last = runs.table.latest(repository.identity(), target, kind)
    return Found(last, now.is_known and last is not None, now.problems)


def at(runs: Runs, repository: Repository, snapshot: Snapshot, target: str, kind: Kind) -> Found:
    """Return the run of a target as it was at a commit; NoRun if there is none, NotFound without the target.

    That is the last one that was started at this commit or before with the same content, else the first after it. The
    content is what git has of the inputs of a run, since data sets and endpoints may be others by now.
    """
    wanted, position = plans.content(snapshot, target, kind), repository.position(snapshot.commit)
    stims: dict[int, Mapping[str, Any]] = {}
    chosen = None
    for one in islice(_newest_first(runs, repository, target), _MOST_LOOKED_AT):
        if one.kind == kind and _content(runs, one, stims) == wanted:
            chosen = one
            if _is_until(repository, one, position):
                break
    run = None if chosen is None else runs.table.get(chosen.id)
    if run is None:
        raise NoRun(
            f"Target '{target}' as it was at commit {snapshot.commit} has no {kind}. "
            f"GET …/targets/{target}/runs lists the target's runs, each with its commit."
        )
    return Found(run, is_stale=is_stale(runs, repository, run))


def is_stale(runs: Runs, repository: Repository, run: Run) -> bool:
    """Tell whether the target of a run as it is now would be another run, or was deleted."""
    try:
        now = _now(runs, repository, run.target, run.kind)
    except NotFound:  # the target was deleted since
        return True
    return now.is_known and (now.run is None or now.run.id != run.id)


def page_of_runs(
    runs: Runs, repository: Repository, target: str | None, until: CommitId | None, before: int | None, limit: int
) -> tuple[list[ListedRun], int | None]:
    """Return runs of a repo or of a target, newest first, and what the next page is before, None at the end.

    With `until` only runs of this commit and of commits before it. `before` is a run's id.
    """
    last = None if until is None else repository.position(until)
    found: list[ListedRun] = []
    for number, run in enumerate(_newest_first(runs, repository, target, before)):
        if number == _MOST_LOOKED_AT or len(found) == limit:
            return found, before
        if last is None or _is_until(repository, run, last):
            found.append(run)
        before = run.id
    return found, None


def cancel(runs: Runs, repository: Repository, target: str, kind: Kind, origin: Origin) -> Found:
    """Cancel the runs of a kind of a target that go on, and return what `current` does; NoRun if there is none.

    `origin` says who cancels them, and why.
    """
    identity = repository.identity()
    for run_id in runs.table.going_on(identity, target, kind):
        cancel_one(runs, run_id, origin)
    last = runs.table.latest(identity, target, kind)
    if last is None:
        raise NoRun(f"Target '{target}' has no {kind} that could be cancelled: none was started.")
    try:
        return current(runs, repository, target, kind)
    except NotFound:  # the target was deleted since
        return Found(last, is_stale=True)


def cancel_one(runs: Runs, run_id: int, origin: Origin) -> bool:
    """Cancel a run if it goes on, and return whether it did."""
    by = _by(origin)
    was_going_on = runs.table.cancel(run_id, f"Cancelled by {by}")
    if was_going_on:
        _log.info("Run %s: cancelled by %s", run_id, by)
    return was_going_on


def delete(runs: Runs, repository: Repository, target: str, key: str, origin: Origin) -> Run:
    """Delete a run and its rows, and return what it was; NoRun if there is none, InUse where it is needed still.

    `origin` says who deletes it, and why.
    """
    run = named(runs, repository, target, key)
    if run is None:
        raise NoRun(f"Target '{target}' has no run with the key {key}. GET …/targets/{target}/runs lists its runs.")
    runs.deletions.delete(run.id)
    _log.info("Run %s: the %s of %s %s was deleted by %s", run.id, run.kind, run.place, run.target, _by(origin))
    return run


def named(runs: Runs, repository: Repository, target: str, key: str) -> Run | None:
    """Return the run of a target with a key, or None."""
    found = (runs.table.find(repository.identity(), target, kind, key) for kind in KINDS)
    return next(filter(None, found), None)


def cost(runs: Runs, run: ListedRun) -> float | None:
    """Return what the tokens of a run cost by the prices of today; None without prices, or for several endpoints."""
    generators = run.inputs.get("generators", [])
    names = {found["endpoint"] for found in (run.inputs, *generators) if "endpoint" in found}
    if len(names) != 1:
        return None
    with suppress(EndpointsInvalid):
        endpoint = runs.endpoints.named(names.pop())
        return None if endpoint is None else endpoint.cost(run.tokens_in, run.tokens_out)
    return None


def output(runs: Runs, run: Run, offset: int, limit: int, most: int) -> list[bytes]:
    """Return finished rows of a run from a position on, as JSON; PageTooLarge if these have more than `most` bytes."""
    if sum(full_rows.lengths(runs, run, offset, limit)) > most:
        raise PageTooLarge(most, limit)
    found: list[bytes] = []
    size = 0
    for row, _ in full_rows.read(runs, run, offset, limit):
        found.append(rows.line(row).removesuffix(b"\n"))
        size += len(found[-1])
        if size > most:
            raise PageTooLarge(most, limit)
    return found


def _by(origin: Origin) -> str:
    """Return who does something, and why: the end of a sentence."""
    return f"{origin.user_id}: {origin.reason}" if origin.reason else f"{origin.user_id}."


class _Now(NamedTuple):
    """The run of a target as it is now, whether that can be told, and what keeps it from starting."""

    run: Run | None
    is_known: bool = True
    problems: Sequence[str] = ()


def _now(runs: Runs, repository: Repository, target: str, kind: Kind) -> _Now:
    """Return the run of a target as it is now; not known while the endpoints cannot be read."""
    try:
        # Whoever may only read must not have the server load anything.
        plan = plans.make(runs, repository, repository.head(), target, kind, may_load=False)
    except NotReady as error:
        return _Now(None, problems=error.problems)
    except EndpointsInvalid as error:
        return _Now(None, is_known=False, problems=[str(error)])
    return _Now(runs.table.find(repository.identity(), target, kind, plan.key))


def _newest_first(
    runs: Runs, repository: Repository, target: str | None, before: int | None = None
) -> Iterator[ListedRun]:
    identity = repository.identity()
    while page := runs.table.list(identity, target, before=before, limit=_PAGE):
        yield from page
        before = page[-1].id


def _is_until(repository: Repository, run: ListedRun, last: int) -> bool:
    try:
        return repository.position(CommitId(run.commit)) <= last
    except RevisionNotFound:  # an operator put the branch back
        return False


def _content(runs: Runs, run: ListedRun, stims: dict[int, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return what git had of all that a run depends on. `stims` keeps the inputs of stims from one run to the next."""
    if run.stim is None:
        return keys.of_git(run.inputs)
    if run.stim not in stims:
        found = runs.table.get(run.stim)
        stims[run.stim] = {} if found is None else found.inputs
    return keys.of_git(run.inputs, stims[run.stim])
