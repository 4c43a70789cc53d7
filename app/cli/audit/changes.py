"""`bakehouse revert` and `bakehouse rebase`: put a target right, and say why."""

import click

from app.cli.asking.client import Answer, Client
from app.cli.asking.options import PROMPT, REASON, asking
from app.cli.asking.output import Cell, Output, commit_id
from app.cli.audit import commits
from app.cli.audit.things import place_of


@click.command()
@click.argument("target", required=False)
@PROMPT
@click.option("--to", metavar="REF", required=True, help="The commit, tag, label or time to go back to.")
@REASON
@asking
def revert(client: Client, output: Output, target: str | None, prompt: str | None, to: str, reason: str | None) -> None:
    """Put a target, the default or a prompt back as it was, in a new commit. This also restores a deleted one.

    In a pipe, the line has: name, commit.
    """
    place = place_of(target, prompt)
    answer, commit = client.write("POST", *place, "revert", body={"to": to}, reason=reason)
    name = target or prompt
    if output.as_json:
        output.json(answer)
    elif output.is_terminal:
        output.line(Cell(str(name), "bold"), f" is as it was at {to}, by commit ", commit_id(commit))
    else:
        output.row(name, commit)
    output.warn(answer)


@click.command()
@click.argument("target")
@click.option("--descendants", is_flag=True, help="With all targets made from it.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@REASON
@asking
def rebase(client: Client, output: Output, target: str, descendants: bool, dry_run: bool, reason: str | None) -> None:
    """Resolve a target again on what its template is now, in one commit with all that follows.

    In a pipe, a line for each field: target, field, old and new value.
    """
    body = {"descendants": descendants, "dry_run": dry_run}
    answer, commit = client.write("POST", "targets", target, "rebase", body=body, reason=reason)
    if output.as_json:
        output.json(answer)
    elif output.is_terminal:
        _show(output, answer, commit)
    else:
        for changed in answer["targets"]:
            for row in commits.rows(changed) if changed["changes"] else ():
                output.row(changed["target_name"], *row)
    output.warn(answer)


def _show(output: Output, answer: Answer, commit: str) -> None:
    for changed in answer["targets"]:
        output.line(Cell(changed["target_name"], "bold"))
        commits.changes(output, changed)
    if not answer["targets"]:
        output.line("Nothing to do: the template has not changed.")
    elif answer["dry_run"]:
        output.line(Cell("Nothing was written: this was a dry run.", "dim"))
    else:
        output.line("Written by commit ", commit_id(commit))
