"""`bakehouse maintain`: what the server does in the background, for who runs it by cron."""

import sys

import click

from app.cli.stored import find_data_dir, list_repos
from app.registry import accounts
from storage.errors import RepositoryDamaged, RepositoryNotFound, StorageUnavailable
from storage.store import Store


@click.command()
@click.option("--all", "always", is_flag=True, help="Every repository, whether it needs it or not.")
def maintain(always: bool) -> None:
    """Let git pack what lies in many files, and index the commits, in each repository that needs it.

    Beside a running server, too. Prints the names of those that were maintained.
    """
    data_dir = find_data_dir()
    store = Store(data_dir / "repos")
    names, problems = list_repos(store)
    found = [(Store(data_dir), accounts.REPOSITORY), *((store, name) for name in names)]
    for holder, name in found:
        try:
            if holder.open(name).maintain(always=always):
                click.echo(name)
        except RepositoryNotFound:  # no server was ever started here, or the repo has just gone
            continue
        except (RepositoryDamaged, StorageUnavailable) as error:  # it must not keep the others waiting
            problems.append(f"{name}: {error}")
    for problem in problems:
        click.echo(problem, err=True)
    sys.exit(1 if problems else 0)
