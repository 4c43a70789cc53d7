"""`bakehouse demo`: make a repo to look around in, and tell its address."""

import logging
from collections.abc import Sized

import click

from app import data_dir
from app.cli.demo import people, story, texts
from app.cli.demo.writer import Writer
from app.cli.operator import OPERATOR
from app.domain.errors import Conflict, NotFound
from app.registry import label_files, labels, repos
from app.registry.configs import prompts, target_files
from app.registry.life import creation
from app.registry.life.places import Places
from app.registry.stores import Stores
from app.registry.users.accounts import Accounts
from app.registry.users.shares import Shares
from app.runs.services import Runs
from app.settings import Settings
from storage.repository import Repository

_OWNER = people.ALICE
_PLACE = f"{_OWNER.id}/{story.REPO}"


@click.command()
def demo() -> None:
    """Make a repo to look around in, with or without a running server, and print its address.

    Makes the users demo-alice, demo-bob and demo-carol, and the repo demo-alice/bakery, and in their names all that a
    team changes in some weeks, within seconds. Prints the token of demo-alice, once. Changes nothing where the repo is
    there already.
    """
    logging.getLogger("storage").setLevel(logging.ERROR)  # a checkpoint that waits for a write is tried again
    settings = Settings.from_env()
    settings.make_data_dir()
    data_dir.join(settings)
    stores = Stores.of(settings.data_dir)
    accounts = Accounts(stores.accounts, OPERATOR)
    token = _make_users(accounts)
    if token:  # at once: what comes after may fail, and the token is kept nowhere
        click.echo(f"Token: {token}")
    repository = _find(stores)
    if repository is None:
        repository = _make(settings, stores, accounts)
        click.echo(f"Made {_PLACE}, with {_contents(repository)}.")
    else:
        click.echo(f"{_PLACE} is there already, with {_contents(repository)}.")
    click.echo(f"Address: {settings.public_url or settings.url}/{_PLACE}")
    if token:
        click.echo(
            "Start the server with 'bakehouse serve' unless it runs, and sign in with the token, shown this once."
        )
    else:
        click.echo(f"Sign in as before, or get another token: bakehouse users tokens rotate {_OWNER.id} initial")


def _make_users(accounts: Accounts) -> str | None:
    """Make those users of the demo that are missing, and return the token of the owner, if it is a new one."""
    secrets = {
        user.id: accounts.create(OPERATOR, user.id, user.alias, user.email)
        for user in people.ALL
        if accounts.find(user.id) is None
    }
    return secrets.get(_OWNER.id)


def _find(stores: Stores) -> Repository | None:
    """Return the repo of the demo, or None; Conflict where its story was cut short."""
    try:
        repository = repos.open_repository(stores.repos, _OWNER.id, story.REPO)
    except NotFound:
        return None
    if not repository.versions(label_files.path(story.LAST_LABEL), repository.head().commit):
        again = f"Delete it with 'bakehouse repos delete {_PLACE}', and call 'bakehouse demo' again"
        raise Conflict(_PLACE, f"Only a part of {_PLACE} was made, since the command was ended before. {again}")
    return repository


def _make(settings: Settings, stores: Stores, accounts: Accounts) -> Repository:
    questions = settings.data_dir / "datasets" / f"{story.DATASET}.csv"
    questions.parent.mkdir(exist_ok=True)
    questions.write_text(texts.ORDERS_OF_CUSTOMERS, encoding="utf-8")
    places = Places(accounts, stores.repos, stores.deleted, settings.keep_deleted)
    creation.create(places, people.origin(_OWNER, None), _OWNER.id, story.REPO, story.MODEL)
    repository = repos.open_repository(stores.repos, _OWNER.id, story.REPO)
    shares = Shares(accounts, stores.repos)
    story.tell(Writer(repository, _OWNER, story.REPO, shares, Runs(settings, stores.repos)))
    repository.checkpoint()
    return repository


def _contents(repository: Repository) -> str:
    """Return how many things a repo has."""
    head = repository.head()
    counts: dict[str, Sized] = {
        "targets": target_files.FOLDER.names(head),
        "prompts": prompts.FOLDER.names(head),
        "labels": labels.FOLDER.names(head),
        "tags": repository.tags(),
    }
    return ", ".join(f"{len(found)} {noun}" for noun, found in counts.items())
