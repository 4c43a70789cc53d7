"""The names that a target or the default gives: found in the bytes of the file, and kept by its version.

A search through thousands of targets then reads each version once, and parses none.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from app.domain.names import DEFAULT_TEMPLATE
from app.registry.documents import Source
from storage.caches import Cache, weigh
from storage.ids import BlobId
from storage.snapshot import Snapshot

PROMPT_FIELDS = ("teacher_prompt", "student_prompt")

_DEFAULTS, _TARGETS = "defaults", "targets"  # folders
_SUFFIX = ".yml"
_HEAD = re.compile(rb"""template: ["']?([\w.-]+)["']?\ntemplate_version: ["']?([0-9a-f]{40})["']?\n""", re.ASCII)
# At the indentation of a config's fields. Without quotes, null is no name.
_PROMPTS = re.compile(rf"""^  ({"|".join(PROMPT_FIELDS)}): (?!null$)(["']?)([\w.-]+)\2$""".encode(), re.MULTILINE)
# The lines below `files`, and those of generators; other texts may hold the path of a file, too.
_OWNED = re.compile(rb"""^  ["']?(templates/[\w.-]+)["']?: ["']?([0-9a-f]{40})["']?$""", re.ASCII | re.MULTILINE)
_NAMED = re.compile(rb"""^ +(?:- )?template_path: ["']?(templates/[\w.-]+)["']?$""", re.ASCII | re.MULTILINE)


class Template(NamedTuple):
    """The template that a target was made from, and its version."""

    name: str
    version: BlobId


@dataclass(frozen=True, slots=True)
class Mentions:
    """What a document names. `prompts` are by field.

    `files` are question templates, each with its version where the document owns it.

    `template` is None for the default, and where somebody has written the file by hand.
    """

    template: Template | None
    prompts: Mapping[str, str]
    files: Mapping[str, BlobId | None]


_kept: Cache[BlobId, Mentions] = Cache(16 * 1024 * 1024)  # of 20,000 documents, mostly


def of_all(source: Source) -> Iterator[tuple[str, Mentions]]:
    """Yield the default, under its name as a template, and each target, by name, with what it mentions."""
    for folder in (_DEFAULTS, _TARGETS):
        for entry, version in source.versions(folder).items():
            if entry.endswith(_SUFFIX):
                name = DEFAULT_TEMPLATE if folder == _DEFAULTS else entry.removesuffix(_SUFFIX)
                yield name, of_version(source, version)


def read_ahead(snapshot: Snapshot) -> None:
    """Learn what all documents mention, with few reads of many: one by one they take several times as long."""
    for folder in (_DEFAULTS, _TARGETS):
        versions = snapshot.versions(folder)
        unknown = [entry for entry, version in versions.items() if _kept.get(version) is None]
        for file in snapshot.read_all(f"{folder}/{entry}" for entry in unknown):
            if file is not None:
                _keep(file.id, file.data)


def of_version(source: Source, version: BlobId) -> Mentions:
    """Return what a version of a document mentions."""
    return _kept.get(version) or _keep(version, source.blob(version))


def template(data: bytes) -> Template | None:
    """Return the template that a file of a target begins with; None for the default, and for most files by hand."""
    head = _HEAD.match(data)
    return Template(head[1].decode(), BlobId(head[2].decode())) if head else None


def _keep(version: BlobId, data: bytes) -> Mentions:
    files: dict[str, BlobId | None] = {match[1].decode(): None for match in _NAMED.finditer(data)}
    files |= {match[1].decode(): BlobId(match[2].decode()) for match in _OWNED.finditer(data)}
    found = Mentions(
        template(data),
        {match[1].decode(): match[3].decode() for match in _PROMPTS.finditer(data)},
        files,
    )
    _kept.put(version, found, weigh(files) + weigh(found.prompts))
    return found
