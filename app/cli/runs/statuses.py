"""The status of a run: how it is asked for, and how it is printed."""

from collections.abc import Mapping
from typing import Any

import click

from app.cli.asking.client import Answer, Client
from app.cli.asking.errors import Refused
from app.cli.asking.output import Cell, Output
from app.cli.asking.visible import visible
from app.domain.manifests import KINDS, Kind

RUNNING, COMPLETE, FAILED, NOT_STARTED = "running", "complete", "failed", "not_started"

STYLES = {RUNNING: "cyan", COMPLETE: "green", FAILED: "red", NOT_STARTED: "dim"}
KIND = click.option("--kind", type=click.Choice(KINDS), help="Only the stim, or only the rollout.")


def ask_server(client: Client) -> None:
    """Raise UsageError where a clone is asked: it has manifests, and neither runs that go on nor rows."""
    if client.clone is not None:
        raise click.UsageError(
            "A clone has only the manifests of runs. Set BAKEHOUSE_URL and BAKEHOUSE_TOKEN to ask the server."
        )


def get(client: Client, target: str, kind: Kind, ref: str | None = None) -> Answer:
    """Return the status of a target's run."""
    return client.get("targets", target, kind, ref=ref)


def done(status: Answer) -> int:
    """Return how many rows are there, also behind one that is missing."""
    total = expected(status)
    return int(status["lines"]) if total is None else round(total * status["progress_percent"] / 100)


def expected(status: Answer) -> int | None:
    """Return how many rows the run makes in all; None where the status of a stim does not tell."""
    total: int | None = status.get("total_expected")
    if total is None and status["status"] == COMPLETE:
        return int(status["lines"])
    return total


def show_one(output: Output, target: str, kind: Kind, status: Answer) -> None:
    """Print how far a run is: a sentence on a terminal, a record elsewhere."""
    if not output.is_terminal:
        output.row(*record(target, kind, status))
        return
    total = expected(status)
    rows = f"{status['lines']} rows" if total in (None, status["lines"]) else f"{done(status)} of {total} rows"
    state = status["status"]
    output.line(
        Cell(kind, "bold"), " of ", Cell(target, "bold"), ": ", Cell(state.replace("_", " "), STYLES.get(state, "")),
        *([f", {rows}"] if state != NOT_STARTED else []), *_faults(status),
    )  # fmt: skip


def record(target: str, kind: Kind, status: Answer) -> list[str]:
    """Return what programs are told of a status."""
    total = expected(status)
    counts = [str(status[name]) for name in ("failed_rows", "retries")]
    return [target, kind, status["status"], str(status["lines"]), "" if total is None else str(total), *counts]


def warn(status: Answer) -> None:
    """Tell what a run did that its owner may not expect, and of a run that is not today's target's."""
    for warning in status["warnings"]:
        click.echo(f"Warning: {visible(warning)}", err=True)
    if status["stale"]:
        click.echo("Warning: the target, or what it names, is another one by now; its run would be another.", err=True)


def check(target: str, kind: Kind, status: Mapping[str, Any]) -> None:
    """Raise Refused where a run has failed."""
    if status["status"] == FAILED:
        raise Refused(f"The {kind} of '{visible(target)}' failed: {visible(status['error'] or 'nobody knows why')}")


def _faults(status: Answer) -> list[Cell | str]:
    names = {"failed_rows": "failed", "truncated": "cut", "empty": "empty", "retries": "retries"}
    told = [f"{status[name]} {word}" for name, word in names.items() if status[name]]
    return [Cell(f" ({', '.join(told)})", "yellow")] if told else []
