"""Which part of a family is drawn: what is left out is counted in a fold, and a link draws it."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from app.web.tree.graph import TOP, Family


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a picture shows.

    A picture has `most` names at the most. Each level takes `share` of the room that is left, so that something of the
    levels below is drawn, too: below each of its names stand as many as one of the `steps`, the first that fits.
    A name that somebody opened shows `opened` below it, and for each of these names as many more may be drawn, up to
    `most_opened` in all.
    """

    steps: Sequence[int] = (24, 12, 6, 3, 2, 1)
    share: Fraction = Fraction(2, 3)
    most: int = 100
    opened: int = 100
    most_opened: int = 300
    deepest: int = 8

    def room(self, opened: int) -> int:
        """Return how many names a picture shows in which so many are opened."""
        return min(self.most + self.opened * opened, self.most_opened)


@dataclass(frozen=True, slots=True)
class View:
    """What somebody looks at: a name and all below it, the names that are opened, and where those below begin."""

    root: str = TOP
    opened: tuple[str, ...] = ()
    start: int = 0


@dataclass(frozen=True, slots=True)
class Fold:
    """Names below `parent` that are not drawn: `count` with all that is below them, and how many of these drifted.

    `view` draws some of them. They stand before the names that are drawn, or after these.
    """

    parent: str
    is_before: bool
    count: int
    drifted: int
    view: View


@dataclass(frozen=True, slots=True)
class Folded:
    """The names that are drawn below each name; and the folds before and after them."""

    root: str
    children: Mapping[str, Sequence[str]]
    before: Mapping[str, Fold]
    after: Mapping[str, Fold]

    @property
    def names(self) -> Sequence[str]:
        """All names that are drawn, parents first."""
        found = [] if self.root == TOP else [self.root]
        waiting = deque([self.root])
        while waiting:
            below = self.children.get(waiting.popleft(), ())
            found += below
            waiting += below
        return found


def fold(family: Family, view: View, drifted: Sequence[str] = (), limits: Limits = Limits()) -> Folded:
    """Return what is drawn of a family."""
    return _Folding(family, view, limits, drifted).run()


class _Folding:
    """The names are taken level by level, so that what is near the root is drawn before what is far from it."""

    def __init__(self, family: Family, view: View, limits: Limits, drifted: Sequence[str]) -> None:
        self._family, self._view, self._limits = family, view, limits
        self._sizes, self._drifted = family.totals(), family.totals(drifted)
        self._left = limits.room(len(view.opened))
        self._children: dict[str, Sequence[str]] = {}
        self._before: dict[str, Fold] = {}
        self._after: dict[str, Fold] = {}

    def run(self) -> Folded:
        level, steps = [self._view.root], self._choose_steps()
        while level:
            step = next(steps, 0)
            for name in level:
                if self._family.children.get(name):
                    self._open(name, step)
            level = [child for name in level for child in self._children.get(name, ())]
        return Folded(self._view.root, self._children, self._before, self._after)

    def _choose_steps(self) -> Iterator[int]:
        """Yield how many names stand below each name of each level, none where the picture ends.

        What is opened does not count, so that all else stays as it is when somebody opens a name.
        """
        level, left = [self._view.root], self._limits.most
        for _ in range(self._limits.deepest):
            below = [self._family.children.get(name, ())[self._start(name) :] for name in level]
            everything = sum([self._sizes[name] for names in below for name in names])
            room = left if everything <= left else int(left * self._limits.share)
            fitting = (step for step in self._limits.steps if sum([min(step, len(names)) for names in below]) <= room)
            step = next(fitting, self._limits.steps[-1])
            yield step
            level = [name for names in below for name in names[:step]]
            left = max(0, left - len(level))

    def _start(self, name: str) -> int:
        below = self._family.children.get(name, ())
        return max(0, min(self._view.start, len(below) - 1)) if name == self._view.root else 0

    def _open(self, name: str, step: int) -> None:
        below, view = self._family.children[name], self._view
        start = self._start(name)
        wanted = self._limits.opened if step and name in view.opened else step
        if step and len(below) - start == wanted + 1:
            wanted += 1  # a fold of one name takes as much room as the name
        count = min(wanted, self._left, len(below) - start)
        self._left -= count
        end = start + count
        self._children[name] = below[start:end]
        if start:
            self._before[name] = self._fold(
                name, True, below[:start], replace(view, start=max(0, start - max(wanted, 1)))
            )
        if end < len(below):
            helps = 0 < count == wanted < self._limits.opened
            self._after[name] = self._fold(name, False, below[end:], self._next(name, end, opening_helps=helps))

    def _next(self, name: str, end: int, *, opening_helps: bool) -> View:
        """Return the view that draws some of the names that were left out below a name."""
        view = self._view
        if opening_helps and self._limits.room(len(view.opened)) < self._limits.room(len(view.opened) + 1):
            return replace(view, opened=(*view.opened, name))
        return View(name, (name,) if name in view.opened else (), end)

    def _fold(self, name: str, is_before: bool, names: Sequence[str], view: View) -> Fold:
        count, drifted = (sum([totals[each] for each in names]) for totals in (self._sizes, self._drifted))
        return Fold(name, is_before, count, drifted, view)
