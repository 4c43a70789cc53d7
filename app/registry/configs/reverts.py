"""Reverts: a target, a prompt or the default put back as it was, in a new commit."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import NotFound
from app.domain.preconditions import Precondition
from app.registry import documents, field_changes, messages, revisions, subjects
from app.registry.configs import prompt_messages, prompts, question_templates, references
from app.registry.configs.question_templates import Files
from app.registry.configs.template_owners import FileChanges
from app.registry.configs.things import Content, Thing
from app.registry.documents import Source
from app.registry.messages import Origin
from app.registry.revisions import Ref
from storage.ids import CommitId
from storage.repository import Repository
from storage.snapshot import File
from storage.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Reverted:
    """A thing as a revert left it, the commit, and what the request's sender should know of it."""

    content: Content
    commit: CommitId
    warnings: Sequence[str]


def revert(repository: Repository, origin: Origin, thing: Thing, to: Ref, precondition: Precondition) -> Reverted:
    """Restore a thing's file, and the question templates that came with it, as they were at a ref.

    This also restores a deleted thing. Nothing is committed where the file says what it said, and the question
    templates are as they were. Raises NotFound where there was no such thing at the ref, Conflict where another
    document names one of the files and its content differs, PreconditionFailed, and what `revisions.at` raises.
    """
    then = revisions.at(repository, to)
    old = thing.read(then)
    if old is None:
        raise NotFound(thing.folder.kind, thing.name, then.commit)

    def change(transaction: Transaction) -> Reverted:
        existing = thing.read(transaction)
        precondition.check(thing.name, existing.version if existing else None)
        files = {path: transaction.blob(version) for path, version in old.files.items()}
        warnings: list[str] = []
        if not (existing and _is_same(transaction, thing, existing, old) and _is_there(transaction, files)):
            changes = FileChanges(transaction)
            changes.replace(thing.name, existing.named_files() if existing else set(), old.named_files(), files)
            transaction.write(thing.path, transaction.blob(old.version))
            warnings = changes.settle()
            thing.folder.commit(transaction, origin, _message(origin, thing, existing, old, then.commit))
        warnings += references.dangling(transaction, old.fields)
        return Reverted(old, transaction.tip, warnings)

    return repository.transact(change)


def _is_same(source: Source, thing: Thing, existing: Content, old: Content) -> bool:
    """Tell whether two versions of a file say the same, names in the same order, in whatever form of YAML."""
    if existing.version == old.version:
        return True
    files = (File(content.version, source.blob(content.version)) for content in (existing, old))
    now, then = (json.dumps(documents.parse(source, thing.path, file)) for file in files)
    return now == then


def _is_there(transaction: Transaction, files: Files) -> bool:
    return question_templates.present(transaction, files) is not None


def _message(origin: Origin, thing: Thing, existing: Content | None, old: Content, commit: CommitId) -> str:
    form = "Restore {} as it was at {}" if existing is None else "Revert {} to {}"
    start, trailers = subjects.head(form, thing.title, commit[:10]), {**old.trailers, "Reverted-To": commit}
    if thing.folder is prompts.FOLDER:
        summary = prompt_messages.Summary(thing.name, existing.fields if existing else None, old.fields)
        return messages.message(origin, f"{start}: {summary.counts()}", summary.lines(), trailers)
    changes = field_changes.find(existing.compared() if existing else {}, old.compared())
    return messages.message(origin, subjects.of_fields(start, changes), field_changes.lines(changes), trailers)
