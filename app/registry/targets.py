"""Targets: made from a template and overrides, one by one or many at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from app.domain.differences import is_same
from app.domain.errors import Conflict, NotFound
from app.domain.preconditions import UNCONDITIONAL, Precondition
from app.domain.resolution import Config, in_order, normalize, resolve
from app.registry import batch_sizes, messages, question_templates, revisions, target_files
from app.registry.documents import Source
from app.registry.messages import Origin
from app.registry.question_templates import Files
from app.registry.revisions import Ref
from app.registry.target_files import FOLDER, Target, read_template
from storage.ids import CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.transaction import Transaction


@dataclass(frozen=True, slots=True)
class TargetRequest:
    """A request for a target: its template, its overrides as they are stored, and question templates."""

    name: str
    template: str
    overrides: Config
    files: Files

    @classmethod
    def of(cls, name: str, template: str, overrides: Config | None) -> "TargetRequest":
        """Take the question templates out of overrides; Conflict where two generators bring the same one."""
        taken, files = question_templates.take(name, overrides or {})
        return cls(name, template, normalize(taken), files)


class _Action(StrEnum):
    """What a request does, as the commit message says it."""

    CREATE = "Create"
    UPDATE = "Update"
    KEEP = "Keep"  # the target is already as requested, so there is no commit


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The target that a request leads to, and what the commit message compares it with: fields and files."""

    action: _Action
    target: Target
    before: Mapping[str, Any]


def get(snapshot: Snapshot, name: str) -> Target:
    """Return a target at a commit; NotFound if there is none."""
    return replace(target_files.expect(snapshot, name), commit=snapshot.commit)


def create(
    repository: Repository, origin: Origin, request: TargetRequest, precondition: Precondition
) -> tuple[Target, bool]:
    """Create a target, or return the existing one if it is as requested; True where it is new.

    It is as requested if template and overrides are the same, or if the resolved config is. Raises
    NotFound for the template, Conflict where a different target has the name, PreconditionFailed by the
    version of the folder.
    """

    def change(transaction: Transaction) -> tuple[Target, bool]:
        FOLDER.check(transaction, precondition)
        outcome = _create_in(transaction, request)
        return _commit(transaction, origin, outcome), outcome.action is _Action.CREATE

    return repository.transact(change)


def put(repository: Repository, origin: Origin, request: TargetRequest, precondition: Precondition) -> Target:
    """Create or replace a target. The template may be the target itself, as it is now.

    Raises NotFound for the template, or PreconditionFailed.
    """
    return repository.transact(
        lambda transaction: _commit(transaction, origin, _put_in(transaction, request, precondition))
    )


def revert(repository: Repository, origin: Origin, name: str, to: Ref, precondition: Precondition) -> Target:
    """Restore a target's file, and the question templates that came with it, as they were at a ref.

    This also restores a deleted target. Raises NotFound where there was no such target at the ref,
    PreconditionFailed, and what `revisions.at` raises.
    """
    then = revisions.at(repository, to)
    old = target_files.read(then, name)
    if old is None:
        raise NotFound(FOLDER.kind, name, then.commit)

    def change(transaction: Transaction) -> Target:
        existing = target_files.read(transaction, name)
        precondition.check(name, existing.version if existing else None)
        files = {path: transaction.blob(version) for path, version in old.files.items()}
        if existing and existing.version == old.version and question_templates.are_there(transaction, files):
            return replace(existing, commit=transaction.tip)
        question_templates.write(transaction, files)
        transaction.write(FOLDER.path(name), transaction.blob(old.version))
        subject = f"Revert target {name} to {then.commit[:10]}"
        before = existing.content() if existing else {}
        return target_files.commit(transaction, origin, subject, before, old, trailers={"Reverted-To": then.commit})

    return repository.transact(change)


def preview(snapshot: Snapshot, request: TargetRequest) -> Target:
    """Return the target that a request leads to, without writing it; NotFound for the template."""
    target, _ = _resolve(snapshot, request)
    return target


