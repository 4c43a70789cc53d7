"""The command `bakehouse`."""

import sys
from collections.abc import Mapping
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import click

from app.domain.errors import RegistryError
from app.schemas.base import InvalidRequest
from app.settings import SettingsError
from storage.errors import StorageError

# The commands by what they are for, and the modules they are in. Only the one that runs is imported: a server needs no
# client of HTTP, and no tables.
_COMMANDS: Mapping[str, Mapping[str, str]] = {
    "Ask a server, or a clone": {
        "explain": "audit.explain",
        "log": "audit.log",
        "history": "audit.log",
        "diff": "audit.diff",
        "targets": "audit.targets",
        "uses": "audit.uses",
        "labels": "audit.labels",
        "timeline": "audit.timeline",
        "revert": "audit.changes",
        "rebase": "audit.changes",
    },
    "Carry out targets": {
        "runs": "runs.group",
    },
    "Run a server": {
        "serve": "serving",
        "demo": "demo.command",
        "worker": "worker",
        "endpoints": "endpoints",
        "users": "users",
        "repos": "repos",
        "verify": "verify",
        "maintain": "maintain",
    },
}


class _Command(click.Group):
    r"""A group of commands that report expected errors as one sentence, without a stack trace.

    A letter that the terminal does not have is printed as an escape, such as `\u2192`.
    """

    def list_commands(self, _: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(_MODULES)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None."""
        if cmd_name not in _MODULES:
            return None
        command: click.Command = getattr(import_module(f"app.cli.{_MODULES[cmd_name]}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands, those for one thing together."""
        for title, names in _COMMANDS.items():
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


_MODULES = {name: module for commands in _COMMANDS.values() for name, module in commands.items()}


@click.group(cls=_Command)
@click.version_option(package_name="bakehouse")
def main() -> None:
    """Keep target configurations in git. Settings come from BAKEHOUSE_* environment variables."""
