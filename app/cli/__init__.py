"""The command `bakehouse`."""

import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import click

from app.cli.maintain import maintain
from app.cli.repos import repos
from app.cli.serving import serve
from app.cli.users import users
from app.cli.verify import verify
from app.domain.errors import RegistryError
from app.schemas.base import InvalidRequest
from app.settings import SettingsError
from storage.errors import StorageError

# The commands of the audit, and the modules they are in. Only the one that runs is imported: a server needs no
# client of HTTP, and no tables.
_AUDIT = {
    "explain": "explain",
    "log": "log",
    "history": "log",
    "diff": "diff",
    "targets": "targets",
    "uses": "uses",
    "labels": "labels",
    "timeline": "timeline",
    "revert": "changes",
    "rebase": "changes",
}


class _Command(click.Group):
    r"""A group of commands that report expected errors as one sentence, without a stack trace.

    A letter that the terminal does not have is printed as an escape, such as `\u2192`.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted([*super().list_commands(ctx), *_AUDIT])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None."""
        if cmd_name not in _AUDIT:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module(f"app.cli.audit.{_AUDIT[cmd_name]}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands: those that ask, and those that run a server."""
        for title, names in (("Ask a server, or a clone", list(_AUDIT)), ("Run a server", [*self.commands])):
            with formatter.section(title):
                commands = [(name, self.get_command(ctx, name)) for name in names]
                formatter.write_dl([(name, command.get_short_help_str(100)) for name, command in commands if command])

    def main(self, *arguments: Any, **options: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return super().main(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (SettingsError, StorageError, RegistryError, InvalidRequest) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Command)
@click.version_option(package_name="bakehouse")
def main() -> None:
    """Keep target configurations in git. Settings come from BAKEHOUSE_* environment variables."""


for _command in (serve, users, repos, verify, maintain):
    main.add_command(_command)
