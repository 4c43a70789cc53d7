"""`bakehouse maintain`: pack repositories, as the server does in the background; for cron."""

import sys

import click

from app.cli.stored import find_data_dir, list_repos
from app.registry.audit import field_log
from app.registry.stores import Stores
from app.registry.users import accounts
from app.runs import pruning
from app.runs.ledger.database import LedgerUnavailable
from app.runs.pruning import Pruned
from app.runs.services import Runs
from app.settings import Settings
from storage.errors import LayoutUnknown, RepositoryDamaged, RepositoryNotFound, StorageError, StorageUnavailable


@click.command()
@click.option("--all", "always", is_flag=True, help="Maintain every repository, even if it needs no packing.")
@click.option("--prune-runs", is_flag=True, help="Also delete the runs of repos that were removed for good.")
def maintain(always: bool, prune_runs: bool) -> None:
    """Pack the objects and index the commits and fields of each repository that needs it.

    Servers may run meanwhile. Prints the name of each repository that was maintained, with the bytes that it
    took on disk before and takes after, or with the number of commits whose fields were indexed.
    """
    of_users, store, deleted = Stores.of(find_data_dir())
    names, problems = list_repos(store)
    found = [(of_users, accounts.REPOSITORY), *((store, name) for name in names)]
    maintained: list[tuple[int, int]] = []
    indexed = 0
    for holder, name in found:
        try:
            repository = holder.open(name)
            sizes = repository.maintain(always=always)
            if sizes is not None:
                click.echo(f"{name}: {sizes[0]} bytes before, {sizes[1]} after")
                maintained.append(sizes)
            commits = field_log.index(repository) if holder is store else 0
            if commits:
                click.echo(f"{name}: the fields of {commits} commits indexed")
                indexed += commits
        except RepositoryNotFound:  # no server was started here yet, or the repo was just removed
            continue
        except (LayoutUnknown, RepositoryDamaged, StorageUnavailable) as error:  # go on with the others
            problems.append(f"{name}: {error}")
    if prune_runs:
        try:
            click.echo(_told(pruning.prune(Runs(Settings.from_env(), store), deleted)))
        except (LedgerUnavailable, StorageError) as error:
            problems.append(f"No runs were deleted. {error}")
    if maintained or not indexed:
        click.echo(_summary(maintained), err=True)
    for problem in problems:
        click.echo(problem, err=True)
    sys.exit(1 if problems else 0)


def _told(pruned: Pruned) -> str:
    return f"ledger: {pruned.runs} runs of {pruned.repos} removed repos deleted, with {pruned.rows} rows"


def _summary(maintained: list[tuple[int, int]]) -> str:
    if not maintained:
        return "Nothing to do: no repository needs maintenance."
    before, after = (sum(sizes) for sizes in zip(*maintained, strict=True))
    count = len(maintained)
    return f"Maintained {count} repositor{'y' if count == 1 else 'ies'}: {before} bytes before, {after} after."
