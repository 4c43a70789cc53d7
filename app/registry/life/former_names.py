"""Former names: where a repo is now that was renamed or given to another user."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.registry import documents
from app.registry.documents import Source
from app.registry.users.life_files import MOVED, former_key
from storage.transaction import Transaction


def find(source: Source, place: str) -> str | None:
    """Return the present `<user>/<repo>` of a repo that had a name, or None."""
    found = documents.read(source, MOVED.path(former_key(place)))
    if found is None or found[0].get("name") != place:
        return None
    return documents.expect(found[0], "to", str, source, MOVED.path(former_key(place)))


def is_taken(source: Source, place: str) -> bool:
    """Tell whether a name, or one that differs from it only in case, leads to a repo."""
    return source.version(MOVED.path(former_key(place))) is not None


def of(source: Source, place: str) -> list[str]:
    """Return all former names of a repo, sorted."""
    return sorted(str(document["name"]) for document in _all(source) if document.get("to") == place)


def lead(transaction: Transaction, names: Iterable[str], to: str) -> None:
    """Let former names lead to a repo; its own name leads nowhere else."""
    for name in names:
        if former_key(name) != former_key(to):
            documents.write(transaction, MOVED.path(former_key(name)), {"name": name, "to": to})
    drop(transaction, [to])


def drop(transaction: Transaction, names: Iterable[str]) -> None:
    """Let former names lead nowhere. One that differs from them only in case may be another repo's, and stays."""
    for name in names:
        if find(transaction, name) is not None:
            transaction.remove(MOVED.path(former_key(name)))


def _all(source: Source) -> Iterator[Mapping[str, Any]]:
    for name in MOVED.names(source):
        found = documents.read(source, MOVED.path(name))
        if found is not None and "name" in found[0]:
            yield found[0]
