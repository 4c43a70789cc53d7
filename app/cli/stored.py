"""Find the data directory and its repos, for commands that work on them."""

import os
from pathlib import Path

import click

from app.data_dir import join
from app.registry import repos
from app.settings import Settings
from storage import servers
from storage.errors import StorageError
from storage.store import Store


def find_data_dir(needed: str = "repos") -> Path:
    """Return the data directory of the settings; UsageError where no server has made `needed` in it.

    SettingsError where another machine uses it.
    """
    settings = Settings.from_env()
    data_dir = settings.data_dir
    if not (data_dir / needed).is_dir():
        raise click.UsageError(
            f"There is no data directory {data_dir} with the folder {needed}. Set BAKEHOUSE_DATA_DIR to name another "
            "data directory. Only a server makes one: run 'bakehouse serve'."
        )
    if os.access(data_dir / servers.NAME, os.W_OK):  # otherwise no server was here, or the disk is read-only
        join(settings)
    return data_dir


def list_repos(store: Store) -> tuple[list[str], list[str]]:
    """Return the repos of all users, as `<user>/<name>`, and a message for each unreadable folder."""
    names, problems = [], []
    for owner in store.folders():
        try:
            names += [f"{owner}/{name}" for name in repos.list_names(store, owner)]
        except (StorageError, OSError) as error:
            problems.append(f"{owner}: {error}")
    return names, problems


def one_of(names: list[str], repo: str) -> str:
    """Return a repo that is one of some; BadParameter if it is not."""
    if repo not in names:
        raise click.BadParameter(f"There is no repo {repo!r}; write <user>/<name>.", param_hint="--repo")
    return repo
