"""Which target was made from which: one tree, whatever somebody wrote into the files."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.domain.names import DEFAULT_TEMPLATE

TOP = ""  # stands above all roots, and is not drawn: nothing has an empty name


@dataclass(frozen=True, slots=True)
class Family:
    """The default, the targets, and the templates that are gone, each below the template that it was made from.

    `children` are in the order in which they are drawn: templates first, then those that nothing was made from, each
    by name. `order` has all names, parents first. `rings` has targets at the top whose template is below them.
    """

    parents: Mapping[str, str]
    children: Mapping[str, Sequence[str]]
    order: Sequence[str]
    gone: frozenset[str]
    rings: Mapping[str, str]

    def totals(self, names: Iterable[str] | None = None) -> Mapping[str, int]:
        """Return how many of some names, or of all, are in each part of the tree: a name and all below it."""
        found = dict.fromkeys(self.order, 1 if names is None else 0)
        for name in names or ():
            found[name] = 1
        for name in reversed(self.order):
            parent = self.parents[name]
            found[parent] = found.get(parent, 0) + found[name]
        return found

    def path(self, name: str) -> Sequence[str]:
        """Return what a name was made from, from the root down to the name itself."""
        found = [name]
        while (name := self.parents[name]) != TOP:
            found.append(name)
        return found[::-1]


def build(templates: Mapping[str, str]) -> Family:
    """Return the family of targets, given the template of each.

    A target may be its own template, and two targets may be made from each other: the first by name is then a root.
    """
    # No request can read a target that is called as the default template: somebody wrote its file by hand.
    parents = {name: template for name, template in templates.items() if name != DEFAULT_TEMPLATE}
    gone = frozenset(parents.values()) - parents.keys() - {DEFAULT_TEMPLATE}
    rings = {name: parents[name] for name in _ring_starts(parents)}
    parents |= dict.fromkeys([DEFAULT_TEMPLATE, *gone, *rings], TOP)
    below: dict[str, list[str]] = defaultdict(list)
    for name, parent in parents.items():
        below[parent].append(name)

    def place(name: str) -> tuple[bool, bool, str]:
        return name != DEFAULT_TEMPLATE, name not in below, name

    children = {parent: sorted(names, key=place) for parent, names in below.items()}
    return Family(parents, children, _in_order(children), gone, rings)


def _ring_starts(parents: Mapping[str, str]) -> list[str]:
    """Return the first name of each ring of templates."""
    found, known = [], set[str]()
    for start in parents:
        walked: dict[str, None] = {}
        name = start
        while name in parents and name not in known and name not in walked:
            walked[name] = None
            name = parents[name]
        if name in walked:
            names = list(walked)
            found.append(min(names[names.index(name) :]))
        known.update(walked)
    return found


def _in_order(children: Mapping[str, Sequence[str]]) -> Sequence[str]:
    found: list[str] = []
    level: Sequence[str] = [TOP]
    while level:
        level = [child for parent in level for child in children.get(parent, ())]
        found += level
    return found
