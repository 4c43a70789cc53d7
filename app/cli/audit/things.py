"""What has a history in a repo, as a person names it: a target, a prompt, the default, or a question template."""

import click

from app.domain.names import DEFAULT_TEMPLATE

DEFAULT = ("defaults", "target")


def place_of(target: str | None, prompt: str | None = None, file: str | None = None) -> tuple[str, str]:
    """Return where the API has the one thing that is named; UsageError unless one is.

    `default` names the template that every repo starts with: no target is called so.
    """
    named = [
        (folder, name)
        for folder, name in (("targets", target), ("prompts", prompt), ("question-templates", file))
        if name is not None
    ]
    if len(named) != 1:
        raise click.UsageError("Name one thing: a target, or by an option another one.")
    return DEFAULT if named == [("targets", DEFAULT_TEMPLATE)] else named[0]
