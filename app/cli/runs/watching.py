"""`bakehouse runs watch`: see how far a run is, until it ends."""

import click

from app.cli.asking.client import Client
from app.cli.asking.errors import Refused
from app.cli.asking.options import asking
from app.cli.asking.output import Output
from app.cli.asking.visible import visible
from app.cli.runs import statuses
from app.cli.runs.following import follow
from app.cli.runs.statuses import KIND, NOT_STARTED, RUNNING
from app.domain.manifests import KINDS, Kind


@click.command()
@click.argument("target")
@KIND
@asking
def watch(client: Client, output: Output, target: str, kind: Kind | None) -> None:
    """Show how far the run of a target is, until it ends; without --kind the run that goes on, else the last one.

    Ctrl-C ends the command, and leaves the run. The exit code is 1 where the run fails.

    In a pipe, a line when something has changed, every five seconds at most: target, kind, status, rows, rows
    expected, failed rows, retries. With --json, each line is a status of the API.
    """
    statuses.ask_server(client)
    found = {each: statuses.get(client, target, each) for each in ([kind] if kind else KINDS)}
    started = [each for each, status in found.items() if status["status"] != NOT_STARTED]
    if not started:
        raise Refused(f"Nothing of '{visible(target)}' was started. Start it with: bakehouse runs start TARGET")
    going_on = [each for each in started if found[each]["status"] == RUNNING]
    meant = (going_on or started)[-1]
    status = follow(client, output, target, meant, found[meant], lines=True)
    if output.is_terminal and not output.as_json:
        statuses.show_one(output, target, meant, status)
    statuses.warn(status)
    statuses.check(target, meant, status)
