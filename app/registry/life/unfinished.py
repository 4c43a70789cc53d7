"""Renames, transfers and restores that were begun, and what follows when the folder was renamed.

The accounts are told first that one begins: by a file in `moving/` or `restoring/`. Then the folder is renamed. Then
the repo and the accounts are told what follows: the title, former names, tokens and guests, and the file goes. All of
this is done while nobody can make or move a repo beside it. So a file that is there later is that of a process which
died, or which the disk refused. `mend` does the rest of its work then, or drops the file where the folder was not
renamed. Whoever makes, moves or deletes a repo under one of the two names calls `settle` in the same commit, so that
what follows is never done for the next repo of the name.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.domain.errors import NotFound
from app.domain.preconditions import UNCONDITIONAL
from app.registry import documents, grants
from app.registry.documents import Source
from app.registry.life import former_names
from app.registry.life.places import Places, exists, forget, now, retitle
from app.registry.messages import Origin
from app.registry.users import repo_tokens, shares
from app.registry.users.life_files import DELETED, MOVING, RESTORING, key
from storage.errors import RepositoryDamaged, RevisionNotFound, StorageError
from storage.repository import Repository
from storage.transaction import Transaction

_UNDER_WAY = timedelta(minutes=1)  # a rename or restore takes no longer, since its waits for locks end

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Move:
    """A rename or a transfer: from one `<user>/<repo>` to another.

    `inode` is that of the folder. `commit` is one of the repo's, which tells it from others after a restore from a
    backup, where no inode is the same.
    """

    old: str
    new: str
    inode: int
    commit: str
    time: datetime

    @property
    def path(self) -> str:
        """The path of the file about it, in the accounts."""
        return MOVING.path(key(self.old))

    @property
    def names(self) -> tuple[str, ...]:
        """The names that must not be given to another repo meanwhile."""
        return self.old, self.new

    @property
    def new_owner(self) -> str | None:
        """The user who gets the repo; None where it stays with its owner."""
        owner = self.new.partition("/")[0]
        return None if owner == self.old.partition("/")[0] else owner

    @property
    def subject(self) -> str:
        """The subject of the commits about it."""
        return f"{'Transfer' if self.new_owner else 'Rename'} repo {self.old} to {self.new}"

    def document(self) -> Mapping[str, Any]:
        """Return the content of its file."""
        time = self.time.isoformat()
        return {"from": self.old, "to": self.new, "inode": self.inode, "commit": self.commit, "time": time}

    def is_done(self, places: Places) -> bool:
        """Tell whether the folder was renamed."""
        inode = places.repos.inode(self.new)
        if inode is None or inode == self.inode:
            return inode is not None
        if exists(places.repos, self.old):
            return False
        try:
            places.repos.open(self.new).find(self.commit)
        except RevisionNotFound:
            return False
        except StorageError:  # a damaged repo cannot tell; nobody else could have got the name
            return True
        return True

    def tell_repo(self, places: Places, origin: Origin) -> None:
        """Put the new name into the repo, and take the grant of its new owner away."""
        repository = places.repos.open(self.new)
        retitle(repository, origin, self.subject, repository.name)
        if self.new_owner is not None:
            with suppress(NotFound):
                grants.delete(repository, origin, self.new_owner, UNCONDITIONAL)

    def follow(self, transaction: Transaction) -> None:
        """Let former names and tokens follow the repo."""
        former_names.lead(transaction, [*former_names.of(transaction, self.old), self.old], self.new)
        repo_tokens.follow(transaction, self.old, self.new)


@dataclass(frozen=True, slots=True)
class Restore:
    """The restore of a deleted repo as `<user>/<repo>`; `former` are the names that led to it."""

    kept_as: str
    new: str
    former: tuple[str, ...]
    time: datetime

    @property
    def path(self) -> str:
        """The path of the file about it, in the accounts."""
        return RESTORING.path(key(self.new))

    @property
    def names(self) -> tuple[str, ...]:
        """The names that must not be given to another repo meanwhile."""
        return (self.new,)

    @property
    def subject(self) -> str:
        """The subject of the commits about it."""
        old = self.kept_as.rpartition(".")[0]
        return f"Undelete repo {old}" + (f" as {self.new}" if old != self.new else "")

    def document(self) -> Mapping[str, Any]:
        """Return the content of its file."""
        time = self.time.isoformat()
        return {"deleted": self.kept_as, "to": self.new, "former": list(self.former), "time": time}

    def is_done(self, places: Places) -> bool:
        """Tell whether the folder was renamed."""
        return not exists(places.deleted, self.kept_as) and exists(places.repos, self.new)

    def tell_repo(self, places: Places, origin: Origin) -> None:
        """Put the name into the repo, where that can be read: it is restored as it was deleted."""
        with suppress(RepositoryDamaged):
            repository = places.repos.open(self.new)
            retitle(repository, origin, self.subject, repository.name)

    def follow(self, transaction: Transaction) -> None:
        """Let the former names lead to the repo again that lead nowhere now."""
        forget(transaction, DELETED, key(self.kept_as))
        free = [name for name in self.former if not former_names.is_taken(transaction, name)]
        former_names.lead(transaction, free, self.new)


def begun(source: Source) -> Iterator[Move | Restore]:
    """Yield what was begun and is not finished; files that Bakehouse did not write are passed over."""
    for folder in (MOVING, RESTORING):
        for file in folder.names(source):
            with suppress(RepositoryDamaged):
                yield _read(source, folder.path(file))


def mend(places: Places) -> None:
    """Finish what was cut short, or drop it where the folder was not renamed.

    A young one whose folder was not renamed is left alone: another request may be about to rename it.
    """
    for item in begun(places.accounts.use(Repository.head)):
        try:
            if item.is_done(places) or item.time < now() - _UNDER_WAY:
                finish(places, Origin("bakehouse"), item)
        except StorageError as error:  # the next start or request tries again
            _log.warning("Not finished for now: %s. %s", item.subject, error)


def finish(places: Places, origin: Origin, item: Move | Restore) -> None:
    """Complete something that was begun, while nobody can make or move a repo beside it."""
    with places.repos.hold(*item.names):
        complete(places, origin, item)


def complete(places: Places, origin: Origin, item: Move | Restore) -> None:
    """Do what follows when the folder was renamed, or note that it was not. The caller holds the folders."""
    if not _is_begun(places.accounts.use(Repository.head), item):
        return
    if item.is_done(places):
        item.tell_repo(places, origin)
        subject = f"Lead {item.old} to {item.new}" if isinstance(item, Move) else f"Find {item.new} again"
    else:
        subject = f"Repo {item.names[0]} stays" if isinstance(item, Move) else f"Repo {item.kept_as} stays deleted"

    def change(transaction: Transaction) -> None:
        if _is_begun(transaction, item):
            _settle(places, transaction, item)

    places.note(origin, subject, change)


def settle(places: Places, transaction: Transaction, *names: str) -> None:
    """Do in the accounts what follows from all that was begun with some names. The caller holds their folders."""
    for item in list(begun(transaction)):
        if not set(names).isdisjoint(item.names):
            _settle(places, transaction, item)


def _settle(places: Places, transaction: Transaction, item: Move | Restore) -> None:
    transaction.remove(item.path)
    if not item.is_done(places):
        return
    item.follow(transaction)
    with suppress(StorageError):  # a damaged repo does not tell its guests
        for user_id in grants.get(places.repos.open(item.new).head()):
            shares.list_repos(transaction, user_id, {item.new})


def _is_begun(source: Source, item: Move | Restore) -> bool:
    found = documents.read(source, item.path)
    return found is not None and found[0] == item.document()


def _read(source: Source, path: str) -> Move | Restore:
    found = documents.read(source, path)
    document = {} if found is None else found[0]

    def text(field: str) -> str:
        return documents.expect(document, field, str, source, path)

    try:
        time = datetime.fromisoformat(text("time"))
    except ValueError as error:
        raise RepositoryDamaged(source.name, f"{path} has a time that Bakehouse did not write") from error
    if "deleted" in document:
        former = documents.expect(document, "former", list, source, path)
        return Restore(text("deleted"), text("to"), tuple(map(str, former)), time)
    inode = documents.expect(document, "inode", int, source, path)
    return Move(text("from"), text("to"), inode, text("commit"), time)
