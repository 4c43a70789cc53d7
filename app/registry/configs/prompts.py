"""Prompts: named lists of messages, kept as one YAML file each."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.domain.differences import is_same
from app.domain.errors import Conflict, NotFound
from app.domain.names import refuse_unportable
from app.domain.preconditions import Precondition
from app.registry import documents
from app.registry.configs import prompt_messages
from app.registry.configs.prompt_messages import Summary
from app.registry.documents import Source
from app.registry.folders import Folder
from app.registry.messages import Origin
from storage.errors import RepositoryDamaged
from storage.ids import BlobId, CommitId
from storage.repository import Repository
from storage.snapshot import File, Snapshot
from storage.transaction import Transaction

FOLDER = Folder("prompts", "Prompt")

Message = Mapping[str, Any]
Tool = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt at a commit, exactly as it was sent. `tools` is None where none were sent.

    `version` is the blob id of its file.
    """

    name: str
    messages: list[Message]
    tools: list[Tool] | None = None
    version: BlobId = documents.UNWRITTEN
    commit: CommitId = documents.UNCOMMITTED

    def document(self) -> Mapping[str, Any]:
        """Return the content of its file."""
        return {"messages": self.messages} | ({} if self.tools is None else {"tools": self.tools})


def read(source: Source, name: str) -> Prompt | None:
    """Return a prompt, or None if there is none."""
    file = source.read(FOLDER.path(name))
    return None if file is None else parse(source, name, file)


def parse(source: Source, name: str, file: File) -> Prompt:
    """Return the prompt that a file holds; RepositoryDamaged if it holds none."""
    path = FOLDER.path(name)
    document = documents.parse(source, path, file)
    messages = documents.expect(document, "messages", list, source, path)
    tools = documents.expect(document, "tools", list, source, path) if "tools" in document else None
    if not all(isinstance(item, dict) for item in [*messages, *(tools or [])]):
        raise RepositoryDamaged(source.name, f"{path} has a message or tool that Bakehouse did not write")
    return Prompt(name, messages, tools, file.id)


def get(snapshot: Snapshot, name: str) -> Prompt:
    """Return a prompt at a commit; NotFound if there is none."""
    prompt = read(snapshot, name)
    if prompt is None:
        raise NotFound(FOLDER.kind, name)
    return replace(prompt, commit=snapshot.commit)


def create(repository: Repository, origin: Origin, prompt: Prompt, precondition: Precondition) -> tuple[Prompt, bool]:
    """Create a prompt, or return the existing one if its content is the same; True where it is new.

    Raises Conflict where a different prompt has the name, PreconditionFailed by the version of the folder.
    """

    def change(transaction: Transaction) -> tuple[Prompt, bool]:
        FOLDER.check(transaction, precondition)
        existing = read(transaction, prompt.name)
        if existing is None:
            return _commit(transaction, origin, prompt, None), True
        if is_same(existing.document(), prompt.document()):
            return replace(existing, commit=transaction.tip), False
        raise Conflict(
            prompt.name,
            f"Prompt '{prompt.name}' already exists with different content. Use PUT to replace it, "
            "or choose another name.",
        )

    return repository.transact(change)


def put(repository: Repository, origin: Origin, prompt: Prompt, precondition: Precondition) -> Prompt:
    """Create a prompt, or replace it where that changes its content. Raises PreconditionFailed."""

    def change(transaction: Transaction) -> Prompt:
        existing = read(transaction, prompt.name)
        precondition.check(prompt.name, existing.version if existing else None)
        if existing and _is_kept(existing, prompt):
            return replace(existing, commit=transaction.tip)
        return _commit(transaction, origin, prompt, existing)

    return repository.transact(change)


def put_all(
    repository: Repository, origin: Origin, prompts: Iterable[Prompt], precondition: Precondition
) -> tuple[Mapping[str, BlobId], CommitId]:
    """Create or replace prompts in one commit; return their versions, by name, and the commit.

    Raises PreconditionFailed by the version of the folder.
    """

    def change(transaction: Transaction) -> tuple[Mapping[str, BlobId], CommitId]:
        FOLDER.check(transaction, precondition)
        versions: dict[str, BlobId] = {}
        batch: list[Summary] = []
        for prompt in prompts:
            existing = read(transaction, prompt.name)
            if existing and _is_kept(existing, prompt):
                versions[prompt.name] = existing.version
            else:
                versions[prompt.name] = _write(transaction, prompt, existing)
                batch.append(_summary(prompt, existing))
        if batch:
            FOLDER.commit(transaction, origin, prompt_messages.of_batch(origin, batch))
        return versions, transaction.tip

    return repository.transact(change)


def _is_kept(existing: Prompt, prompt: Prompt) -> bool:
    """Tell whether the content is the same, names in the same order: a model sees the order."""
    return json.dumps(existing.document()) == json.dumps(prompt.document())


def _write(transaction: Transaction, prompt: Prompt, existing: Prompt | None) -> BlobId:
    if existing is None:
        refuse_unportable("prompt_name", FOLDER.path(prompt.name))
    return documents.write(transaction, FOLDER.path(prompt.name), prompt.document())


def _summary(prompt: Prompt, existing: Prompt | None) -> Summary:
    return Summary(prompt.name, existing.document() if existing else None, prompt.document())


def _commit(transaction: Transaction, origin: Origin, prompt: Prompt, existing: Prompt | None) -> Prompt:
    version = _write(transaction, prompt, existing)
    text = prompt_messages.of_one(origin, _summary(prompt, existing))
    return replace(prompt, version=version, commit=FOLDER.commit(transaction, origin, text))
