"""The operator, who changes accounts and repos by commands, and says why."""

import os
from collections.abc import Callable
from typing import Any

import click

from app.domain import reasons
from app.registry.messages import Origin

OPERATOR = Origin("operator", alias="Operator (command line)")


class Utf8(click.ParamType):  # type: ignore[type-arg]
    """An argument that must be UTF-8, since files cannot keep anything else.

    Where the terminal is said to be ASCII, Python hides the bytes of other letters in the argument.
    """

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the text."""
        try:
            return os.fsencode(value).decode() if _is_hidden(value) else value
        except UnicodeError:
            self.fail("it is not UTF-8", param, ctx)


class _Reason(Utf8):
    """A reason for a change."""

    name = "reason"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the origin of a change for this reason."""
        try:
            return Origin(OPERATOR.user_id, OPERATOR.alias, reason=reasons.checked(super().convert(value, param, ctx)))
        except ValueError as error:
            self.fail(f"it {error}", param, ctx)


def with_reason(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for the reason, which commits tell; it becomes the `origin`."""
    return click.option("--reason", "origin", type=_Reason(), default="", help="Why, in one line.")(command)


def _is_hidden(value: str) -> bool:
    return any("\udc80" <= char <= "\udcff" for char in value)
