"""Deleting repos, and restoring them for as long as they are kept.

A deleted repo is a folder of the store of deleted repos, and a file in the accounts tells who deleted it. The file is
written first. So a crash leaves a file that counts for nothing, or a deleted repo with its file, and never a repo that
is gone without a trace.
"""

import logging
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from app.domain.errors import Conflict, NotFound, NotPermitted
from app.domain.names import refuse_unportable
from app.registry import documents, grants
from app.registry.documents import Source
from app.registry.life import former_names, unfinished
from app.registry.life.places import Places, exists, forget, now, place_of, refuse_removed
from app.registry.life.unfinished import Restore
from app.registry.messages import Origin
from app.registry.users.life_files import DELETED, key
from storage.errors import RepositoryDamaged, RepositoryExists, RepositoryNotFound, StorageError
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.transaction import Transaction

# A file in the accounts without a deleted repo is left alone for so long: a deletion may be under way.
_UNDER_WAY = timedelta(hours=1)

MOST_A_REQUEST = 20  # expired repos that one request removes; the next start of a server removes all

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Deleted:
    """A deleted repo. `id` tells those of one name apart; `former` are the names that led to it."""

    owner: str
    name: str
    id: str
    time: datetime | None = None  # None: the accounts do not tell
    user: str | None = None
    reason: str | None = None
    former: tuple[str, ...] = ()

    @property
    def kept_as(self) -> str:
        """The name of the repo in the store of deleted repos."""
        return f"{self.owner}/{self.name}.{self.id}"

    def until(self, keep_days: int) -> datetime | None:
        """Return when the repo will be removed for good; None where that is not known."""
        return None if self.time is None else self.time + timedelta(days=keep_days)

    def document(self) -> Mapping[str, Any]:
        """Return the content of the repo's file in the accounts."""
        return {
            "repo": f"{self.owner}/{self.name}",
            "time": self.time and self.time.isoformat(),
            "user": self.user,
            "reason": self.reason,
            "former": list(self.former),
        }


def delete(places: Places, origin: Origin, owner: str, name: str) -> Deleted:
    """Delete a repo; NotFound if there is none."""
    place = place_of(owner, name)
    moment = now()
    deleted = Deleted(owner, name, _new_id(moment), moment, origin.user_id, origin.reason)

    def note() -> None:
        def change(transaction: Transaction) -> None:
            unfinished.settle(places, transaction, place)
            former = former_names.of(transaction, place)
            former_names.drop(transaction, [*former, place])
            document = replace(deleted, former=tuple(former)).document()
            documents.write(transaction, DELETED.path(key(deleted.kept_as)), document)

        places.note(origin, f"Delete repo {place}", change)

    try:
        places.repos.move(place, places.deleted, deleted.kept_as, note)
    except RepositoryNotFound as error:
        raise NotFound("Repo", name) from error
    remove_expired(places, MOST_A_REQUEST)
    return deleted


def undelete(
    places: Places,
    origin: Origin,
    owner: str,
    name: str,
    new_name: str | None = None,
    chosen: str | None = None,
    *,
    may_share: bool = True,
) -> str:
    """Restore the repo of a name that was deleted last, or the one with the id `chosen`; return its name now.

    Raises NotFound if there is none, Conflict where a repo has the name, NameTaken where a name differs only in case,
    or NotPermitted where the repo is shared, and the caller may not share it.
    """
    place = place_of(owner, new_name or name)
    if new_name is not None:
        refuse_unportable("name", f"{new_name}.git")
    found = next((each for each in find_all(places, owner) if each.name == name and chosen in (None, each.id)), None)
    if found is None:
        raise NotFound("Deleted repo", name if chosen is None else f"{name}.{chosen}")
    deleted = read(places, found)
    if not may_share and exists(places.deleted, deleted.kept_as):
        _refuse_shared(places, deleted)
    restore = Restore(deleted.kept_as, place, deleted.former, now())

    def note(transaction: Transaction) -> None:
        refuse_removed(transaction, place)
        unfinished.settle(places, transaction, place)
        documents.write(transaction, restore.path, restore.document())

    try:
        places.deleted.move(
            deleted.kept_as,
            places.repos,
            place,
            lambda: places.note(origin, restore.subject, note),
            lambda: unfinished.complete(places, origin, restore),
        )
    except RepositoryExists as error:
        message = f"There is a repo '{error.name}' now. Give the deleted one another name: {{\"name\": …}}"
        raise Conflict(error.name, message) from error
    except RepositoryNotFound as error:  # another request was quicker
        raise NotFound("Deleted repo", name) from error
    return place.partition("/")[2]


