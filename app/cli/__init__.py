"""The command `bakehouse`."""

import sys
from io import TextIOWrapper
from typing import Any

import click

from app.cli.maintain import maintain
from app.cli.serving import serve
from app.cli.users import users
from app.cli.verify import verify
from app.domain.errors import RegistryError
from app.schemas.base import InvalidRequest
from app.settings import SettingsError
from storage.errors import StorageError


class _Command(click.Group):
    r"""A group of commands that report expected errors as one sentence, without a stack trace.

    A letter that the terminal does not have is printed as an escape, such as `\u2192`.
    """

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


for _command in (serve, users, verify, maintain):
    main.add_command(_command)
