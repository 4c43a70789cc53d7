"""What the page of a search shows: the hits by kind, each with its link, and what was left out."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.domain.text_search import Wanted
from app.registry.audit.search import Group, Hit, Limits, Place, Position, Unread, search
from app.registry.audit.searched import Kind, Matches
from app.web.parts.commits import Commit
from app.web.search import links
from app.wire import context
from storage.ids import CommitId

_FEWEST, _MOST = 2, 200  # characters that are looked for
_OF_EACH, _OF_ONE = 10, 50  # hits on a page with all kinds, and with one
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Shown:
    """A hit as the page shows it: `address` is its page, None where it has none; a reason has its commit."""

    owner: str
    repo_name: str
    name: str
    address: str | None
    matches: Matches
    commit: Commit | None


@dataclass(frozen=True, slots=True)
class Section:
    """The hits of one kind; where the next page goes on, and whether it is known to have more."""

    kind: Kind
    hits: Sequence[Shown]
    after: Position | None
    has_more: bool


@dataclass(frozen=True, slots=True)
class Results:
    """What a search found. `problem` says why nothing was looked for, where that is so."""

    problem: str | None
    sections: Sequence[Section] = ()
    unread: Sequence[Unread] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether all was looked at, and nothing was found."""
        return not self.problem and not any(section.hits or section.after for section in self.sections)


def find(places: Iterable[Place], text: str, kind: str | None, start: Position | None) -> Results:
    """Search some repos for a text."""
    text = text.strip()
    problem = _problem(text)
    if problem is not None:
        return Results(problem)
    kinds = [*Kind] if kind is None else [Kind(kind)]
    limits = Limits(_OF_EACH if kind is None else _OF_ONE, context.services().settings.max_parsed // 2)
    found = search(places, Wanted(text), kinds, limits, start)
    sections = [_section(each, group) for each, group in found.groups.items()]
    return Results(None, [each for each in sections if each.hits or each.after], found.unread)


def _problem(text: str) -> str | None:
    """Return why a text is not looked for, or None."""
    if not text:
        return "Type what you look for: a part of a name, of a prompt, of a value, or of the reason of a change."
    if len(text) < _FEWEST:
        return f"Type {_FEWEST} characters or more: a single one is nearly everywhere."
    if len(text) > _MOST:
        return f"Type {_MOST} characters at most."
    if _CONTROL.search(text):
        return "Type one line: the search looks for a text without line ends and tabs."
    return None


def _section(kind: Kind, group: Group) -> Section:
    return Section(kind, [_shown(kind, hit) for hit in group.hits], group.next, group.has_more)


def _shown(kind: Kind, hit: Hit) -> Shown:
    commit = None if hit.signature is None else Commit.of(CommitId(hit.name), hit.signature)
    address = links.address(kind, hit.owner, hit.repo_name, hit.name)
    return Shown(hit.owner, hit.repo_name, hit.name, address, hit.matches, commit)
