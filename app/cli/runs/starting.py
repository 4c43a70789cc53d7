"""`bakehouse runs start`: carry out a target."""

import click

from app.cli.asking.client import Answer, Client
from app.cli.asking.options import asking
from app.cli.asking.output import Output
from app.cli.runs import statuses
from app.cli.runs.following import follow
from app.cli.runs.statuses import RUNNING
from app.domain.manifests import KINDS, Kind


@click.command()
@click.argument("target")
@click.option("--kind", type=click.Choice([*KINDS, "both"]), default="both", help="What to make (both).")
@click.option("--wait", is_flag=True, help="Wait for the end, and show how far it is.")
@asking
def start(client: Client, output: Output, target: str, kind: str, wait: bool) -> None:
    """Start the stim of a target and then its rollout, or go on with those that failed.

    What is complete already is not made again. A rollout begins once the stim is complete, so the command waits for
    that.

    In a pipe, a line for each run: target, kind, status, rows, rows expected, failed rows, retries.
    """
    statuses.ask_server(client)
    kinds: tuple[Kind, ...] = KINDS if kind == "both" else (kind,)  # type: ignore[assignment]
    answers: dict[str, Answer] = {}
    for number, each in enumerate(kinds, 1):
        status, _ = client.write("POST", "targets", target, each)
        if status["status"] == RUNNING and (wait or number < len(kinds)):
            status = follow(client, output, target, each, status)
        answers[each] = status
        if not output.as_json:
            statuses.show_one(output, target, each, status)
            statuses.warn(status)
        if output.as_json and number == len(kinds):
            output.json(answers if kind == "both" else status)
        statuses.check(target, each, status)
