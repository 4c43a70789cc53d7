"""Giving a repo another name, or another owner.

The accounts are told first that a move begins (`moving/`), then the folder is renamed, and then the accounts are told
what follows: former names, tokens and guests. A crash between them leaves the file in `moving/`, and the inode in it
tells whether the folder was renamed. `mend` then does the rest, or drops the file.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.domain.errors import Conflict, NotFound
from app.domain.names import refuse_unportable
from app.domain.preconditions import UNCONDITIONAL
from app.registry import documents, grants
from app.registry.documents import Source
from app.registry.life import former_names
from app.registry.life.places import Places, exists, forget, now, place_of, retitle
from app.registry.messages import Origin
from app.registry.users import repo_tokens, shares
from app.registry.users.life_files import MOVING, key
from storage.errors import RepositoryDamaged, RepositoryExists, RepositoryNotFound, StorageError
from storage.repository import Repository
from storage.transaction import Transaction

_UNDER_WAY = timedelta(minutes=1)  # a rename takes no longer, since its waits for locks end


@dataclass(frozen=True, slots=True)
class Move:
    """A rename or a transfer: from one `<user>/<repo>` to another. `inode` is that of the folder."""

    old: str
    new: str
    inode: int
    time: datetime

    @property
    def new_owner(self) -> str | None:
        """The user who gets the repo; None where it stays with its owner."""
        owner = self.new.partition("/")[0]
        return None if owner == self.old.partition("/")[0] else owner

    @property
    def subject(self) -> str:
        """The subject of the commits about the move."""
        return f"{'Transfer' if self.new_owner else 'Rename'} repo {self.old} to {self.new}"

    def document(self) -> Mapping[str, Any]:
        """Return the content of the file in `moving/`."""
        return {"from": self.old, "to": self.new, "inode": self.inode, "time": self.time.isoformat()}


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


def mend(places: Places) -> None:
    """Finish each move that a crash cut short, or drop it where the folder was not renamed.

    A young one whose folder was not renamed is left alone: another request may be about to rename it.
    """
    head = places.accounts.use(Repository.head)
    for file in MOVING.names(head):
        with suppress(RepositoryDamaged):
            move = _read(head, file)
            if _is_done(places, move) or move.time < now() - _UNDER_WAY:
                _finish(places, Origin("bakehouse"), move)


def _move(places: Places, origin: Origin, old: str, new: str) -> None:
    mend(places)
    if old == new:
        raise Conflict(new, f"This repo is '{new}' already")
    with suppress(RepositoryNotFound):
        repository = places.repos.open(old)
        grants.get(repository.head())  # a damaged repo is refused before anything is done
    inode = places.repos.inode(old)
    if inode is None:
        raise NotFound("Repo", old.partition("/")[2])
    move = Move(old, new, inode, now())

    def note() -> None:
        path = MOVING.path(key(old))
        places.note(origin, move.subject, lambda transaction: documents.write(transaction, path, move.document()))

    try:
        places.repos.move(old, places.repos, new, note)
    except RepositoryExists as error:
        raise Conflict(error.name, f"There is a repo '{new}' already. Choose another name") from error
    except RepositoryNotFound as error:  # another request was quicker
        raise NotFound("Repo", error.name) from error
    except StorageError:
        with suppress(StorageError):  # else the next start of a server does
            _finish(places, origin, move)
        raise
    _finish(places, origin, move)


def _finish(places: Places, origin: Origin, move: Move) -> None:
    """Do what follows the rename of the folder; it may be done twice. Or note that the folder was not renamed."""
    if not _is_done(places, move):
        if places.accounts.use(Repository.head).version(MOVING.path(key(move.old))) is not None:
            places.note(
                origin, f"Repo {move.old} stays", lambda transaction: forget(transaction, MOVING, key(move.old))
            )
        return
    repository = places.repos.open(move.new)
    retitle(repository, origin, move.subject, repository.name)
    if move.new_owner is not None:
        with suppress(NotFound):
            grants.delete(repository, origin, move.new_owner, UNCONDITIONAL)
    guests = grants.get(repository.head())

    def follow(transaction: Transaction) -> None:
        forget(transaction, MOVING, key(move.old))
        former_names.lead(transaction, [*former_names.of(transaction, move.old), move.old], move.new)
        repo_tokens.follow(transaction, move.old, move.new)
        for user_id in guests:
            shares.list_repos(transaction, user_id, {move.new})

    places.note(origin, f"Lead {move.old} to {move.new}", follow)


def _is_done(places: Places, move: Move) -> bool:
    """Tell whether the folder was renamed. After a restore from a backup no inode is the same."""
    inodes = {place: places.repos.inode(place) for place in (move.old, move.new)}
    if move.inode in inodes.values():
        return inodes[move.new] == move.inode
    return not exists(places.repos, move.old) and exists(places.repos, move.new)


def _read(source: Source, file: str) -> Move:
    path = MOVING.path(file)
    found = documents.read(source, path)
    document = {} if found is None else found[0]
    old, new = (documents.expect(document, field, str, source, path) for field in ("from", "to"))
    inode, time = (documents.expect(document, "inode", int, source, path), document.get("time"))
    try:
        return Move(old, new, inode, datetime.fromisoformat(str(time)))
    except ValueError as error:
        raise RepositoryDamaged(source.name, f"{path} has a time that Bakehouse did not write") from error
