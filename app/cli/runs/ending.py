"""`bakehouse runs cancel`: end a run that goes on."""

import click

from app.cli.asking.client import Answer, Client
from app.cli.asking.errors import Refused
from app.cli.asking.options import REASON, asking
from app.cli.asking.output import Output
from app.cli.asking.visible import visible
from app.cli.runs import statuses
from app.cli.runs.statuses import KIND, RUNNING
from app.domain.manifests import KINDS, Kind


@click.command()
@click.argument("target")
@KIND
@REASON
@asking
def cancel(client: Client, output: Output, target: str, kind: Kind | None, reason: str | None) -> None:
    """End the runs of a target that go on. Their rows stay, and `bakehouse runs start` goes on with the rest.

    In a pipe, a line for each: target, kind, status, rows, rows expected, failed rows, retries.
    """
    statuses.ask_server(client)
    kinds = [each for each in ([kind] if kind else KINDS) if statuses.get(client, target, each)["status"] == RUNNING]
    if not kinds:
        raise Refused(f"No run of '{visible(target)}' goes on.")
    answers: dict[str, Answer] = {}
    for each in kinds:
        answers[each], _ = client.write("POST", "targets", target, each, "cancel", reason=reason)
        if not output.as_json:
            statuses.show_one(output, target, each, answers[each])
    if output.as_json:
        output.json(answers)
