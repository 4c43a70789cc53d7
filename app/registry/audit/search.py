"""The search: in which repos, targets, prompts, labels, tags and reasons a text stands.

One answer looks at so many repos, bytes and logs at most. Where it stops, it tells where the next one goes on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from app.domain.budgets import Work
from app.domain.errors import NotFound
from app.domain.text_search import Wanted
from app.registry.audit.searched import Kind, Matches, Scope, things
from storage.errors import LayoutUnknown, RepositoryDamaged, StorageUnavailable
from storage.signatures import Signature

MOST_REPOS = 100  # that one answer opens
MOST_LOGS = 20  # git looks through the messages of all commits for each


class Place(NamedTuple):
    """A repo that is to be searched, and how it is opened; NotFound where it is gone meanwhile."""

    owner: str
    repo_name: str
    open: Callable[[], Scope]


class Position(NamedTuple):
    """Where a search goes on: in a repo, behind a thing of it, or with the first one."""

    owner: str
    repo_name: str
    after: str = ""


class Limits(NamedTuple):
    """What one answer may come to: the things of each kind that it shows, and the bytes that it looks at."""

    shown: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A thing in which the text stands; a reason has the id of its commit as its name, and the commit's signature."""

    owner: str
    repo_name: str
    name: str
    matches: Matches
    signature: Signature | None


@dataclass(slots=True)
class Group:
    """What was found of a kind; and where the search goes on, or None where all was looked at.

    `has_more` says whether something more is known to be there.
    """

    hits: list[Hit] = field(default_factory=list)
    next: Position | None = None
    has_more: bool = False


class Unread(NamedTuple):
    """A repo that could not be searched as a whole, and why."""

    owner: str
    repo_name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, by kind, and which repos could not be read."""

    groups: Mapping[Kind, Group]
    unread: Sequence[Unread]


def search(
    places: Iterable[Place], wanted: Wanted, kinds: Sequence[Kind], limits: Limits, start: Position | None = None
) -> Found:
    """Look for a text in things of some kinds, in one repo after the other.

    `start` is where an answer before this one stopped: the places must begin with its repo. Raises
    RevisionNotFound where it is behind a commit that the repo does not have.
    """
    searches = {kind: _Search(kind, wanted, limits) for kind in kinds}
    unread: list[Unread] = []
    for number, place in enumerate(places):
        pending = [each for each in searches.values() if each.group.next is None]
        if not pending:
            break
        if number == MOST_REPOS:
            for each in pending:
                each.group.next = Position(place.owner, place.repo_name)
            break
        is_start = start is not None and start[:2] == place[:2]
        after = start.after if start is not None and is_start else ""
        problem = _look_into(place, pending, after)
        if problem is not None:
            unread.append(Unread(place.owner, place.repo_name, problem))
    return Found({kind: each.group for kind, each in searches.items()}, unread)


def _look_into(place: Place, searches: Sequence["_Search"], after: str) -> str | None:
    """Search one repo, and return what is wrong with it, if anything is; nothing is found in one that is gone."""
    problem = None
    try:
        scope = place.open()
    except NotFound:
        return None
    except (LayoutUnknown, RepositoryDamaged, StorageUnavailable) as error:
        return str(error)
    for each in searches:
        try:
            each.look_into(place, scope, after)
        except (RepositoryDamaged, StorageUnavailable) as error:
            problem = str(error)
    return problem


class _Search:
    """The search among the things of one kind."""

    def __init__(self, kind: Kind, wanted: Wanted, limits: Limits) -> None:
        self.group = Group()
        self._kind, self._wanted, self._shown = kind, wanted, limits.shown
        self._work = Work(limits.bytes)
        self._logs = Work(MOST_LOGS if kind is Kind.REASONS else MOST_REPOS)
        self._has_looked = False

    def look_into(self, place: Place, scope: Scope, after: str) -> None:
        """Look at the things of a repo, behind one of them."""
        if not self._logs.spend(1):
            self._stop(place, after)
            return
        most = self._shown + 1 - len(self.group.hits)
        for thing in things(self._kind, scope, self._wanted, after, most):
            if not self._work.spend(thing.cost) and self._has_looked:
                self._stop(place, after)
                return
            self._has_looked = True
            found = thing.look()
            if found.first:
                if len(self.group.hits) == self._shown:
                    self.group.has_more = True
                    self._stop(place, after)
                    return
                self.group.hits.append(Hit(place.owner, place.repo_name, thing.name, found, thing.signature))
            after = thing.name

    def _stop(self, place: Place, after: str) -> None:
        self.group.next = Position(place.owner, place.repo_name, after)
