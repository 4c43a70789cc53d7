"""Repos as a person names them, and as the address of a clone does."""

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import click

from app.cli.asking.visible import visible
from app.domain.names import name_problem, user_id_problem


class RepoName(NamedTuple):
    """A repo on a server; without an owner it is the caller's."""

    owner: str | None
    name: str


def parse(text: str) -> RepoName:
    """Return what `demo` or `alice/demo` names; UsageError for anything else."""
    owner, _, name = text.rpartition("/")
    if name_problem(name) or ("/" in text and user_id_problem(owner)):
        raise click.UsageError(f"'{visible(text)}' names no repo: write 'demo', or 'alice/demo' for one of alice.")
    return RepoName(owner or None, name)


def of_address(address: str | None, server: str | None = None) -> RepoName | None:
    """Return the repo that an address for git names, on one server where `server` is its address; or None."""
    try:
        parts = urlsplit(address or "")
    except ValueError:
        return None
    start, found, rest = unquote(parts.path).rpartition("/git/")
    owner, _, name = rest.rstrip("/").removesuffix(".git").partition("/")
    if not found or user_id_problem(owner) or name_problem(name):
        return None
    here = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{start}"
    return RepoName(owner, name) if server is None or here == server.rstrip("/") else None
