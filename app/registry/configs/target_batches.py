"""Batches of targets: many requests in one commit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.domain.errors import Conflict, NameNotPortable, NotFound
from app.domain.preconditions import Precondition
from app.registry.configs import batch_sizes, references, target_messages, target_requests
from app.registry.configs.target_files import FOLDER, Target
from app.registry.configs.target_messages import Summary
from app.registry.configs.target_requests import TargetRequest
from app.registry.configs.template_owners import FileChanges
from app.registry.messages import Origin
from storage.ids import BlobId, CommitId
from storage.repository import Repository
from storage.transaction import Transaction


@dataclass(frozen=True, slots=True)
class WrittenBatch:
    """The versions of the targets that exist now as requested, by name, and the reasons for the others."""

    versions: Mapping[str, BlobId]
    failed: Mapping[str, str]
    warnings: Sequence[str]
    commit: CommitId


def write_all(
    repository: Repository,
    origin: Origin,
    requests: Iterable[TargetRequest],
    precondition: Precondition,
    *,
    replacing: bool,
) -> WrittenBatch:
    """Create targets in one commit, or replace them. A later one may have an earlier one as its template.

    Targets whose templates are unknown, or whose names Windows cannot check out, fail alone. Raises Conflict,
    and writes nothing, where a target contradicts another or an existing one, or PreconditionFailed by the
    version of the folder.
    """
    requests = list(requests)
    _refuse_contradictions(requests)

    def change(transaction: Transaction) -> WrittenBatch:
        FOLDER.check(transaction, precondition)
        batch_sizes.check(transaction, requests)
        changes = FileChanges(transaction)
        there: dict[str, Target] = {}
        failed: dict[str, str] = {}
        batch: list[Summary] = []
        for request in requests:
            try:
                outcome = (target_requests.put if replacing else target_requests.create)(transaction, changes, request)
            except (NameNotPortable, NotFound) as error:
                failed[request.name] = str(error)
                continue
            there[request.name] = outcome.target
            if outcome.summary is not None:
                batch.append(outcome.summary)
        warnings = changes.settle() + references.dangling_of_all(
            transaction, [(name, target.config) for name, target in there.items()]
        )
        if batch:
            FOLDER.commit(transaction, origin, target_messages.of_batch(origin, batch))
        versions = {name: target.version for name, target in there.items()}
        return WrittenBatch(versions, failed, warnings, transaction.tip)

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
