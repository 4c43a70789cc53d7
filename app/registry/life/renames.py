"""Giving a repo another name, or another owner. What follows from it is in `unfinished.py`."""

from contextlib import suppress

from app.domain.errors import Conflict, NotFound
from app.domain.names import refuse_unportable
from app.registry import documents, grants
from app.registry.life import unfinished
from app.registry.life.places import Places, now, place_of, refuse_removed
from app.registry.life.unfinished import Move
from app.registry.messages import Origin
from storage.errors import RepositoryExists, RepositoryNotFound, StorageError
from storage.transaction import Transaction


def rename(places: Places, origin: Origin, owner: str, name: str, new_name: str) -> None:
    """Give a repo another name. The old one leads to it from then on.

    Raises NotFound if there is no such repo, Conflict where the name is taken, NameTaken where it differs from
    another one only in case.
    """
    refuse_unportable("name", f"{new_name}.git")
    _move(places, origin, place_of(owner, name), place_of(owner, new_name))


def transfer(places: Places, origin: Origin, owner: str, name: str, new_owner: str) -> None:
    """Give a repo to another user, under the same name; errors as those of `rename`, and NotFound for the user."""
    places.accounts.get(new_owner)
    _move(places, origin, place_of(owner, name), place_of(new_owner, name))


def _move(places: Places, origin: Origin, old: str, new: str) -> None:
    if old == new:
        raise Conflict(new, f"This repo is '{new}' already")
    move = _plan(places, old, new)

    def note(transaction: Transaction) -> None:
        refuse_removed(transaction, new)
        unfinished.settle(places, transaction, old, new)
        documents.write(transaction, move.path, move.document())

    try:
        places.repos.move(
            old,
            places.repos,
            new,
            lambda: places.note(origin, move.subject, note),
            lambda: unfinished.complete(places, origin, move),
        )
    except RepositoryExists as error:
        raise Conflict(error.name, f"There is a repo '{new}' already. Choose another name") from error
    except RepositoryNotFound as error:  # another request was quicker
        raise NotFound("Repo", error.name) from error
    except StorageError:
        with suppress(StorageError):  # else the next start of a server does
            unfinished.finish(places, origin, move)
        raise


def _plan(places: Places, old: str, new: str) -> Move:
    """Return what is to be done; a damaged repo is refused before anything is."""
    try:
        head = places.repos.open(old).head()
        grants.get(head)
        inode = places.repos.inode(old)
    except RepositoryNotFound:
        inode = None
    if inode is None:
        raise NotFound("Repo", old.partition("/")[2])
    return Move(old, new, inode, head.commit, now())
