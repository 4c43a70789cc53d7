"""A label that is made or moved: what would change, and the change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from app.domain.budgets import Work
from app.domain.differences import Difference
from app.domain.preconditions import UNCONDITIONAL
from app.registry import label_files, labels
from app.registry.audit import file_changes, log_filters
from app.registry.configs import prompts, target_files
from app.registry.label_files import Label
from app.registry.labels import LabelRequest
from app.registry.revisions import Ref
from app.web import admission
from app.web.admission import Place
from app.web.labels.label_forms import NOTHING, MoveForm
from app.web.labels.listing import commit_or_none
from app.web.parts.commits import Commit
from app.wire import allowance
from app.wire.movers import mover
from storage.comparisons import FileChange
from storage.ids import BlobId, CommitId
from storage.snapshot import Snapshot

_FOLDERS = (target_files.FOLDER, prompts.FOLDER)
_MOST_FILES = 20  # of each folder
_MOST_CHANGES = 30  # of a file
_MOST_NAMES = 100


@dataclass(frozen=True, slots=True)
class File:
    """A target or a prompt that differs: the first fields that do, and how many more there are.

    `note` says why the fields are not known.
    """

    kind: str
    name: str
    action: str
    differences: Sequence[Difference]
    more: int
    note: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a move would do. `version` is that of the label before the move, `NOTHING` where there is none.

    `names` are the first targets that are created, updated and deleted between the commits; `counts` counts all.
    """

    now: Label | None
    version: str
    before: Commit | None
    to: Commit
    counts: Mapping[str, int]
    names: Mapping[str, Sequence[str]]
    files: Sequence[File]
    warnings: Sequence[str]

    @property
    def is_there(self) -> bool:
        """Tell whether the label is on that commit already."""
        return self.now is not None and self.now.commit == self.to.id


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What somebody else did with a label: where it was when the person looked, and the last change of it."""

    seen: Commit | None
    last: Commit | None


def preview(place: Place, name: str, ref: Ref) -> Preview:
    """Return what moving a label to a ref would change. Raises what `labels.put` raises."""
    now = label_files.read(place.repository.head(), name)
    found = labels.put(
        place.repository, admission.origin(), mover(), name, LabelRequest(ref), UNCONDITIONAL, dry_run=True
    )
    return Preview(
        now,
        now.version if now else NOTHING,
        commit_or_none(place.repository, found.before),
        Commit.of(found.label.commit, place.repository.signature(found.label.commit)),
        {action: len(names) for action, names in found.changes.items()},
        {action: names[:_MOST_NAMES] for action, names in found.changes.items()},
        _files(place, found.before, found.label.commit),
        found.warnings,
    )


def move(place: Place, name: str, form: MoveForm, ref: Ref) -> Label:
    """Make or move a label; PreconditionFailed where it is not as the person has seen it."""
    request, origin = LabelRequest(ref), admission.origin(form.reason.data)
    return labels.put(place.repository, origin, mover(), name, request, form.precondition(), dry_run=False).label


def meanwhile(place: Place, name: str, version: str | None) -> Meanwhile:
    """Return what happened to a label since the version that a person has seen."""
    path = label_files.path(name)
    versions = place.repository.versions(path, place.repository.head().commit)
    last = commit_or_none(place.repository, versions[0].commit) if versions else None
    if version is None or not any(found.blob == version for found in versions):
        return Meanwhile(None, last)
    label = label_files.read_if_label(place.repository.head(), name, BlobId(version))
    return Meanwhile(commit_or_none(place.repository, label.commit if label else None), last)


def version(place: Place, name: str) -> str:
    """Return the version of a label now; `NOTHING` where there is none."""
    label = label_files.read(place.repository.head(), name)
    return label.version if label else NOTHING


def _files(place: Place, before: CommitId | None, to: CommitId) -> list[File]:
    """Return the targets and prompts that differ, the first of each; none for a new label."""
    if commit_or_none(place.repository, before) is None or before is None:
        return []
    then, now, work, files = place.repository.at(before), place.repository.at(to), allowance.work(), []
    for folder in _FOLDERS:
        changes = place.repository.comparisons.changes(then, now, log_filters.of_path(f"{folder.name}/"))
        files += [_file(now, change, work) for change in islice(changes, _MOST_FILES)]
    return files


def _file(now: Snapshot, change: FileChange, work: Work) -> File:
    file = file_changes.read(now, change, work, now.is_submodule)
    kind, name = file_changes.thing(file.path)
    found = file.differences or ()
    more = max(0, len(found) - _MOST_CHANGES)
    return File(
        kind, name or file.path, file_changes.action(file.old, file.new), found[:_MOST_CHANGES], more, file.note
    )