def find_all(places: Places, owner: str) -> list[Deleted]:
    """Return the deleted repos of a user, by name, those deleted last first, without what the accounts tell of them.

    So the accounts are not read for those that nobody asked for.
    """
    found = [_named(owner, kept) for kept in places.deleted.list(owner, lambda kept: "." in kept)]
    return sorted(sorted(found, key=lambda each: each.id, reverse=True), key=lambda each: each.name)


def read(places: Places, found: Deleted) -> Deleted:
    """Return a deleted repo with what the accounts tell of it."""
    return _read(places.accounts.use(Repository.head), found)


def remove_expired(places: Places, at_most: int | None = None) -> None:
    """Remove for good what was deleted too long ago: all of it, or so many repos, the oldest first.

    What cannot be removed now is tried again the next time. Only files of repos are read whose id tells that it is
    time. Files without a deleted repo go where all is looked at.
    """
    head, moment = places.accounts.use(Repository.head), now()
    due, strays = moment - timedelta(days=places.keep_days), moment - _UNDER_WAY
    found = sorted((_named(*file.split("~", 1)) for file in DELETED.names(head) if "~" in file), key=lambda it: it.id)
    old = [each for each in found if _is_before(each.id, due)][:at_most]
    expired = [each for each in old if _is_removed(places, head, each, moment)]
    if at_most is None:
        left = [each for each in found if each not in expired and _is_before(each.id, strays)]
        expired += [each for each in left if not exists(places.deleted, each.kept_as)]
    if expired:
        names = ", ".join(each.kept_as for each in expired[:10]) + (", …" if expired[10:] else "")
        places.note(
            Origin("bakehouse"),
            f"Remove for good {names}",
            lambda transaction: [forget(transaction, DELETED, key(each.kept_as)) for each in expired],
        )


def _is_removed(places: Places, head: Snapshot, found: Deleted, moment: datetime) -> bool:
    """Remove a deleted repo whose time has come, and tell whether it is gone."""
    with suppress(RepositoryDamaged):
        deleted = _read(head, found)
        until = deleted.until(places.keep_days)
        if until is not None and until <= moment:
            return not exists(places.deleted, deleted.kept_as) or _remove(places, deleted)
    return False


def _refuse_shared(places: Places, deleted: Deleted) -> None:
    if grants.get(places.deleted.open(deleted.kept_as).head()):
        raise NotPermitted(
            f"The deleted repo '{deleted.name}' is shared, and a token that is for some repos only may not share. "
            "Restore it with a token that is for all repos"
        )


def _new_id(moment: datetime) -> str:
    """Return 16 hex digits: the seconds since 1970, so that the name tells the time, and 32 random bits."""
    return f"{int(moment.timestamp()):08x}{secrets.token_hex(4)}"


def _is_before(id_: str, moment: datetime) -> bool:
    """Tell whether the repo with an id was deleted by a moment; True where the id is not one that `_new_id` made."""
    try:
        return int(id_[:8], 16) <= moment.timestamp()
    except ValueError:
        return True


def _remove(places: Places, deleted: Deleted) -> bool:
    try:
        places.deleted.remove(deleted.kept_as)
    except StorageError as error:
        _log.warning("The deleted repo %s is kept for now: %s", deleted.kept_as, error)
        return False
    _log.info("Removed for good: %s, which %s deleted at %s", deleted.kept_as, deleted.user, deleted.time)
    return True


def _named(owner: str, kept: str) -> Deleted:
    """Return a deleted repo by its name in the store of deleted repos."""
    name, _, id_ = kept.rpartition(".")
    return Deleted(owner, name, id_)


def _read(source: Source, deleted: Deleted) -> Deleted:
    path = DELETED.path(key(deleted.kept_as))
    found = documents.read(source, path)
    if found is None:
        return deleted
    try:
        time = datetime.fromisoformat(documents.expect(found[0], "time", str, source, path))
    except ValueError as error:
        raise RepositoryDamaged(source.name, f"{path} has a time that Bakehouse did not write") from error
    user = documents.expect(found[0], "user", str, source, path)
    former = documents.expect(found[0], "former", list, source, path)
    reason = found[0].get("reason")
    return replace(deleted, time=time, user=user, reason=reason and str(reason), former=tuple(map(str, former)))
