"""Which words of two texts are not the same."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from app.domain.alignment import differing

_TOKEN = re.compile(r"\s*(?:\w+|[^\w\s])|\s+")  # a word with the space before it
_LONGEST = 200_000  # characters of both texts; longer ones are not looked at word by word
_MOST_PIECES = 400  # of a text; a page with more marks than that shows nothing
_CONTEXT = 300  # characters of a stretch that is the same, of which a longer one shows the start and the end
_LONGEST_CHANGE = 4000  # characters of a stretch that changed


class Piece(NamedTuple):
    """A stretch of a text, and whether it is on this side only."""

    text: str
    is_changed: bool


Pieces = Sequence[Piece]


def marked(old: Any, new: Any) -> tuple[Pieces, Pieces] | None:
    """Return two texts in pieces, without the middle of long ones; None where they are better shown as they are.

    That is so for values that are no texts, for single words, and for texts that have too much or nothing in common.
    """
    if not (isinstance(old, str) and isinstance(new, str)) or len(old) + len(new) > _LONGEST:
        return None
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    if min(len(before), len(after)) < 2:
        return None
    changed_before, changed_after = set[int](), set[int]()
    for block in differing(before, after):
        changed_before.update(block.old)
        changed_after.update(block.new)
    if len(changed_before) == len(before) or len(changed_after) == len(after):
        return None
    sides = [*_pieces(before, changed_before)], [*_pieces(after, changed_after)]
    return None if max(map(len, sides)) > _MOST_PIECES else sides


def _pieces(tokens: Sequence[str], changed: set[int]) -> Iterator[Piece]:
    for is_changed, places in groupby(range(len(tokens)), changed.__contains__):
        text = "".join(tokens[place] for place in places)
        yield Piece(_shortened(text, _LONGEST_CHANGE if is_changed else _CONTEXT), is_changed)


def _shortened(text: str, most: int) -> str:
    """Return a text without its middle, if it is too long."""
    return text if len(text) <= most else f"{text[: most // 2]} […] {text[-most // 2 :]}"
