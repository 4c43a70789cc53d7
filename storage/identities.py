"""The identities of all repositories of a store, whatever their names are by now."""

from collections.abc import Iterator
from contextlib import suppress

from storage import identity
from storage.errors import RepositoryNotFound, StorageError
from storage.store import Store


def find(store: Store, wanted: str) -> str | None:
    """Return the name of the repository with an identity, looking through all; None if there is none."""
    for name in _names(store):
        with suppress(StorageError):  # another repository that is damaged or moved meanwhile
            if identity.read(store.location(name)) == wanted:
                return name
    return None


def of_all(store: Store) -> set[str]:
    """Return the identities of all repositories that have one; StorageError where one cannot be read."""
    found = set()
    for name in _names(store):
        with suppress(RepositoryNotFound):  # moved meanwhile
            found.add(identity.read(store.location(name)))
    return {known for known in found if known}


def _names(store: Store) -> Iterator[str]:
    for folder in store.folders():
        yield from (f"{folder}/{name}" for name in store.list(folder))
