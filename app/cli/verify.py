"""`bakehouse verify`: whether each target follows from its template and overrides, and git is content."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from app.cli.stored import find_data_dir, list_repos
from app.registry import accounts
from app.registry.verification import AccountsVerification, Verification
from storage.clones import Clone
from storage.errors import RepositoryDamaged, RepositoryNotFound
from storage.store import Store

_Kind = type[Verification] | type[AccountsVerification]


@click.command()
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False)
@click.option("--repo", metavar="USER/NAME", help="Only this repo of the server.")
def verify(path: Path | None, repo: str | None) -> None:
    """Resolve every target anew, compare it byte for byte, and let git check its objects.

    Checks the clone at PATH, as it is committed, or else what lies in the data directory. Prints a
    line for each thing that is not as Bakehouse writes it, and ends with status 1 if there is any.
    """
    if path is None:
        lines = _verify_server(find_data_dir(), repo)
    elif repo is None:
        lines = _verify_clone(path)
    else:
        raise click.UsageError("PATH is a clone of one repo, and --repo one of the server: give one of them.")
    count = 0
    for line in lines:
        count += 1
        click.echo(line)
    click.echo(f"{count} finding{'' if count == 1 else 's'}." if count else "Nothing found.", err=True)
    sys.exit(1 if count else 0)


def _verify_clone(path: Path) -> Iterator[str]:
    try:
        clone = Clone(str(path), path)
    except RepositoryNotFound as error:
        raise click.BadParameter(
            f"{path} is no git repository. (Where a server keeps its data is BAKEHOUSE_DATA_DIR's to say.)",
            param_hint="PATH",
        ) from error
    with clone:
        if clone.is_shallow():
            raise click.BadParameter(
                f"{path} is a shallow clone, without the versions that targets were made from. "
                f"Get them with: git -C {path} fetch --unshallow",
                param_hint="PATH",
            )
        yield from _verify(clone, Verification)


def _verify_server(data_dir: Path, repo: str | None) -> Iterator[str]:
    if repo is None:
        yield from _verify_stored(Store(data_dir), accounts.REPOSITORY, AccountsVerification)
    store = Store(data_dir / "repos")
    names = list_repos(store)
    if repo is not None and repo not in names:
        raise click.BadParameter(f"There is no repo {repo!r}; say <user>/<name>.", param_hint="--repo")
    for name in names if repo is None else [repo]:
        yield from _verify_stored(store, name, Verification)


def _verify_stored(store: Store, name: str, kind: _Kind) -> Iterator[str]:
    """Verify a repository of the server, as git has it once all that was committed is published."""
    try:
        repository = store.open(name)
        repository.publish()
    except RepositoryNotFound:  # no server was ever started here
        return
    except RepositoryDamaged as error:
        yield f"{name}: {error.reason}"
        return
    with Clone(name, repository.path) as clone:
        yield from _verify(clone, kind)


def _verify(clone: Clone, kind: _Kind) -> Iterator[str]:
    lines = [f"git fsck: {line}" for line in clone.fsck()]
    try:
        verification = kind(clone, clone.head())
        with click.progressbar(verification.paths(), label=clone.name, file=sys.stderr) as paths:
            for path in paths:
                lines += verification.check(path)
    except RepositoryDamaged as error:
        lines.append(error.reason)
    for line in lines:
        yield f"{clone.name}: {line}"
