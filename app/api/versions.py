"""Versions over HTTP: the headers ETag and Git-Commit, and conditional requests."""

from flask import request
from werkzeug.datastructures import ETags

from app.registry.preconditions import ANY, Precondition

HEADERS = {
    "ETag": "The version: the git blob id of the YAML file, in quotes.",
    "Git-Commit": "The commit that this was answered from.",
}


def headers(version: str, commit: str) -> dict[str, str]:
    """Return the headers of an answer about one document."""
    return {"ETag": f'"{version}"', "Git-Commit": commit}


def precondition() -> Precondition:
    """Return what the request insists on in `If-Match` and `If-None-Match`."""
    return Precondition(
        match=_versions(request.if_match) if "If-Match" in request.headers else None,
        none_match=_versions(request.if_none_match),
    )


def is_known(version: str) -> bool:
    """Tell whether the client has a version already, so that 304 will do."""
    return request.if_none_match.contains_weak(version)


def _versions(tags: ETags) -> frozenset[str]:
    return frozenset([ANY]) if tags.star_tag else frozenset(tags.as_set())
