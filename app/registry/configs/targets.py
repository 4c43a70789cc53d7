"""Targets: made from a template and overrides, one at a time."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from app.domain.preconditions import Precondition
from app.registry.configs import references, target_files, target_messages, target_requests
from app.registry.configs.target_files import FOLDER, Target
from app.registry.configs.target_requests import Outcome, TargetRequest
from app.registry.configs.template_owners import FileChanges
from app.registry.messages import Origin
from storage.errors import RepositoryDamaged
from storage.ids import BlobId, CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Written:
    """A target as a request left it, and what the request's sender should know of it."""

    target: Target
    warnings: Sequence[str]
    is_new: bool = False


def get(snapshot: Snapshot, name: str) -> Target:
    """Return a target at a commit; NotFound if there is none."""
    return replace(target_files.expect(snapshot, name), commit=snapshot.commit)


def create(repository: Repository, origin: Origin, request: TargetRequest, precondition: Precondition) -> Written:
    """Create a target, or return the existing one if it is as requested.

    It is as requested if template and overrides are the same, or if the resolved config is. Raises
    NotFound for the template, Conflict where a different target has the name, PreconditionFailed by the
    version of the folder.
    """

    def change(transaction: Transaction) -> Written:
        FOLDER.check(transaction, precondition)
        changes = FileChanges(transaction)
        return _commit(transaction, origin, changes, target_requests.create(transaction, changes, request))

    return repository.transact(change)


def put(repository: Repository, origin: Origin, request: TargetRequest, precondition: Precondition) -> Written:
    """Create or replace a target. The template may be the target itself, as it is now.

    Raises NotFound for the template, Conflict where the target brings other content of a file that another
    document names, or PreconditionFailed.
    """

    def change(transaction: Transaction) -> Written:
        changes = FileChanges(transaction)
        return _commit(transaction, origin, changes, target_requests.put(transaction, changes, request, precondition))

    return repository.transact(change)


def delete(repository: Repository, origin: Origin, name: str, precondition: Precondition) -> CommitId:
    """Delete a target, and the question templates that nobody else names; return the commit.

    Targets that were made from it stay as they are. Raises NotFound or PreconditionFailed.
    """

    def drop_files(transaction: Transaction, version: BlobId) -> None:
        changes = FileChanges(transaction)
        with suppress(RepositoryDamaged):  # a damaged target can be deleted, and its files stay
            named = target_files.read_version(transaction, name, version).named_files()
            changes.replace(name, named, set(), {})
        changes.settle()

    return FOLDER.delete(repository, origin, name, precondition, drop_files)


def preview(snapshot: Snapshot, request: TargetRequest) -> Written:
    """Return the target that a request leads to, without writing it; NotFound for the template."""
    target, _ = target_requests.resolved(snapshot, request)
    return Written(target, list(references.dangling(snapshot, target.config, request.files)))


def _commit(transaction: Transaction, origin: Origin, changes: FileChanges, outcome: Outcome) -> Written:
    """Commit one target, if it was written."""
    target, warnings = outcome.target, changes.settle()
    if outcome.summary is None:
        return _written(transaction, replace(target, commit=transaction.tip))
    commit = FOLDER.commit(transaction, origin, target_messages.of_one(origin, outcome.summary))
    return _written(transaction, replace(target, commit=commit), warnings, is_new=outcome.is_new)


def _written(
    transaction: Transaction, target: Target, warnings: Sequence[str] = (), *, is_new: bool = False
) -> Written:
    return Written(target, [*warnings, *references.dangling(transaction, target.config)], is_new)