def write_all(
    repository: Repository,
    origin: Origin,
    requests: Iterable[TargetRequest],
    precondition: Precondition,
    *,
    replacing: bool,
) -> tuple[list[str], dict[str, str], CommitId]:
    """Create targets in one commit, or replace them. A later one may have an earlier one as its template.

    Returns the names of the targets that exist now, the reasons for the others, whose templates are
    unknown, and the commit. Raises Conflict, and writes nothing, where a target contradicts another or an
    existing one, or PreconditionFailed by the version of the folder.
    """
    requests = list(requests)
    _refuse_contradictions(requests)

    def change(transaction: Transaction) -> tuple[list[str], dict[str, str], CommitId]:
        FOLDER.check(transaction, precondition)
        there: dict[str, None] = {}
        failed: dict[str, str] = {}
        lines = []
        batch_sizes.check(transaction, requests)
        for request in requests:
            try:
                outcome = (_put_in if replacing else _create_in)(transaction, request)
            except NotFound as error:
                failed[request.name] = str(error)
                continue
            there[request.name] = None
            if outcome.action is not _Action.KEEP:
                fields = ", ".join(request.overrides) or "nothing changed"
                lines.append(f"{outcome.action} target {request.name} from {request.template}: {fields}")
        if lines:
            FOLDER.commit(transaction, origin, messages.batch_message(origin, "target", lines))
        return list(there), failed, transaction.tip

    return repository.transact(change)


def _refuse_contradictions(requests: list[TargetRequest]) -> None:
    """Raise Conflict where two targets of a batch have one name, or bring one file with different content.

    Otherwise a target could record a template version that the batch's commit does not contain.
    """
    names: set[str] = set()
    files: dict[str, bytes] = {}
    for request in requests:
        if request.name in names:
            raise Conflict(request.name, f"Target '{request.name}' is in the batch twice")
        names.add(request.name)
        for path, content in request.files.items():
            if files.setdefault(path, content) != content:
                message = f"Target '{request.name}' and another of the batch bring '{path}' with different content"
                raise Conflict(path, message)


def _create_in(transaction: Transaction, request: TargetRequest) -> _Outcome:
    """Do what `create` does, but for the commit."""
    existing = target_files.read(transaction, request.name)
    if existing and _is_repeated(existing, request):  # its template may have changed since, or be gone
        question_templates.refuse_other_content(transaction, request.name, request.files)
        new = existing
    else:
        new, base = _resolve(transaction, request)
        question_templates.refuse_other_content(transaction, request.name, request.files)
    if existing is None:
        return _Outcome(_Action.CREATE, _write(transaction, new, request.files), base)
    if is_same(existing.config, new.config) and question_templates.are_there(transaction, request.files):
        return _Outcome(_Action.KEEP, existing, {})
    raise Conflict(
        request.name,
        f"Target '{request.name}' already exists with different configuration. Use PUT to replace it, "
        "or choose another name.",
    )


def _put_in(transaction: Transaction, request: TargetRequest, precondition: Precondition = UNCONDITIONAL) -> _Outcome:
    """Do what `put` does, but for the commit."""
    existing = target_files.read(transaction, request.name)
    precondition.check(request.name, existing.version if existing else None)
    new, base = _resolve(transaction, request)
    if existing is None:
        return _Outcome(_Action.CREATE, _write(transaction, new, request.files), base)
    files_stay = question_templates.are_there(transaction, request.files)
    written = _write(transaction, new, request.files)
    action = _Action.KEEP if files_stay and written.version == existing.version else _Action.UPDATE
    return _Outcome(action, written, existing.content())


def _is_repeated(existing: Target, request: TargetRequest) -> bool:
    return existing.template == request.template and is_same(existing.overrides, request.overrides)


def _resolve(source: Source, request: TargetRequest) -> tuple[Target, Config]:
    """Return the target that a request leads to, without files and version, and its template's config."""
    base, template_version = read_template(source, request.template)
    config = in_order(resolve(base, request.overrides))
    target = Target(request.name, request.template, template_version, request.overrides, config, {})
    return target, base


def _write(transaction: Transaction, target: Target, files: Files) -> Target:
    if files:
        target = replace(target, files=question_templates.write(transaction, files))
    return target_files.write(transaction, target)


def _commit(transaction: Transaction, origin: Origin, outcome: _Outcome) -> Target:
    """Commit one target, if it was written."""
    target = outcome.target
    if outcome.action is _Action.KEEP:
        return replace(target, commit=transaction.tip)
    subject = f"{outcome.action} target {target.name}"
    return target_files.commit(transaction, origin, subject, outcome.before, target)
