"""What changed in one file: which thing it holds, and the fields that are not the same before and after."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain import manifests
from app.domain.budgets import Work
from app.domain.differences import Difference, compare
from app.registry import documents, repos
from app.registry.configs import defaults, prompts, question_templates, target_files
from app.registry.documents import Source
from storage.comparisons import FileChange
from storage.errors import RepositoryDamaged
from storage.ids import BlobId
from storage.snapshot import File

_FOLDERS = {
    target_files.FOLDER.name: "target",
    prompts.FOLDER.name: "prompt",
    "labels": "label",
}
_SUFFIX = ".yml"
_DOCUMENTS = (*_FOLDERS, "defaults", manifests.FOLDER)
_UNREADABLE = "The file was not written by Bakehouse, and cannot be read"
NOT_READ = "The file is larger than what is left of the bytes that one answer reads; git shows the change"


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that changed: its blob ids before and after, None where it was not there.

    `differences` are its changed fields. A file without fields, such as a question template, has none. Where they
    are None, `note` says why.
    """

    path: str
    old: BlobId | None
    new: BlobId | None
    differences: Sequence[Difference] | None
    note: str | None = None


def thing(path: str) -> tuple[str, str | None]:
    """Return what a file holds: its kind, and its name where a repo may have several of the kind."""
    folder, _, name = path.partition("/")
    if path == defaults.PATH:
        return "default", None
    if path == repos.PATH:
        return "repo", None
    if folder == question_templates.FOLDER and name:
        return "question_template", name
    run = manifests.name_of(path)
    if run is not None:
        return "run", run
    if folder in _FOLDERS and name.endswith(_SUFFIX) and "/" not in name:
        return _FOLDERS[folder], name.removesuffix(_SUFFIX)
    return "other", None


def action(old: BlobId | None, new: BlobId | None) -> str:
    """Return what happened to a file that had one version before and has another now; None is no file."""
    return "deleted" if new is None else "created" if old is None else "updated"


def read(source: Source, change: FileChange, work: Work, is_submodule: Callable[[str], bool]) -> ChangedFile:
    """Return a file's changed fields, as far as `work` allows; `is_submodule` tells it of a path."""
    ids = (change.path, change.old, change.new)
    is_document = change.path == repos.PATH or change.path.partition("/")[0] in _DOCUMENTS
    if not is_document:
        return ChangedFile(*ids, ())
    if work.is_spent:
        return ChangedFile(*ids, None, NOT_READ)
    try:
        files = [File(blob, source.blob(blob)) if blob else None for blob in (change.old, change.new)]
    except RepositoryDamaged:
        if not is_submodule(change.path):
            raise
        return ChangedFile(*ids, None, _UNREADABLE)
    if not work.take(len(file.data) for file in files if file):
        return ChangedFile(*ids, None, NOT_READ)
    try:
        old, new = (documents.parse(source, change.path, file) if file else {} for file in files)
    except RepositoryDamaged:  # git has the content, but it is no document of ours
        return ChangedFile(*ids, None, _UNREADABLE)
    # Overrides mostly repeat fields of the config, so they are compared only where nothing else differs.
    return ChangedFile(*ids, compare(fields(old), fields(new)) or compare(old, new))


def fields(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a document with the fields of its config at the top, and without its overrides."""
    config = document.get("config", {})
    rest = {name: value for name, value in document.items() if name not in ("config", "overrides")}
    return {**rest, **config} if isinstance(config, dict) else rest
