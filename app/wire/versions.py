"""Versions in HTTP: the headers ETag and Git-Commit, and conditional requests."""

import hashlib
from collections.abc import Sequence

from flask import request
from werkzeug.datastructures import ETags

from app.domain.preconditions import ANY, Precondition
from app.wire.context import services
from storage.snapshot import Snapshot

HEADERS = {
    "ETag": "The version: the git blob id of the YAML file, in quotes.",
    "Git-Commit": "The commit that the answer was read from.",
}
LIST_HEADERS = {**HEADERS, "ETag": "The version: the git tree id of the folder, in quotes."}
NAMES_HEADERS = {"ETag": "The version: a hash of the names, in quotes. Pages have no ETag."}
COMMIT_HEADERS = {"Git-Commit": HEADERS["Git-Commit"]}
DELETED_HEADERS = {"Git-Commit": "The commit that deleted it."}
LOCATION = {"Location": "The address of the new resource."}


def headers(version: str, commit: str) -> dict[str, str]:
    """Return the headers of an answer about one document."""
    return {"ETag": f'"{version}"', "Git-Commit": commit}


def names_version(names: Sequence[str]) -> str:
    """Return the version of a list that is no git folder."""
    return hashlib.sha1("\n".join(names).encode(), usedforsecurity=False).hexdigest()


def commit_headers(snapshot: Snapshot) -> dict[str, str]:
    """Return the header of an answer about several documents."""
    return {"Git-Commit": snapshot.commit}


def location(name: str) -> dict[str, str]:
    """Return the header with the address of a resource that was POSTed to its collection."""
    prefix = services().settings.prefix or request.script_root
    return {"Location": f"{prefix}{request.path}/{name}"}


def precondition() -> Precondition:
    """Return what `If-Match` and `If-None-Match` require."""
    return Precondition(
        match=_versions("If-Match", request.if_match, weak=False) if "If-Match" in request.headers else None,
        none_match=_versions("If-None-Match", request.if_none_match, weak=True),
    )


def is_known(version: str) -> bool:
    """Return whether the client has this version already, and needs no body."""
    return bool({ANY, version} & _versions("If-None-Match", request.if_none_match, weak=True))


def _versions(header: str, tags: ETags, *, weak: bool) -> frozenset[str]:
    """Return the versions in a header: `*` is any version, and the tag `"*"` is never one."""
    if request.headers.get(header, "").strip() == ANY:
        return frozenset([ANY])
    return frozenset(tags.as_set(include_weak=weak)) - {ANY}
