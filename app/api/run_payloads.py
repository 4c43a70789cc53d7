"""What answers tell about a run."""

from typing import Any

from app.api import payloads
from app.registry.messages import Origin
from app.runs import reading
from app.runs.ledger.runs import ListedRun, Run
from app.schemas.runs import NOT_STARTED
from app.wire import context
from storage import moments

_NOTHING: dict[str, Any] = {
    **dict.fromkeys(("config", "error", "error_type", "job_id", "key", "commit", "started_by", "created", "finished")),
    **dict.fromkeys(("rows_sha256", "manifest_commit", "total_expected", "cost")),
    **dict.fromkeys(("lines", "progress_percent", "failed_rows", "requests", "retries", "repeated_requests"), 0),
    **dict.fromkeys(("truncated", "empty", "tokens_in", "tokens_out"), 0),
    "status": NOT_STARTED,
    "stale": False,
    "warnings": [],
}


def status(run: Run | None, *, is_stale: bool) -> dict[str, Any]:
    """Return the status of a run, or that none was started."""
    if run is None:
        return _NOTHING
    return {
        **listed(run),
        "config": run.config,
        "stale": is_stale,
        "warnings": run.warnings,
        "rows_sha256": run.rows_sha256,
    }


def listed(run: ListedRun) -> dict[str, Any]:
    """Return a run as lists show it."""
    return {
        "target_name": run.target,
        "kind": run.kind,
        "key": run.key,
        "job_id": run.id,
        "commit": run.commit,
        "status": run.state,
        "lines": run.listed,
        "total_expected": run.total,
        "progress_percent": run.percent,
        "error": run.error,
        "error_type": run.error_type,
        "failed_rows": run.failed,
        "requests": run.requests,
        "retries": run.retries,
        "repeated_requests": run.repeated_requests,
        "truncated": run.truncated,
        "empty": run.empty,
        "tokens_in": run.tokens_in,
        "tokens_out": run.tokens_out,
        "cost": reading.cost(context.services().runs, run),
        "started_by": payloads.person(Origin(**run.origin).author),
        "created": _time(run.created),
        "finished": None if run.finished is None else _time(run.finished),
        "manifest_commit": run.manifest_commit,
    }


def _time(seconds: float) -> str:
    return payloads.instant(round(seconds * moments.SECOND))
