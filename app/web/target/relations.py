"""What a target has to do with others: its template's changes since, who was made from it, and where it is live."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.differences import Difference
from app.domain.errors import TooMuchToRead
from app.registry.audit import uses
from app.registry.audit.uses import Holder
from app.registry.configs import rebase
from app.registry.configs.target_files import FOLDER, Target
from app.registry.configs.target_lists import NameFilter
from app.registry.configs.target_rows import Rows
from app.web.admission import Place
from app.wire import allowance
from storage.errors import RepositoryDamaged

_MOST_CHILDREN = 50
_MOST_DIFFERENCES = 100


@dataclass(frozen=True, slots=True)
class Drift:
    """What the template has changed since the target was resolved.

    `state` is `current`, `drifted`, `template_gone`, `unreadable` where the template is damaged, or `unknown` where it
    takes too much reading. Of the differences, the first are shown, and `more` are not.
    """

    template: str
    state: str
    differences: Sequence[Difference] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Live:
    """A label or tag that holds a target, and whether it holds the version that the page shows."""

    kind: str
    holder: Holder
    is_same: bool


def drift(place: Place, target: Target) -> Drift:
    """Return how a rebase would change a target."""
    try:
        found = rebase.drift(place.snapshot, target.name, work=allowance.work())
    except TooMuchToRead:
        return Drift(target.template, "unknown")
    except RepositoryDamaged:
        return Drift(target.template, "unreadable")
    if found.rebased is None:
        return Drift(found.template, "template_gone")
    differences = found.differences
    shown = differences[:_MOST_DIFFERENCES]
    return Drift(found.template, "current" if found.is_current else "drifted", shown, len(differences) - len(shown))


def children(place: Place, name: str) -> tuple[Sequence[str], int]:
    """Return the first targets that were made from a target or the default, and how many there are.

    Damaged ones are passed over: nobody knows what they were made from.
    """
    rows = Rows(place.repository, place.snapshot, skips_damaged=True)
    names = NameFilter(template=name).choose(rows, allowance.work(), have_rows=True)
    return names[:_MOST_CHILDREN], len(names)


def live(place: Place, target: Target) -> list[Live]:
    """Return the labels, and then the tags, that hold a target."""
    tags = place.repository.tags()
    held = uses.held_by(place.repository, place.snapshot, FOLDER.path(target.name), tags)
    return [Live(kind, holder, holder.version == target.version) for kind, holder in held]
