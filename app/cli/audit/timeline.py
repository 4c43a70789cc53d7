"""`bakehouse timeline`: which version of a target was in force, from when to when."""

from collections.abc import Iterator
from typing import Any

import click

from app.cli.asking import pages
from app.cli.asking.client import Answer, Client
from app.cli.asking.options import NUMBER, REF, asking
from app.cli.asking.output import Cell, Output, commit_id, time, who

_HEADS = ("from (UTC)", "until (UTC)", "version", "commit", "who", "why")


@click.command()
@click.argument("target")
@click.option("--label", metavar="LABEL", help="Under this label. Left out: main, so from each commit on.")
@NUMBER
@REF
@asking
def timeline(client: Client, output: Output, target: str, **query: Any) -> None:
    """Tell which version of a target was live under a label, from when to when, and by whose move; newest first.

    In a pipe, a line has: from, until, version, commit, user, reason. Until is empty where the version is live still,
    and the version where there was no target.
    """
    found = pages.newest(client, "targets", target, "timeline", items="periods", **query)
    answer = pages.join(found, "periods")
    if output.as_json:
        output.json(answer)
        return
    output.table(_HEADS, _records(answer))


def _records(answer: Answer) -> Iterator[tuple[Cell, ...]]:
    for period in answer["periods"]:
        move = period["moved_by"]
        until = time(period["to"]) if period["to"] else Cell("", "bold green", "now")
        version = commit_id(period["version"]) if period["version"] else Cell("", "dim", "(none)")
        commit = commit_id(period["commit"])
        yield time(period["from"]), until, version, commit, who(move["author"]), Cell(move["reason"] or "", "italic")
