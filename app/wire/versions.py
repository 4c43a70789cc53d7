"""Versions in HTTP: the headers ETag and Git-Commit, and conditional requests."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from app.domain.preconditions import ANY, Precondition
from app.wire.context import InvalidHeader, services
from storage.snapshot import Snapshot

HEADERS = {
    "ETag": "The version: the git blob id of the YAML file, in quotes.",
    "Git-Commit": "The commit that the answer was read from.",
}
LIST_HEADERS = {**HEADERS, "ETag": "The version: the git tree id of the folder, in quotes."}
FILE_HEADERS = {
    **HEADERS,
    "ETag": "The version: as text the git blob id of the file, as JSON a hash of it and of all that may name it, "
    "in quotes.",
}
GRANTS_HEADERS = {**HEADERS, "ETag": "The version: the git blob id of `repo.yml`, in quotes."}
ANSWER_HEADERS = {**HEADERS, "ETag": "The version: a hash of the commit and the rest of the query, in quotes."}
USES_HEADERS = {**HEADERS, "ETag": "The version: a hash of the commit, the tags and the rest of the query, in quotes."}
NAMES_HEADERS = {"ETag": "The version: a hash of the names, in quotes. Pages have no ETag."}
DIFF_HEADERS = {"ETag": "The version: a hash of both commits and the rest of the query, in quotes."}
COMMIT_HEADERS = {"Git-Commit": HEADERS["Git-Commit"]}
OWNER = {"Repo-Owner": "The user whose repo it is. A guest names this user in `X-User-Id`."}
REPO_HEADERS = COMMIT_HEADERS | OWNER
DELETED_HEADERS = {"Git-Commit": "The commit that deleted it."}
CHANGED_HEADERS = {"Git-Commit": "The commit that the change made; the last one where nothing changed."}
TAG_HEADERS = {"Git-Commit": "The commit that the tag is on."}
PAGE_HEADERS = {
    **HEADERS,
    "ETag": "The version, in quotes: of the list of names the git tree id of the folder, else a hash of the commit "
    "and the rest of the query.",
    "Link": 'Where the next page of a text is, as `<address>; rel="next"`; left out where there is none.',
}
CONDITIONS = ("If-Match", "If-None-Match")
LOCATION = {"Location": "The address of the new resource."}

_VERSION = r'(?:W/)?"[^"]*"|[^\s,"*]+'  # in quotes, weak or not; or bare, as a shell may leave it
# What `If-Match` and `If-None-Match` of a write must be.
VERSIONS = rf"^(\*|[\s,]*({_VERSION})([\s,]+({_VERSION}))*[\s,]*)$"
_ENCODED = re.compile(r"(?:--?|;)(?:gzip|br|zstd|deflate)\Z")  # what proxies that compress an answer add to its ETag


def headers(version: str, commit: str) -> dict[str, str]:
    """Return the headers of an answer about one document."""
    return {"ETag": f'"{version}"', "Git-Commit": commit}


def names_version(names: Sequence[str]) -> str:
    """Return the version of a list that is no git folder."""
    return hashlib.sha1("\n".join(names).encode(), usedforsecurity=False).hexdigest()


def of_answer(snapshot: Snapshot, query: Mapping[str, Any]) -> str:
    """Return the version of an answer that depends on the history up to a snapshot, and on the rest of the query."""
    rest = sorted((name, str(value)) for name, value in query.items() if name != "ref")
    return hashlib.sha1(f"{snapshot.commit} {rest}".encode(), usedforsecurity=False).hexdigest()


def of_files(*ids: str) -> str:
    """Return the version of an answer that depends on some files and folders alone, given their ids."""
    return hashlib.sha1(" ".join(ids).encode(), usedforsecurity=False).hexdigest()


def commit_headers(snapshot: Snapshot) -> dict[str, str]:
    """Return the header of an answer about several documents."""
    return {"Git-Commit": snapshot.commit}


def location(name: str) -> dict[str, str]:
    """Return the header with the address of a resource that was POSTed to its collection."""
    return {"Location": f"{path()}/{name}"}


def path() -> str:
    """Return the path of the request as the client sent it, through a proxy that may take a prefix away."""
    return f"{services().settings.prefix or request.script_root}{request.path}"


def precondition() -> Precondition:
    """Return what `If-Match` and `If-None-Match` require; InvalidHeader where one of them cannot be read."""
    return Precondition(match=_expect("If-Match"), none_match=_expect("If-None-Match") or frozenset())


def is_known(version: str) -> bool:
    """Return whether the client has this version already, and needs no body."""
    known = _versions(request.headers.get("If-None-Match", ""))
    return known is not None and bool({ANY, version} & known)


def _expect(header: str) -> frozenset[str] | None:
    """Return the versions in a header, or None where the request does not have it."""
    text = request.headers.get(header)
    if text is None:
        return None
    versions = _versions(text)
    if versions is None:
        raise InvalidHeader(f"The header {header} must be '*', or versions in quotes with commas between them.")
    return versions


def _versions(text: str) -> frozenset[str] | None:
    """Return the versions that a header lists, or None where the header is malformed.

    `*` is any version, and the tag `"*"` is never one. A version counts also where a proxy made its ETag weak or
    added the name of an encoding: documents have one version, whatever the encoding of the answer.
    """
    if text.strip() == ANY:
        return frozenset([ANY])
    if not re.fullmatch(VERSIONS, text):
        return None
    return frozenset(_ENCODED.sub("", tag.removeprefix("W/").strip('"')) for tag in re.findall(_VERSION, text)) - {ANY}
