"""The way to a server: its address, and a token that goes nowhere else."""

from contextlib import suppress
from ipaddress import ip_address

import click
import httpx2

from app.cli.asking.client import Client
from app.cli.asking.repo_names import RepoName
from app.cli.asking.visible import visible

_TIMEOUT = httpx2.Timeout(60.0, connect=10.0)  # seconds; a server itself waits ten for a lock


def connect(url: str, token: str, repo: RepoName) -> Client:
    """Return a client for a repo on a server; UsageError where the address or the token cannot be used."""
    address = _parse(url)
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise click.UsageError("Set BAKEHOUSE_TOKEN to your token, which is ASCII text without spaces.")
    if address.scheme == "http" and not _is_here(address.host):
        click.echo(f"Warning: the token goes to {visible(address.host)} without encryption. Use https.", err=True)
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    if repo.owner is not None:
        headers["X-User-Id"] = repo.owner
    return Client(httpx2.Client(base_url=address, headers=headers, timeout=_TIMEOUT), repo.name)


def _parse(url: str) -> httpx2.URL:
    with suppress(httpx2.InvalidURL):
        address = httpx2.URL(url)
        if address.scheme in ("http", "https") and address.host and not (address.userinfo or address.query):
            return address
    raise click.UsageError(
        "BAKEHOUSE_URL must be the address of a server, such as https://bakehouse.example.org, "
        "without a token: that is what BAKEHOUSE_TOKEN is for."
    )


def _is_here(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")
