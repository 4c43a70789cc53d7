"""Where each name and each fold of a picture stands: columns from left to right, rows from top to bottom."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.web.tree.folding import Fold, Folded
from app.web.tree.graph import TOP

WIDTH, HEIGHT = 232, 62  # pixels of a name's box
FOLD_HEIGHT = 28
GAP = 48  # between columns
ROW_GAP = 12
MARGIN = 8


@dataclass(frozen=True, slots=True)
class Box:
    """The place of a name, or of a fold, in pixels from the picture's left and top."""

    shows: str | Fold
    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        """Where lines meet the box, from the top."""
        return self.y + self.height // 2


@dataclass(frozen=True, slots=True)
class Line:
    """The lines from a box to those of what was made from it."""

    parent: Box
    children: Sequence[Box]


@dataclass(frozen=True, slots=True)
class Sketch:
    """A picture's boxes, in the order in which people read them; its lines; and its size in pixels."""

    boxes: Sequence[Box]
    lines: Sequence[Line]
    width: int
    height: int


def place(folded: Folded) -> Sketch:
    """Return where everything stands. A parent stands in the row of its first child, one column to the left."""
    boxes: list[Box] = []
    lines: list[Line] = []
    bottom = MARGIN

    def stand(shown: str | Fold, column: int) -> Box:
        """Place a name with all below it at the bottom of what is placed, and return its box."""
        nonlocal bottom
        x, y = MARGIN + column * (WIDTH + GAP), bottom
        box = Box(shown, x, y, WIDTH, FOLD_HEIGHT if isinstance(shown, Fold) else HEIGHT)
        boxes.append(box)
        if isinstance(shown, str):
            below = [stand(each, column + 1) for each in _below(folded, shown)]
            if below:
                lines.append(Line(box, below))
        bottom = max(bottom, y + box.height + ROW_GAP)
        return box

    roots = _below(folded, TOP) if folded.root == TOP else iter([folded.root])
    for root in roots:
        stand(root, 0)
    width = max([box.x + box.width for box in boxes], default=0) + MARGIN
    height = max([box.y + box.height for box in boxes], default=0) + MARGIN
    return Sketch(boxes, lines, width, height)


def _below(folded: Folded, name: str) -> Iterator[str | Fold]:
    if name in folded.before:
        yield folded.before[name]
    yield from folded.children.get(name, ())
    if name in folded.after:
        yield folded.after[name]
