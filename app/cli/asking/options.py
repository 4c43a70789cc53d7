"""What all commands that ask have in common: their options, and the way to whom they ask."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from app.cli.asking.connection import connected
from app.cli.asking.output import Output

FULL = click.option("--full", is_flag=True, help="Show long values whole.")
NUMBER = click.option("-n", "--number", type=click.IntRange(min=1), default=20, help="How many at most (20).")
PROMPT = click.option("--prompt", metavar="PROMPT", help="This prompt, and no target.")
REASON = click.option("--reason", metavar="TEXT", help="Why. The log tells it.")
REF = click.option("--ref", metavar="REF", help="As it was at this commit, tag, label or time.")


def asking(command: Callable[..., None]) -> Callable[..., None]:
    """Call a command with a client and an output, as its first two arguments."""

    @click.option("-r", "--repo", envvar="BAKEHOUSE_REPO", metavar="REPO", help="'demo', or 'alice/demo' of alice.")
    @click.option("--url", envvar="BAKEHOUSE_URL", metavar="URL", help="The server. The token is in BAKEHOUSE_TOKEN.")
    @click.option(
        "--clone",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Ask a clone, and no server.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print the answer of the API.")
    @wraps(command)
    def asked(repo: str | None, url: str | None, clone: Path | None, as_json: bool, **given: Any) -> None:
        with connected(url, repo, clone) as client:
            command(client, Output(as_json=as_json), **given)

    return asked
