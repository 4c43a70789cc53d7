"""Which repos a search looks into: those that the viewer may read."""

from collections.abc import Iterator
from functools import partial

from app.auth import Principal
from app.registry import repos
from app.registry.audit.search import Place, Position
from app.registry.audit.searched import Scope
from app.web import admission
from app.wire import context
from storage.store import Store


def start_of(after: str | None) -> Position | None:
    """Return where a search goes on, as an address tells it."""
    return None if after is None else Position(*after.split("/", 2))


def of_viewer(caller: Principal, owner: str | None, start: Position | None) -> Iterator[Place]:
    """Yield the viewer's own repos, and then those that were shared with them, by name, from a place on.

    Where there is an `owner`, only repos of theirs. The master key reads all repos of the owner.
    """
    own = owner if caller.is_master else caller.user.id
    store = context.services().store
    if own is not None and owner in (None, own) and (start is None or start.owner == own):
        begin = "" if start is None else start.repo_name
        for name in repos.list_names(store, own):
            if name >= begin and caller.may_reach(own, name):
                yield _place(store, own, name)
    if caller.is_master:
        return
    begin = "" if start is None or start.owner == own else f"{start.owner}/{start.repo_name}"

    def is_wanted(other: str, name: str) -> bool:
        return owner in (None, other) and f"{other}/{name}" >= begin and caller.may_reach(other, name)

    for listed, shared in context.shares().examine(caller.user.id, "", is_wanted):
        if shared is not None:
            other, _, name = listed.partition("/")
            yield _place(store, other, name)


def of_place(place: admission.Place, after: str) -> tuple[list[Place], Position]:
    """Return the one repo of an address, and the place in it where a search begins."""
    scope = Scope(place.owner, place.repository, place.snapshot)
    return [Place(place.owner, place.repo_name, lambda: scope)], Position(place.owner, place.repo_name, after)


def _place(store: Store, owner: str, name: str) -> Place:
    return Place(owner, name, partial(_open, store, owner, name))


def _open(store: Store, owner: str, name: str) -> Scope:
    repository = repos.open_repository(store, owner, name)
    return Scope(owner, repository, repository.head())
