"""`bakehouse diff`: what is not the same at two commits."""

from collections.abc import Iterator

import click

from app.cli.audit import commits
from app.cli.audit.client import Answer, Client
from app.cli.audit.options import FULL, asking
from app.cli.audit.output import Cell, Output
from app.cli.audit.visible import lines

_PATCH = "text/x-diff"


@click.command()
@click.argument("from_", metavar="FROM")
@click.argument("to", required=False)
@click.option("-t", "--target", required=True, help="This target.")
@click.option("--against", metavar="TARGET", help="Compare with another target, as it was at FROM.")
@click.option("--patch", is_flag=True, help="Print what 'git diff' prints.")
@FULL
@asking
def diff(
    client: Client,
    output: Output,
    from_: str,
    to: str | None,
    target: str,
    against: str | None,
    patch: bool,
    full: bool,
) -> None:
    """Compare two commits: FROM, and TO, which is the last commit if it is left out.

    In a pipe, a line for each field: path, action, field, old and new value.
    """
    place = ("targets", target, "diff")
    query = {"from": from_, "to": to, "against": against, "full": full}
    if patch:
        click.echo(lines(client.text(_PATCH, *place, **query)), nl=False)
        return
    answer = client.get(*place, **query)
    if output.as_json:
        output.json(answer)
    elif output.is_terminal:
        output.line(*_sides(answer))
        commits.changes(output, answer)
    else:
        for record in _records(answer):
            output.row(*record)


def _sides(answer: Answer) -> Iterator[Cell]:
    for style, name in (("red", "from"), ("green", "to")):
        side = answer[name]
        yield Cell(f"{side['target_name']} at {side['commit'][:7]}", style)
        yield Cell(" → " if name == "from" else "")


def _records(answer: Answer) -> Iterator[tuple[str, ...]]:
    path = f"targets/{answer['to']['target_name']}.yml"
    if answer["changes"]:
        yield from ((path, "updated", *row) for row in commits.rows(answer))
