"""Following a run until it ends: a bar on a terminal, lines elsewhere, and nothing lost where the server is gone."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli.asking.client import Answer, Client
from app.cli.asking.errors import NoAnswer
from app.cli.asking.output import Output
from app.cli.asking.visible import visible
from app.cli.runs import statuses
from app.cli.runs.statuses import RUNNING
from app.domain.manifests import Kind

_PAUSE = 1.0  # seconds between two questions
_LINES_APART = 5.0  # seconds between two lines in a pipe
_PATIENCE = 60.0  # seconds that a server may be gone
_INTERRUPTED = 130  # the exit code of a program that Ctrl-C ended

_Show = Callable[[Answer], None]


def follow(client: Client, output: Output, target: str, kind: Kind, status: Answer, *, lines: bool = False) -> Answer:
    """Show how far a run is until it ends, and return its last status.

    With `lines`, a pipe gets a line for each change, too. Ctrl-C ends the command, and not the run.
    """
    try:
        with _shown(output, target, kind, lines=lines) as show:
            show(status)
            while status["status"] == RUNNING:
                time.sleep(_PAUSE)
                status = _ask(client, target, kind)
                show(status)
    except KeyboardInterrupt:
        name = visible(target)
        click.echo(
            f"\nThe {kind} of '{name}' goes on. See how far it is: bakehouse runs watch {name} --kind {kind}. "
            f"End it: bakehouse runs cancel {name} --kind {kind}.",
            err=True,
        )
        sys.exit(_INTERRUPTED)
    return status


def _ask(client: Client, target: str, kind: Kind) -> Answer:
    """Return the status of a run, also where the server is started again meanwhile."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return statuses.get(client, target, kind)
        except NoAnswer:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)


@contextmanager
def _shown(output: Output, target: str, kind: Kind, *, lines: bool) -> Iterator[_Show]:
    if output.is_terminal and not output.as_json:
        with _bar(output) as bar:
            yield _on_bar(bar, target, kind)
    elif lines:
        yield _on_lines(output, target, kind)
    else:
        yield lambda _: None


def _bar(output: Output) -> Progress:
    columns = [TextColumn(f"{{task.{name}}}", markup=False) for name in ("description", "fields[rows]", "fields[told]")]
    description, rows, told = columns
    return Progress(
        description, BarColumn(), rows, told, TimeRemainingColumn(), console=output.console, transient=True,
        refresh_per_second=4,
    )  # fmt: skip


def _on_bar(bar: Progress, target: str, kind: Kind) -> _Show:
    task = bar.add_task(f"{kind} of {visible(target)}", total=100, rows="", told="")
    began, first = time.monotonic(), 0

    def show(status: Answer) -> None:
        nonlocal first
        count, total = statuses.done(status), statuses.expected(status)
        first = first or count
        rate = (count - first) / max(time.monotonic() - began, _PAUSE)
        told = f"{status['failed_rows']} failed, {status['retries']} retries, {rate:.1f} rows/s"
        rows = f"{count} rows" if total is None else f"{count}/{total} rows"
        bar.update(task, completed=status["progress_percent"], rows=rows, told=told)

    return show


def _on_lines(output: Output, target: str, kind: Kind) -> _Show:
    printed: list[str] = []
    due = 0.0

    def show(status: Answer) -> None:
        nonlocal printed, due
        record, now = statuses.record(target, kind, status), time.monotonic()
        if record != printed and (now >= due or status["status"] != RUNNING):
            if output.as_json:
                output.json_line(status)
            else:
                output.row(*record)
            printed, due = record, now + _LINES_APART

    return show
