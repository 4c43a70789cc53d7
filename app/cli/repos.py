"""`bakehouse repos`: delete, restore, move, import and export whole repos."""

from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import click

from app.cli.operator import OPERATOR, Utf8, with_reason
from app.cli.stored import find_data_dir, list_repos
from app.domain.errors import ImportRefused
from app.domain.names import name_problem, user_id_problem
from app.registry import repos as registry
from app.registry.life import deleted, imports, renames, unfinished
from app.registry.life.places import Places
from app.registry.messages import Origin
from app.registry.stores import Stores
from app.registry.users.accounts import Accounts
from app.settings import Settings
from storage.budget import Limits


class _Place(click.ParamType):  # type: ignore[type-arg]
    """A repo, as `<user>/<name>`."""

    name = "user/name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return the user and the name."""
        owner, slash, name = value.partition("/")
        problem = "must be <user>/<name>" if not slash else user_id_problem(owner) or name_problem(name)
        if problem:
            self.fail(f"it {problem}", param, ctx)
        return owner, name


class _Name(click.ParamType):  # type: ignore[type-arg]
    """A name of a repo."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name."""
        problem = name_problem(value)
        if problem:
            self.fail(f"it {problem}", param, ctx)
        return str(value)


_PLACE = click.argument("place", metavar="USER/NAME", type=_Place())


@click.group()
def repos() -> None:
    """Delete, restore, move, import and export whole repos, with or without a running server."""


@repos.command("list")
@click.argument("user_id", required=False)
def list_all(user_id: str | None) -> None:
    """List the repos, of all users or of one: user and name, base model, commit."""
    store = _places().repos
    names, problems = list_repos(store)
    for name in names:
        owner, _, repo_name = name.partition("/")
        if user_id in (None, owner):
            (repo,) = registry.describe_all(store, owner, [repo_name])
            click.echo("\t".join((name, repo.base_model or "(damaged)", repo.commit or "-")))
    for problem in problems:
        click.echo(problem, err=True)


@repos.command("deleted")
@click.argument("user_id")
def list_deleted(user_id: str) -> None:
    """List the deleted repos of a user: name, id, when, by whom, until when they can be restored."""
    places = _places()
    for found in deleted.find_all(places, user_id):
        each = deleted.read(places, found)
        times = (_time(each.time), each.user or "-", _time(each.until(places.keep_days)))
        click.echo("\t".join((f"{each.owner}/{each.name}", each.id, *times)))


@repos.command("delete")
@_PLACE
@with_reason
def delete(place: tuple[str, str], origin: Origin) -> None:
    """Delete a repo. It can be restored for some days."""
    places = _places()
    gone = deleted.delete(places, origin, *place)
    until = _time(gone.until(places.keep_days))
    click.echo(f"Deleted {'/'.join(place)}. Its id is {gone.id}; it can be restored until {until}.")


@repos.command("undelete")
@_PLACE
@click.option("--as", "new_name", type=_Name(), help="Another name.")
@click.option("--id", "chosen", help="Which of several deleted repos of this name; else the one deleted last.")
@with_reason
def undelete(place: tuple[str, str], new_name: str | None, chosen: str | None, origin: Origin) -> None:
    """Restore a deleted repo."""
    name = deleted.undelete(_places(), origin, *place, new_name, chosen)
    click.echo(f"Restored {place[0]}/{name}.")


@repos.command("rename")
@_PLACE
@click.argument("name", type=_Name())
@with_reason
def rename(place: tuple[str, str], name: str, origin: Origin) -> None:
    """Give a repo another name. The old one leads to it."""
    renames.rename(_places(), origin, *place, name)
    click.echo(f"Renamed {'/'.join(place)} to {place[0]}/{name}.")


@repos.command("transfer")
@_PLACE
@click.argument("user_id", type=Utf8())
@with_reason
def transfer(place: tuple[str, str], user_id: str, origin: Origin) -> None:
    """Give a repo to another user."""
    renames.transfer(_places(), origin, *place, user_id)
    click.echo(f"Transferred {'/'.join(place)} to {user_id}/{place[1]}.")


@repos.command("import")
@_PLACE
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@with_reason
def import_(place: tuple[str, str], path: Path, origin: Origin) -> None:
    """Make a repo of a git bundle, or of a git folder: a clone, or a repo of another server's data directory.

    It is verified first. Prints each finding, and makes nothing where there is any.
    """
    places, settings = _places(), Settings.from_env()
    places.accounts.get(place[0])
    try:
        limits = Limits(settings.max_document, settings.max_write)
        kind: Literal["folder", "bundle"] = "folder" if path.is_dir() else "bundle"
        made = imports.from_file(places, origin, *place, path.absolute(), limits, kind)
    except ImportRefused as error:
        for finding in error.findings:
            click.echo(finding)
        raise click.ClickException(f"{path} was not imported.") from error
    click.echo(f"Imported {'/'.join(place)} at {made.head().commit}.")


@repos.command("export")
@_PLACE
@click.argument("path", type=click.Path(path_type=Path))
def export(place: tuple[str, str], path: Path) -> None:
    """Write a repo into a git bundle at PATH, which must not exist: all commits and tags."""
    repository = registry.open_repository(_places().repos, *place)
    pieces = repository.fetches.bundle()
    try:
        with path.open("xb") as file:
            for piece in pieces:
                file.write(piece)
    except FileExistsError as error:
        raise click.BadParameter("there is a file already", param_hint="PATH") from error
    except BaseException:
        path.unlink(missing_ok=True)  # half of a bundle is none
        raise
    finally:
        pieces.close()
    click.echo(f"Exported {'/'.join(place)} to {path}.")


def _time(moment: datetime | None) -> str:
    return "-" if moment is None else moment.isoformat().replace("+00:00", "Z")


def _places() -> Places:
    settings = Settings.from_env()
    stores = Stores.of(find_data_dir())
    places = Places(Accounts(stores.accounts, OPERATOR), stores.repos, stores.deleted, settings.keep_deleted)
    unfinished.mend(places)
    return places
