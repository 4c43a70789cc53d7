"""`bakehouse log` and `bakehouse history`: which commits changed a repo, or one thing in it."""

from collections.abc import Iterator
from typing import Any

import click

from app.cli.asking import pages
from app.cli.asking.client import Answer, Client
from app.cli.asking.options import FULL, NUMBER, PROMPT, REF, asking
from app.cli.asking.output import Output
from app.cli.audit import commits
from app.cli.audit.things import place_of


@click.command()
@click.option("--author", help="By this user, or with this in the author's name or address.")
@click.option("--since", metavar="TIME", help="From this time on, such as 2026-11-23T10:00:00Z.")
@click.option("--until", metavar="TIME", help="Up to this time.")
@click.option("--path", help="That changed such a file: 'targets/a.yml', 'targets/', 'targets/night*'.")
@click.option("--field", help="That changed this field of any file; of the changes, only those.")
@click.option("--reason", metavar="TEXT", help="With this in the reason.")
@NUMBER
@REF
@FULL
@asking
def log(client: Client, output: Output, **query: Any) -> None:
    """List the commits of a repo, newest first, with the fields that each changed.

    In a pipe, a line for each field: commit, time, user, reason, path, action, field, old and new value.
    """
    _print(output, client, "log", **query)


@click.command()
@click.argument("target", required=False)
@PROMPT
@NUMBER
@REF
@FULL
@asking
def history(client: Client, output: Output, target: str | None, prompt: str | None, **query: Any) -> None:
    """List the commits that changed a target, the default or a prompt, newest first.

    In a pipe, a line for each field, as 'bakehouse log' has it; the path is empty.
    """
    _print(output, client, *place_of(target, prompt), "history", **query)


def _print(output: Output, client: Client, *path: str, **query: Any) -> None:
    found = _pages(output, client, *path, **query)
    if output.as_json:
        output.json(pages.join(found, "commits"))
        return
    for page in found:
        commits.show(output, page["commits"])


def _pages(output: Output, client: Client, *path: str, **query: Any) -> Iterator[Answer]:
    """Yield pages, and tell meanwhile how far the server has looked: a search may find nothing for many pages."""

    def looked(commit: str) -> None:
        if output.tells_progress:
            [last] = client.get("log", ref=commit, limit=1)["commits"]
            output.progress(f"Looked at commits down to {last['time'][:16].replace('T', ' ')} …")

    try:
        for page in pages.newest(client, *path, items="commits", looked=looked, **query):
            output.progress()
            yield page
    finally:
        output.progress()
