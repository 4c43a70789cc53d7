"""`bakehouse runs`: carry out targets, watch how far that is, and get the rows."""

import click

from app.cli.runs.ending import cancel
from app.cli.runs.exporting import export
from app.cli.runs.listing import list_runs, show
from app.cli.runs.starting import start
from app.cli.runs.watching import watch


@click.group()
def runs() -> None:
    """Carry out targets: make their stimuli and rollouts, and get the rows."""


for _command in (start, watch, list_runs, show, export, cancel):
    runs.add_command(_command)
