"""Labels: names for commits that move, each move with its author, time and reason."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from app.domain.errors import Conflict, NotFound, NotPermitted
from app.domain.names import enumerated, refuse_unportable
from app.domain.preconditions import Precondition
from app.registry import documents, label_files, messages, revisions
from app.registry.configs import references, target_files
from app.registry.folders import Folder
from app.registry.label_files import Label
from app.registry.messages import Origin
from app.registry.revisions import Ref
from storage.errors import RevisionNotFound
from storage.ids import BlobId, CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.transaction import Transaction

FOLDER = Folder(label_files.FOLDER, "Label")
MOST = 100  # labels of a repo: every clone has a branch for each, and a list shows all

_MOST_WARNINGS = 100
_FEW = 16  # files; git finds the commits of one by filters, and goes through all commits for many
_SHORT = 10  # hex digits of a commit in a subject


@dataclass(frozen=True, slots=True)
class Mover:
    """A caller who wants to move a label of a repo of `owner`. The owner and the master key may always."""

    owner: str
    user_id: str
    is_owner: bool

    def check(self, label: Label | None) -> None:
        """Raise NotPermitted where the caller may not move a label."""
        if label is None or label.protected is None or self.is_owner or self.user_id in label.protected:
            return
        others = f" and {enumerated(label.protected)}" if label.protected else ""
        sentence = f"Label '{label.name}' is protected: only '{self.owner}', who owns the repo,{others} may move it."
        raise NotPermitted(sentence)

    def check_protecting(self, name: str) -> None:
        """Raise NotPermitted where the caller may not say who moves a label."""
        if not self.is_owner:
            raise NotPermitted(f"Only '{self.owner}', who owns the repo, may say who moves label '{name}'.")


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """What a request wants of a label. `ref` may be the label's own name: it stays where it is.

    `protected` counts only where `protects` is true: a list of users, or None for every writer.
    """

    ref: Ref
    protects: bool = False
    protected: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """A label as a request left it, or would leave it; where it was before, and the targets that differ there.

    `changes` has the names of the targets that were created, updated and deleted between the two commits.
    """

    label: Label
    before: CommitId | None
    changes: Mapping[str, Sequence[str]]
    warnings: Sequence[str]
    commit: CommitId


def get(snapshot: Snapshot, name: str) -> Label:
    """Return a label as it was at a commit; NotFound if there was none."""
    label = label_files.read(snapshot, name)
    if label is None:
        raise NotFound(FOLDER.kind, name)
    return label


def get_all(snapshot: Snapshot) -> Mapping[str, Label | None]:
    """Return the labels as they were at a commit, by name; None for a file by hand that is no label."""
    found = FOLDER.versions(snapshot).items()
    return {name: label_files.read_if_label(snapshot, name, version) for name, version in found}


def moved_last(repository: Repository, snapshot: Snapshot, names: Sequence[str]) -> Mapping[str, CommitId]:
    """Return the commits that last moved some labels, or changed who may move them."""
    paths = {label_files.path(name): name for name in names}
    if len(paths) > _FEW:
        changed = repository.last_changes([*paths], snapshot.commit)
        return {paths[path]: commit for path, commit in changed.items()}
    found = {name: repository.versions(path, snapshot.commit) for path, name in paths.items()}
    return {name: versions[0].commit for name, versions in found.items() if versions}


def put(
    repository: Repository,
    origin: Origin,
    mover: Mover,
    name: str,
    request: LabelRequest,
    precondition: Precondition,
    *,
    dry_run: bool,
) -> Moved:
    """Create a label, move it, or change who may move it; a dry run writes nothing.

    Raises NotPermitted, PreconditionFailed, what `revisions.at` raises; and for a new label Conflict, TagExists,
    NameTaken or BranchExists where the name is taken.
    """
    to = None if request.ref == name else revisions.at(repository, request.ref).commit

    def wanted(tip: Snapshot | Transaction) -> tuple[Label | None, Label]:
        existing = label_files.read(tip, name)
        mover.check(existing)
        precondition.check(name, existing.version if existing else None)
        if existing is not None:
            label = replace(existing, commit=to or existing.commit)
        elif to is not None:
            _refuse_name(repository, tip, name)
            label = Label(name, to)
        else:
            raise NotFound(FOLDER.kind, name)
        repository.at(label.commit)  # a label that stays may have been written by hand
        if request.protects and request.protected != label.protected:
            mover.check_protecting(name)
            label = replace(label, protected=request.protected)
        return existing, label

    def change(transaction: Transaction) -> tuple[Label | None, Label, CommitId]:
        existing, label = wanted(transaction)
        if existing and existing.document() == label.document():
            return existing, existing, transaction.tip
        version = documents.write(transaction, label_files.path(name), label.document())
        lines = messages.changed_fields(existing.document() if existing else {}, label.document())
        text = messages.message(origin, _subject(existing, label), lines)
        return existing, replace(label, version=version), FOLDER.commit(transaction, origin, text)

    if dry_run:
        tip = repository.head()
        (existing, label), commit = wanted(tip), tip.commit
    else:
        existing, label, commit = repository.transact(change)
    now, then = repository.at(label.commit), None
    before = existing.commit if existing else None
    with suppress(RevisionNotFound):  # somebody wrote by hand that it was on another commit
        then = repository.at(before) if before else None
    return Moved(label, before, _changes(then, now), _first(references.dangling_at(now)), commit)


def delete(repository: Repository, origin: Origin, mover: Mover, name: str, precondition: Precondition) -> CommitId:
    """Delete a label, and return the commit's id. Raises NotFound, NotPermitted or PreconditionFailed."""

    def check(transaction: Transaction, version: BlobId) -> None:
        if not mover.is_owner:  # who may also delete a file that is no label
            mover.check(label_files.read_version(transaction, name, version))

    return FOLDER.delete(repository, origin, name, precondition, check)


def _refuse_name(repository: Repository, tip: Snapshot | Transaction, name: str) -> None:
    """Raise an error where a new label may not have a name, or where the repo has labels enough."""
    refuse_unportable("label_name", label_files.path(name))
    repository.refuse_branch(name, tip)
    if len(FOLDER.names(tip)) >= MOST:
        raise Conflict(name, f"This repo has {MOST} labels, which is the most: delete one that nobody needs")


def _subject(existing: Label | None, label: Label) -> str:
    to = label.commit[:_SHORT]
    if existing is None:
        return f"Create label {label.name} at {to}"
    if existing.commit != label.commit:
        return f"{FOLDER.called(label.name)}: {existing.commit[:_SHORT]} → {to}"
    return f"{'Unprotect' if label.protected is None else 'Protect'} label {label.name}"


def _changes(then: Snapshot | None, now: Snapshot) -> Mapping[str, Sequence[str]]:
    """Return the names of the targets that differ between two commits, by what happened to them."""
    before, after = _versions(then), _versions(now)
    common = before.keys() & after.keys()
    return {
        "created": sorted(after.keys() - before.keys()),
        "updated": sorted(name for name in common if before[name] != after[name]),
        "deleted": sorted(before.keys() - after.keys()),
    }


def _versions(snapshot: Snapshot | None) -> Mapping[str, BlobId]:
    return {} if snapshot is None else target_files.FOLDER.versions(snapshot)


def _first(warnings: Sequence[str]) -> Sequence[str]:
    """Return the first warnings, and how many more there are."""
    more = len(warnings) - _MOST_WARNINGS
    return [*warnings[:_MOST_WARNINGS], f"{more} more names mean nothing"] if more > 0 else warnings
