"""`bakehouse maintain`: pack repositories, as the server does in the background; for cron."""

import sys

import click

from app.cli.stored import find_data_dir, list_repos
from app.registry import accounts
from app.registry.stores import Stores
from storage.errors import LayoutUnknown, RepositoryDamaged, RepositoryNotFound, StorageUnavailable


@click.command()
@click.option("--all", "always", is_flag=True, help="Maintain every repository, even if it needs no packing.")
def maintain(always: bool) -> None:
    """Pack the objects and index the commits of each repository that needs it.

    Servers may run meanwhile. Prints the name of each repository that was maintained.
    """
    of_users, store = Stores.of(find_data_dir())
    names, problems = list_repos(store)
    found = [(of_users, accounts.REPOSITORY), *((store, name) for name in names)]
    for holder, name in found:
        try:
            if holder.open(name).maintain(always=always):
                click.echo(name)
        except RepositoryNotFound:  # no server was started here yet, or the repo was just removed
            continue
        except (LayoutUnknown, RepositoryDamaged, StorageUnavailable) as error:  # go on with the others
            problems.append(f"{name}: {error}")
    for problem in problems:
        click.echo(problem, err=True)
    sys.exit(1 if problems else 0)
