"""`bakehouse targets`: the targets of a repo, with the values that are asked for."""

from collections.abc import Iterator, Sequence
from typing import Any

import click

from app.cli.asking import pages
from app.cli.asking.client import Answer, Client
from app.cli.asking.options import FULL, REF, asking
from app.cli.asking.output import Cell, Output
from app.cli.asking.visible import lines, shown
from app.cli.audit import commits

_CSV = "text/csv"


@click.command()
@click.option("--fields", metavar="FIELDS", help="With these values: 'temperature,generators.0.numq'.")
@click.option("--where", metavar="CONDITION", multiple=True, help="Only those like 'temperature>1'; repeatable.")
@click.option("-l", "--long", is_flag=True, help="With the template, and with who changed it last.")
@click.option("-q", "--query", "q", metavar="TEXT", help="Only those with this in the name.")
@click.option("--template", metavar="TEMPLATE", help="Only those made from this template.")
@click.option("--descends-from", metavar="TEMPLATE", help="Only those made from it, directly or through others.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a CSV file.")
@REF
@FULL
@asking
def targets(
    client: Client,
    output: Output,
    fields: str | None,
    where: tuple[str, ...],
    long: bool,
    as_csv: bool,
    **query: Any,
) -> None:
    """List the targets of a repo, sorted by name.

    In a pipe, a line has: name; with --long template, time, user, reason and commit of the last change; and a column
    for each field of --fields.
    """
    asked = {
        "fields": fields,
        "where": ",".join(where),
        "include": "template,changed" if long else None,
        **query,
    }
    if as_csv:
        _print_csv(client, output, asked)
    elif not any(value for name, value in asked.items() if name != "ref"):
        answer = client.get("targets", ref=query["ref"])
        if output.as_json:
            output.json(answer)
        else:
            output.table(("target",), ((Cell(name),) for name in answer["targets"]))
    else:
        answer = pages.join(pages.every(client, "targets", **asked), "targets", "commits")
        if output.as_json:
            output.json(answer)
        else:
            _print(output, answer, fields.split(",") if fields else (), long=long)


def _print(output: Output, answer: Answer, fields: Sequence[str], *, long: bool) -> None:
    last = ("template", "changed (UTC)", "who", "why", "commit") if long else ()
    output.table(("target", *last, *fields), _records(answer, fields, long=long))


def _records(answer: Answer, fields: Sequence[str], *, long: bool) -> Iterator[tuple[Cell, ...]]:
    for target in answer["targets"]:
        values = target.get("fields", {}) | {f"{name}_cut": cut for name, cut in target.get("fields_cut", {}).items()}
        last = (Cell(target["template"]), *commits.line(answer["commits"][target["changed"]])) if long else ()
        yield Cell(target["target_name"], "bold"), *last, *(Cell(shown(values, name.strip())) for name in fields)


def _print_csv(client: Client, output: Output, asked: dict[str, Any]) -> None:
    """Print the file that the API answers, in one piece: its pages repeat the first line."""
    cursor: str | None = None
    while True:
        file, following = client.text(_CSV, "targets", **asked, cursor=cursor)
        text = file.decode()
        text = text if cursor is None else text.partition("\r\n")[2]
        click.echo(lines(text.replace("\r\n", "\n")) if output.is_terminal else text, nl=False)
        if following is None:
            return
        cursor = following
