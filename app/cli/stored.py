"""What lies in a server's data directory, for the commands that go through it."""

from pathlib import Path

import click

from app.registry import repos
from app.settings import Settings
from storage.store import Store


def find_data_dir() -> Path:
    """Return the data directory of the settings; UsageError where there is none, which is not made."""
    data_dir = Settings.from_env().data_dir
    if not data_dir.is_dir():
        raise click.UsageError(f"There is no data directory {data_dir}: set BAKEHOUSE_DATA_DIR.")
    return data_dir


def list_repos(store: Store) -> list[str]:
    """Return the repos of all users, as `<user>/<name>`."""
    return [f"{owner}/{name}" for owner in store.folders() for name in repos.list_names(store, owner)]
