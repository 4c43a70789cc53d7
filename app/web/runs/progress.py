"""How far a run is, in words and figures that a page shows and its script replaces."""

from typing import Any

from app.runs import reading
from app.runs.ledger.runs import COMPLETE, RUNNING, ListedRun
from app.runs.services import Runs
from app.web.parts.runs import state_of

_STEP = 25  # percent between two milestones


def told(runs: Runs, run: ListedRun) -> dict[str, Any]:
    """Return how far a run is: `texts` by name, and what a screen reader should `say` once it changes."""
    cost = reading.cost(runs, run)
    counts = {
        "done": run.done,
        "total": run.total,
        "failed": run.failed,
        "truncated": run.truncated,
        "empty": run.empty,
        "requests": run.requests,
        "retries": run.retries,
        "repeated": run.repeated_requests,
        "tokens_in": run.tokens_in,
        "tokens_out": run.tokens_out,
    }
    texts = {
        "state": state_of(run)[0],
        "percent": f"{run.percent:g} %",
        "cost": "no prices" if cost is None else f"{cost:,.4f}".rstrip("0").rstrip("."),
        **{name: f"{count:,}" for name, count in counts.items()},
    }
    return {"is_over": run.state != RUNNING, "percent": run.percent, "say": _milestone(run), "texts": texts}


def _milestone(run: ListedRun) -> str:
    if run.state == RUNNING:
        reached = int(run.percent) // _STEP * _STEP
        return f"The run has made {reached} percent of its rows." if reached else "The run goes on."
    failed = f", of which {run.failed:,} failed" if run.failed else ""
    rows = f"{run.done:,} of {run.total:,} rows are there{failed}."
    return f"The run is complete: {rows}" if run.state == COMPLETE else f"The run has ended: {run.error} {rows}"
