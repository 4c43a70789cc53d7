"""`bakehouse verify`: check that targets follow from their templates and overrides, and git's objects."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import click

from app.cli.clones import clone_at
from app.cli.stored import find_data_dir, list_repos, one_of
from app.cli.verify_rows import verify_rows
from app.registry.stores import Stores
from app.registry.users import accounts
from app.registry.verification import labels, sharing
from app.registry.verification.accounts import of_accounts
from app.registry.verification.findings import Note, Verification, located, reason_of
from app.registry.verification.repo import of_repo
from storage.clones import BRANCH, Clone
from storage.errors import RepositoryDamaged, StorageError
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.store import Store

_StartVerification = Callable[[Clone, Snapshot], Verification]


@click.command()
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False)
@click.option("--repo", metavar="USER/NAME", help="Only this repo of the server.")
@click.option("--rows", type=click.File("rb"), metavar="FILE", help="Check these exported rows, and nothing else.")
@click.option("--strict", is_flag=True, help="Take notes for findings.")
def verify(path: Path | None, repo: str | None, rows: BinaryIO | None, strict: bool) -> None:
    """Resolve every target again, compare it byte for byte, and have git check its objects.

    Checks the commits of the clone at PATH, or else all repositories in the data directory. Prints a
    line for each finding, and ends with status 1 if there is any. Notes go to standard error: names that
    mean nothing, such as that of a deleted prompt.

    With --rows: tells which run, of which target at which commit, exported the rows in FILE (JSON Lines; - is the
    standard input). Where no run did, prints what is wrong with them as findings.
    """
    if path is not None and repo is not None:
        raise click.UsageError("Give PATH, a clone, or --repo, a repo of the server, but not both.")
    if rows is not None:
        lines = verify_rows(rows, path, repo)
    elif path is None:
        lines = _verify_server(find_data_dir(), repo)
    else:
        lines = _verify_clone(path)
    findings = notes = 0
    for line in lines:
        is_note = isinstance(line, Note) and not strict
        findings, notes = findings + (not is_note), notes + is_note
        click.echo(f"note: {line}" if is_note else line, err=is_note)
    summary = _counted(findings, "finding") if findings else "Nothing found"
    click.echo(f"{summary}, and {_counted(notes, 'note')}." if notes else f"{summary}.", err=True)
    sys.exit(1 if findings else 0)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _verify_clone(path: Path) -> Iterator[str]:
    with clone_at(path) as clone:
        yield from _verify(clone, _contents(clone, of_repo))


def _verify_server(data_dir: Path, repo: str | None) -> Iterator[str]:
    of_users, store, _ = Stores.of(data_dir)
    names, problems = list_repos(store)
    if repo is not None:
        yield from _verify_stored(store, one_of(names, repo), of_repo)
        return
    yield from _verify_stored(of_users, accounts.REPOSITORY, of_accounts)
    yield from problems
    for name in names:
        yield from _verify_stored(store, name, of_repo)
    yield from _verify_sharing(of_users, store, names)


def _verify_sharing(of_users: Store, store: Store, names: Iterable[str]) -> Iterator[str]:
    """Compare the accounts with all repos; what cannot be read was found before."""
    with suppress(StorageError, OSError):
        head = of_users.open(accounts.REPOSITORY).head()
        for name in names:
            with suppress(StorageError, OSError):
                yield from list(sharing.find_problems(head, name, store.open(name).head()))


def _verify_stored(store: Store, name: str, start: _StartVerification) -> Iterator[str]:
    """Verify a repository of the server, after a checkpoint: git sees nothing of the journal."""
    try:
        repository = store.open(name)
        repository.checkpoint()
        with suppress(RepositoryDamaged):  # which is found below
            repository.head()
        clone = Clone(name, repository.path)
    except (StorageError, OSError) as error:  # go on with the other repositories
        yield f"{name}: {reason_of(error)}"
        return
    with clone:
        yield from _verify(clone, _refs(clone, repository), _contents(clone, start, BRANCH))


def _verify(clone: Clone, *parts: Iterable[str]) -> Iterator[str]:
    for part in (_fsck(clone), _checksums(clone), _tags(clone), *parts):
        for line in list(_guarded(part)):  # do not print inside a progress bar
            yield located(clone.name, line)


def _guarded(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines; if reading fails, yield the reason and end."""
    try:
        yield from lines
    except (StorageError, OSError) as error:
        yield reason_of(error)


def _fsck(clone: Clone) -> Iterator[str]:
    for line in clone.fsck():
        yield f"git fsck: {line}"


def _checksums(clone: Clone) -> Iterator[str]:
    for path in clone.damaged_files():
        yield f"{path}: its checksum is wrong"


def _tags(clone: Clone) -> Iterator[str]:
    for name, borne in clone.misnamed_tags().items():
        yield f"refs/tags/{name}: it leads to a tag that is called {borne!r}"


def _refs(clone: Clone, repository: Repository) -> Iterator[str]:
    """Yield the findings in the refs of a server's repository; the refs of a clone are up to its user."""
    if not clone.is_on(BRANCH):
        yield f"HEAD: it does not name {BRANCH}"
    repository.tags()
    yield from labels.misplaced(clone, repository)


def _contents(clone: Clone, start: _StartVerification, ref: str = "HEAD") -> Iterator[str]:
    verification = start(clone, clone.head(ref))
    with click.progressbar(verification.paths(), label=clone.name, file=sys.stderr) as paths:
        for path in paths:
            yield from verification.check(path)
