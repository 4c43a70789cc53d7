"""`bakehouse log` and `bakehouse history`: which commits changed a repo, or one thing in it."""

import click

from app.cli.audit import commits
from app.cli.audit.client import Client
from app.cli.audit.options import FULL, REF, asking
from app.cli.audit.output import Output

_NUMBER = click.option("-n", "--number", type=click.IntRange(min=1), default=20, help="How many commits (20).")


@click.command()
@click.option("--author", help="By this user, or with this in the author's name or address.")
@click.option("--since", metavar="TIME", help="From this time on, such as 2026-11-23T10:00:00Z.")
@click.option("--until", metavar="TIME", help="Up to this time.")
@click.option("--path", help="That changed such a file: 'targets/a.yml', 'targets/', 'targets/night*'.")
@_NUMBER
@REF
@FULL
@asking
def log(client: Client, output: Output, number: int, **query: str | bool | None) -> None:
    """List the commits of a repo, newest first, with the fields that each changed.

    In a pipe, a line for each field: commit, time, user, reason, path, action, field, old and new value.
    """
    _print(output, client, "log", limit=number, **query)


@click.command()
@click.argument("target", required=False)
@click.option("--prompt", help="Of this prompt.")
@_NUMBER
@REF
@FULL
@asking
def history(
    client: Client, output: Output, target: str | None, prompt: str | None, number: int, **query: str | bool | None
) -> None:
    """List the commits that changed a target or a prompt, newest first.

    In a pipe, a line for each field, as 'bakehouse log' has it; the path is empty.
    """
    _print(output, client, *place_of(target, prompt), "history", limit=number, **query)


def place_of(target: str | None, prompt: str | None) -> tuple[str, str]:
    """Return where the API has the one thing that is named; UsageError unless one is."""
    named = [(folder, name) for folder, name in (("targets", target), ("prompts", prompt)) if name is not None]
    if len(named) != 1:
        raise click.UsageError("Name one thing: TARGET, or --prompt PROMPT.")
    return named[0]


def _print(output: Output, client: Client, *path: str, limit: int, **query: str | bool | None) -> None:
    pages = client.pages(*path, limit=limit, **query)
    if output.as_json:
        output.json(commits.read(pages))
        return
    for page in pages:
        commits.show(output, page["commits"])
