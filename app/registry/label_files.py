"""The files of labels, `labels/<name>.yml`: which commit each names, and who may move it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from app.domain.canonical_yaml import load
from app.domain.names import label_name_problem
from app.registry import documents
from app.registry.documents import Source
from storage.branches import BranchFiles
from storage.errors import RepositoryDamaged
from storage.ids import BlobId, CommitId
from storage.snapshot import File

FOLDER = "labels"

_SUFFIX = ".yml"
_DIGITS = frozenset("0123456789abcdef")
_ID = 40  # hex digits


@dataclass(frozen=True, slots=True)
class Label:
    """A label. `protected` are the users who may move it, beside the owner of the repo; None: every writer may.

    `version` is the blob id of its file.
    """

    name: str
    commit: CommitId
    protected: Sequence[str] | None = None
    version: BlobId = documents.UNWRITTEN

    def document(self) -> Mapping[str, Any]:
        """Return the content of its file."""
        return {"commit": self.commit} | ({} if self.protected is None else {"protected": [*self.protected]})


def path(name: str) -> str:
    """Return the path of a label's file."""
    return f"{FOLDER}/{name}{_SUFFIX}"


def read(source: Source, name: str) -> Label | None:
    """Return a label, or None if there is none; RepositoryDamaged where its file is not one that Bakehouse wrote."""
    file = source.read(path(name))
    return None if file is None else parse(source, name, file)


def read_version(source: Source, name: str, version: BlobId) -> Label:
    """Return a label at a version of its file."""
    return parse(source, name, File(version, source.blob(version)))


def read_if_label(source: Source, name: str, version: BlobId) -> Label | None:
    """Return a label at a version of its file; None where git has the content, but it is no label of ours."""
    try:
        return read_version(source, name, version)
    except RepositoryDamaged:
        source.blob(version)
        return None


def parse(source: Source, name: str, file: File) -> Label:
    """Return the label that a file holds."""
    found = documents.parse(source, path(name), file)
    commit, protected = found.get("commit"), found.get("protected")
    if not _is_id(commit) or not (protected is None or _are_texts(protected)):
        raise RepositoryDamaged(source.name, f"{path(name)} is not a label that Bakehouse wrote")
    return Label(name, CommitId(str(commit)), protected, file.id)


def _branch(entry: str) -> str | None:
    name = entry.removesuffix(_SUFFIX)
    return None if name == entry or label_name_problem(name) else name


def _commit(data: bytes) -> CommitId | None:
    with suppress(ValueError):
        commit = load(data).get("commit")
        return CommitId(str(commit)) if _is_id(commit) else None
    return None


def _is_id(value: object) -> bool:
    return isinstance(value, str) and len(value) == _ID and _DIGITS.issuperset(value)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


# git sees a branch for each label.
BRANCHES = BranchFiles(FOLDER, "label", _branch, _commit)
