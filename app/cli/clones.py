"""Find a clone that somebody names by its path."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from storage.clones import Clone
from storage.errors import RepositoryNotFound


@contextmanager
def clone_at(path: Path) -> Iterator[Clone]:
    """Yield the clone at a path; BadParameter where there is none, or where it has only a part of the history."""
    try:
        clone = Clone(str(path), path)
    except RepositoryNotFound as error:
        raise click.BadParameter(
            f"{path} is no git repository. To check the data of a server, set BAKEHOUSE_DATA_DIR instead.",
            param_hint="PATH",
        ) from error
    with clone:
        if clone.is_shallow():
            raise click.BadParameter(
                f"{path} is a shallow clone, without the versions that targets were made from. "
                f"Get them with: git -C {path} fetch --unshallow",
                param_hint="PATH",
            )
        yield clone
