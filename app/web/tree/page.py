"""What the page of the family tree shows, gathered from a repo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.errors import NotFound
from app.registry.configs import usage
from app.web.admission import Place
from app.web.tree import folding, graph, live, members
from app.web.tree.folding import Folded, View
from app.web.tree.graph import TOP
from app.web.tree.members import Member
from app.wire import allowance

_PATH = 8  # names above the picture


@dataclass(frozen=True, slots=True)
class Shown:
    """The family as a view shows it. `above` leads from the root down to the first name that is drawn.

    `targets`, `drifted` and `gone` count all of the repo, also what is folded. Of the labels and tags, `left_out` were
    not looked at.
    """

    view: View
    above: Sequence[str]
    folded: Folded
    members: Mapping[str, Member]
    targets: int
    drifted: int
    gone: int
    left_out: int


def gather(place: Place, view: View) -> Shown:
    """Return what a view of a repo's family shows; NotFound where its root is no name of the family."""
    work = allowance.work()
    states = usage.states(place.repository, place.snapshot, work)
    family = graph.build({name: template for name, (template, _) in states.items()})
    if view.root != TOP and view.root not in family.parents:
        raise NotFound("Target", view.root)
    opened = tuple(name for name in view.opened if name in family.children)
    view = View(view.root, opened, view.start)
    drifted = [name for name, (_, state) in states.items() if state == "drifted" and name in family.parents]
    folded = folding.fold(family, view, drifted)
    shown = live.find(place.repository, place.snapshot, folded.names)
    found = members.read(place.snapshot, family, states, folded.names, shown.holders, work)
    above = family.path(view.root)[:-1][-_PATH:] if view.root != TOP else ()
    targets = len(family.order) - len(family.gone) - 1
    return Shown(view, above, folded, found, targets, len(drifted), len(family.gone), shown.left_out)
