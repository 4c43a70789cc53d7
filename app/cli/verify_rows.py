"""`bakehouse verify --rows`: say which run exported some rows, or what is wrong with them."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from app.cli.clones import clone_at
from app.cli.stored import find_data_dir, list_repos, one_of
from app.domain import manifests
from app.registry.stores import Stores
from app.registry.verification import exports
from app.registry.verification.exports import Export
from app.registry.verification.findings import Note, located, reason_of
from app.registry.verification.repo import of_repo
from storage.clones import BRANCH, Clone
from storage.errors import StorageError
from storage.snapshot import Snapshot

_MOST_COMPARED = 10  # runs that are told to be near


def verify_rows(file: BinaryIO, path: Path | None, repo: str | None) -> Iterator[str]:
    """Print which run exported some rows, and yield the findings. A clone is asked at a path, or else the server."""
    name, export = click.format_filename(getattr(file, "name", "-")), Export.read(file)
    is_found, near = False, list[str]()
    for clone, snapshot in _clones(path, repo):
        found = exports.find(clone, snapshot, export.rows_sha256)
        is_found |= bool(found)
        for at, version, manifest in found:
            click.echo(
                f"{name}: the {manifest.rows} rows of the run {manifests.name_of(at)} in {clone.name}, "
                f"of target '{manifest.target}' at commit {manifest.commit}"
            )
            lines = list(of_repo(clone, snapshot).check(at)) if snapshot.version(at) == version else []
            yield from (located(clone.name, line) for line in lines if not isinstance(line, Note))
        near += [] if found else [located(clone.name, line) for line in exports.compare(export, snapshot)]
    if not is_found:
        yield from (located(name, line) for line in _strange(export))
        yield from near[:_MOST_COMPARED]


def _strange(export: Export) -> Iterator[str]:
    """Yield what is wrong with rows that no run has."""
    yield f"no run has these {export.lines} lines, with the SHA-256 {export.rows_sha256}"
    yield from export.findings
    if export.more_findings:
        yield f"{export.more_findings} further lines are not in order"


def _clones(path: Path | None, repo: str | None) -> Iterator[tuple[Clone, Snapshot]]:
    """Yield the clone at a path, or those of the server, each with its last commit."""
    if path is not None:
        with clone_at(path) as clone:
            yield clone, clone.head()
        return
    store = Stores.of(find_data_dir()).repos
    names, _ = list_repos(store)
    for name in [one_of(names, repo)] if repo is not None else names:
        try:
            repository = store.open(name)
            repository.checkpoint()
            clone = Clone(name, repository.path)
        except (StorageError, OSError) as error:
            click.echo(f"{name}: {reason_of(error)}", err=True)
            continue
        with clone:
            yield clone, clone.head(BRANCH)
