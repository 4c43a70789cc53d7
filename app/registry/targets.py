"""Targets: made from a template and overrides, one by one or many at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.domain.differences import is_same
from app.domain.errors import Conflict, NotFound
from app.domain.preconditions import UNCONDITIONAL, Precondition
from app.domain.resolution import Config, in_order, normalize, resolve
from app.registry import messages, question_templates, revisions, target_files
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
    """What a target is asked to be made from: overrides as they are stored, and files by path."""

    name: str
    template: str
    overrides: Config
    files: Files

    @classmethod
    def of(cls, name: str, template: str, overrides: Config | None) -> "TargetRequest":
        """Take a request's overrides apart; Conflict where they bring one file twice."""
        taken, files = question_templates.take(name, overrides or {})
        return cls(name, template, normalize(taken), files)


@dataclass(frozen=True, slots=True)
class _Written:
    """What a request came to, and what the target replaced, or started from."""

    target: Target
    verb: str | None  # None: the target was there already
    before: Mapping[str, Any]  # fields and files


def get(snapshot: Snapshot, name: str) -> Target:
    """Return a target as a commit has it; NotFound if there is none."""
    return replace(target_files.expect(snapshot, name), commit=snapshot.commit)


def create(repository: Repository, origin: Origin, request: TargetRequest) -> tuple[Target, bool]:
    """Make a target, or return the one that is there if it asks for the same; tell which.

    The same is: this template and these overrides, or others that resolve to the same config.
    Raises NotFound for the template, Conflict where a different target has the name.
    """

    def change(transaction: Transaction) -> tuple[Target, bool]:
        written = _create_in(transaction, request)
        return _commit(transaction, origin, written), written.verb is not None

    return repository.transact(change)


def put(repository: Repository, origin: Origin, request: TargetRequest, precondition: Precondition) -> Target:
    """Make or replace a target. The template may be the target itself, as it is now.

    Raises NotFound for the template, PreconditionFailed where the current version rules it out.
    """
    return repository.transact(
        lambda transaction: _commit(transaction, origin, _put_in(transaction, request, precondition))
    )


def revert(repository: Repository, origin: Origin, name: str, to: Ref, precondition: Precondition) -> Target:
    """Put a target's file, and the question templates that came with it, back as they were at a ref.

    A deleted target is there again. Raises NotFound where there was no such target then,
    PreconditionFailed where the current version rules it out, and what `revisions.at` raises.
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
            return replace(existing, commit=CommitId(str(transaction.tip)))
        question_templates.write(transaction, files)
        transaction.write(FOLDER.path(name), transaction.blob(old.version))
        subject = f"Revert target {name} to {then.commit[:10]}"
        before = existing.content() if existing else {}
        return target_files.commit(
            transaction, origin, subject, before, old, trailers={"Reverted-To": then.commit}
        )

    return repository.transact(change)


def preview(snapshot: Snapshot, request: TargetRequest) -> Target:
    """Return what a request would come to, unwritten: a target without a version.

    Raises NotFound for the template.
    """
    base, template_version = read_template(snapshot, request.template)
    config = in_order(resolve(base, request.overrides))
    return Target(request.name, request.template, template_version, request.overrides, config, {})


def write_all(
    repository: Repository, origin: Origin, requests: Iterable[TargetRequest], *, replacing: bool
) -> tuple[list[str], dict[str, str]]:
    """Make targets in one commit, replacing existing ones or not; a later one may start from an earlier.

    Returns the names of those that are there now, and why others are not: their template is
    unknown. Raises Conflict, with nothing written, where one contradicts what is there or another.
    """
    requests = list(requests)
    _refuse_contradictions(requests)

    def change(transaction: Transaction) -> tuple[list[str], dict[str, str]]:
        there: dict[str, None] = {}
        failed: dict[str, str] = {}
        lines = []
        for request in requests:
            try:
                written = (_put_in if replacing else _create_in)(transaction, request)
            except NotFound as error:
                failed[request.name] = str(error)
                continue
            there[request.name] = None
            if written.verb is not None:
                fields = ", ".join(request.overrides) or "nothing changed"
                lines.append(f"{written.verb} target {request.name} from {request.template}: {fields}")
        if lines:
            FOLDER.commit(transaction, origin, messages.batch_message(origin, "target", lines))
        return list(there), failed

    return repository.transact(change)


def _refuse_contradictions(requests: list[TargetRequest]) -> None:
    """Raise Conflict where two of a batch have one name, or bring one file with different content.

    What one commit does not keep could be no template, either: no history would have it.
    """
    names: set[str] = set()
    files: dict[str, bytes] = {}
    for request in requests:
        if request.name in names:
            raise Conflict(request.name, f"Target '{request.name}' is in the batch twice")
        names.add(request.name)
        for path, content in request.files.items():
            if files.setdefault(path, content) != content:
                message = (
                    f"Target '{request.name}' and another of the batch bring '{path}' with different content"
                )
                raise Conflict(path, message)


def _create_in(transaction: Transaction, request: TargetRequest) -> _Written:
    """Do what `create` does, but for the commit."""
    existing = target_files.read(transaction, request.name)
    if existing and _is_asked_for(existing, request):
        question_templates.refuse_other_content(transaction, request.name, request.files)
        if question_templates.are_there(transaction, request.files):
            return _Written(existing, None, {})
    base, template_version = read_template(transaction, request.template)
    question_templates.refuse_other_content(transaction, request.name, request.files)
    config = in_order(resolve(base, request.overrides))
    if existing is None:
        return _write(transaction, request, template_version, config, "Create", base)
    if is_same(existing.config, config) and question_templates.are_there(transaction, request.files):
        return _Written(existing, None, {})
    raise Conflict(
        request.name,
        f"Target '{request.name}' already exists with different configuration. Use PUT to replace it, "
        "or choose another name.",
    )


def _is_asked_for(target: Target, request: TargetRequest) -> bool:
    return target.template == request.template and is_same(target.overrides, request.overrides)


def _put_in(
    transaction: Transaction, request: TargetRequest, precondition: Precondition = UNCONDITIONAL
) -> _Written:
    """Do what `put` does, but for the commit."""
    existing = target_files.read(transaction, request.name)
    precondition.check(request.name, existing.version if existing else None)
    base, template_version = read_template(transaction, request.template)
    config = in_order(resolve(base, request.overrides))
    if existing is None:
        return _write(transaction, request, template_version, config, "Create", base)
    files_stay = question_templates.are_there(transaction, request.files)
    written = _write(transaction, request, template_version, config, "Update", existing.content())
    is_unchanged = files_stay and written.target.version == existing.version
    return replace(written, verb=None) if is_unchanged else written


def _write(
    transaction: Transaction,
    request: TargetRequest,
    template_version: str,
    config: Config,
    verb: str,
    before: Mapping[str, Any],
) -> _Written:
    files = question_templates.write(transaction, request.files)
    target = Target(request.name, request.template, template_version, request.overrides, config, files)
    return _Written(target_files.write(transaction, target), verb, before)


def _commit(transaction: Transaction, origin: Origin, written: _Written) -> Target:
    """Commit one target, if it was written."""
    target = written.target
    if written.verb is None:
        return replace(target, commit=CommitId(str(transaction.tip)))
    subject = f"{written.verb} target {target.name}"
    return target_files.commit(transaction, origin, subject, written.before, target)
