"""The log of a repo, as a query asks for it, and one page of a log or history."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from app.domain.budgets import Work
from app.domain.field_paths import keys_of
from app.registry.audit import field_log, history, log_filters
from app.registry.audit.history import Entry
from app.schemas.history import PageQuerySchema
from app.wire.context import principal, services
from storage.ids import CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot

_NO_FILTERS = PageQuerySchema().fields.keys() | {"field"}

T = TypeVar("T")


def before(repository: Repository, query: Mapping[str, Any]) -> CommitId | None:
    """Return the last commit of the page before the one that a query asks for."""
    return None if query["before"] is None else repository.find(query["before"])


def of_repo(
    repository: Repository, snapshot: Snapshot, query: Mapping[str, Any], work: Work
) -> Iterable[Entry | CommitId | None]:
    """Yield the commits of a repo that a query of `LogQuerySchema` asks for, for `fitting`."""
    asked = {name: query[name] for name in query.keys() - _NO_FILTERS}
    wanted = log_filters.read(asked, services().accounts, principal().owner)
    end, limit = before(repository, query), query["limit"]
    if query["field"] is None:
        return history.of_repo(repository, snapshot, wanted, work, before=end, limit=limit)
    return field_log.search(repository, snapshot, keys_of(query["field"]), wanted, work, before=end, limit=limit)


def fitting(
    entries: Iterable[Entry | CommitId | None], show: Callable[[Entry], T], fits: Callable[[T], bool]
) -> tuple[list[T], CommitId | None]:
    """Return as many entries, as they are shown, as there is room for, and what the next page is before.

    Another commit in place of the last entry says so, and None that there is no next page.
    """
    found: list[T] = []
    following: CommitId | None = None
    for entry in entries:
        if not isinstance(entry, Entry):
            return found, entry
        shown = show(entry)
        if not fits(shown):
            break
        found.append(shown)
        following = entry.commit if entry.has_older else None
    return found, following
