"""Manifests: what a complete run leaves in git, so that a clone tells which data came from which commit."""

import hashlib
from collections.abc import Callable, Iterable

from app.domain.manifests import Manifest
from app.registry import documents, messages
from app.registry.messages import Origin
from app.runs.ledger.runs import Run
from storage.ids import CommitId
from storage.repository import Repository
from storage.transaction import Transaction


def of_run(run: Run, rows_sha256: str) -> Manifest:
    """Return the manifest of a run whose rows are all there."""
    return Manifest(
        run.kind,
        run.target,
        run.key,
        run.commit,
        run.done,
        rows_sha256,
        run.failed,
        run.truncated,
        run.empty,
        run.tokens_in,
        run.tokens_out,
        run.inputs,
    )


def write(repository: Repository, manifest: Manifest, origin: Origin, before: Callable[[], None]) -> CommitId:
    """Commit a manifest, and return the commit; the one that has it already where the file is as it would be written.

    So a worker that was killed after the commit leaves nothing to mend. `before` is called just before the commit,
    while nobody else can commit; where it raises, nothing is written.
    """

    def change(transaction: Transaction) -> CommitId:
        content = documents.dump(manifest.document())
        there = transaction.read(manifest.path)
        if there is not None and there.data == content:
            return transaction.tip
        transaction.write(manifest.path, content)
        subject = f"{manifest.target}: {manifest.kind} of {manifest.rows} rows"
        lines = [f"rows: {manifest.rows}, of which {manifest.failed} failed", f"sha256: {manifest.rows_sha256}"]
        text = messages.message(origin, subject, lines, {"Run": f"{manifest.kind} {manifest.key}"})
        before()
        return transaction.commit(text, origin.author)

    return repository.transact(change)


def digest_of(lines: Iterable[bytes]) -> str:
    """Return the SHA-256 of rows as lines of canonical JSON."""
    hashed = hashlib.sha256()
    for line in lines:
        hashed.update(line)
    return hashed.hexdigest()
