"""The addresses that answers and pages tell."""

from flask import request

from app.wire.context import services


def base() -> str:
    """Return the address of this server, as clients find it."""
    settings = services().settings
    return settings.public_url or (request.url_root.rstrip("/") if request.host else settings.url)


def clone_url(owner: str, repo_name: str) -> str:
    """Return the URL for `git clone`."""
    return f"{base()}/git/{owner}/{repo_name}.git"
