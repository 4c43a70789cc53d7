"""The start of a run: what is missing is told at once, and what was made is not made again."""

import time
from dataclasses import asdict

from app.domain.manifests import Kind
from app.registry.messages import Origin
from app.runs import plans
from app.runs.failures import BudgetSpent, NotReady
from app.runs.ledger.runs import BUDGET, FAILED, RUNNING, NewRun, Run, StimGone
from app.runs.services import Runs
from app.runs.work import performing
from app.runs.work.budget import Budget
from storage.repository import Repository

_PATIENCE = 2.0  # seconds that a caller waits for a run to end
_LOOKS = 0.02  # seconds between looks at a run that goes on


def start(runs: Runs, place: str, repository: Repository, target: str, kind: Kind, origin: Origin) -> Run:
    """Start the run of a target as it is now, and wait a little for its end; return the run as it is by then.

    A run with the same key is joined, or goes on where it failed. A run that asks no model is over when this returns.
    Raises NotFound, NotReady, BudgetSpent and LedgerUnavailable.
    """
    snapshot = repository.head()
    plan = plans.make(runs, repository, snapshot, target, kind)
    identity = repository.identity()
    _check_budget(runs, runs.table.find(identity, target, kind, plan.key))
    new = NewRun(
        identity,
        place,
        target,
        kind,
        plan.key,
        snapshot.commit,
        plan.inputs,
        plan.config,
        plan.context,
        asdict(origin),
        plan.total,
        plan.warnings,
        plan.stim,
    )
    try:
        run = runs.table.start(new)
    except StimGone as error:
        raise NotReady([str(error)]) from error
    if run.state != RUNNING:
        return run
    if not plan.needs_model:
        performing.perform(runs, run.id, "web")
        run = runs.table.get(run.id) or run
    else:
        runs.wake()
    return _wait(runs, run, origin.user_id)


def _check_budget(runs: Runs, found: Run | None) -> None:
    """Raise BudgetSpent where a run failed for its budget, and may use no more now, either."""
    budget = runs.settings.run_budget
    if found is None or (found.state, found.error_type) != (FAILED, BUDGET):
        return
    spent = found.tokens_in + found.tokens_out
    is_spent = budget and spent >= budget if found.stim is None else Budget(budget, found).shortage()
    if is_spent:
        raise BudgetSpent(
            f"The run used {spent} tokens, and BAKEHOUSE_RUN_BUDGET allows {budget}. Ask the operator to raise it."
        )


def _wait(runs: Runs, run: Run, user: str) -> Run:
    """Wait a little for the end of a run, unless other requests of the user wait already."""
    with runs.waits.place(user) as may_wait:
        deadline = time.monotonic() + (_PATIENCE if may_wait else 0)
        while run.state == RUNNING and time.monotonic() < deadline:
            time.sleep(_LOOKS)
            run = runs.table.get(run.id) or run
    return run
