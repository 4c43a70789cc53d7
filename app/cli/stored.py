"""What lies in a server's data directory, for the commands that go through it."""

from pathlib import Path

import click

from app.registry import repos
from app.settings import Settings
from storage.errors import StorageError
from storage.store import Store


def find_data_dir() -> Path:
    """Return the data directory of the settings; UsageError where there is none, which is not made."""
    data_dir = Settings.from_env().data_dir
    if not data_dir.is_dir():
        raise click.UsageError(f"There is no data directory {data_dir}: set BAKEHOUSE_DATA_DIR.")
    return data_dir


def list_repos(store: Store) -> tuple[list[str], list[str]]:
    """Return the repos of all users, as `<user>/<name>`, and a line for each folder that cannot be read."""
    names, problems = [], []
    for owner in store.folders():
        try:
            names += [f"{owner}/{name}" for name in repos.list_names(store, owner)]
        except (StorageError, OSError) as error:
            problems.append(f"{owner}: {error}")
    return names, problems
