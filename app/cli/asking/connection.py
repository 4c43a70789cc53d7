"""Where commands get their answers: a server, or a clone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from app.cli.asking import clone_app, repo_names, server
from app.cli.asking.client import Client
from app.cli.asking.repo_names import RepoName
from app.cli.asking.visible import visible
from app.registry import repos
from storage.clones import Clone
from storage.errors import RepositoryNotFound


@contextmanager
def connected(url: str | None, repo: str | None, path: Path | None) -> Iterator[Client]:
    """Yield a client for the repo that is meant; UsageError where that is not clear.

    A clone at `path` comes first, then the server at `url`, then the clone that this folder is in.
    """
    if path is None and url:
        token = os.environ.get("BAKEHOUSE_TOKEN", "").strip()
        named = repo_names.parse(repo) if repo else _repo_of_this_clone(url)
        with server.connect(url, token, named) as client:
            yield client
        return
    clone = _find_clone(path)
    if clone is None:
        raise click.UsageError(
            "There is nothing to ask. Set BAKEHOUSE_URL and BAKEHOUSE_TOKEN to ask a server, or go to a clone."
            if path is None
            else f"{visible(str(path))} is no git repository."
        )
    if repo:
        raise click.UsageError("--repo and BAKEHOUSE_REPO name a repo on a server. Set BAKEHOUSE_URL to ask it.")
    with clone:
        yield from _ask(clone)


def _ask(clone: Clone) -> Iterator[Client]:
    if clone.is_shallow():
        raise click.UsageError(
            f"{visible(clone.name)} is a shallow clone, without the versions that targets were made from. "
            "Get them with: git fetch --unshallow"
        )
    repository = clone.repository(repos.check_layout)
    if repository.head().version(repos.PATH) is None:
        raise click.UsageError(f"{visible(clone.name)} is no clone of a repo of Bakehouse: it has no {repos.PATH}.")
    owner, name = repo_names.of_address(clone.origin()) or ("nobody", "clone")
    with clone_app.connect(repository, owner or "nobody", name) as client:
        yield client


def _find_clone(path: Path | None) -> Clone | None:
    """Return the clone at a path, or else the one that this folder is in; None if there is none."""
    here = Path.cwd()
    for folder in (here, *here.parents) if path is None else (path.absolute(),):
        with suppress(RepositoryNotFound):
            return Clone(str(folder), folder)
    return None


def _repo_of_this_clone(url: str) -> RepoName:
    clone = _find_clone(None)
    if clone is not None:
        with clone:
            found = repo_names.of_address(clone.origin(), url)
        if found is not None:
            return found
    raise click.UsageError(
        "Which repo? Name it with --repo or in BAKEHOUSE_REPO, or go to a clone that was made from this server."
    )
