"""Which entries of two lists belong together: the equal ones, in the order of both lists.

The time is linear but for a sort, whatever the lists hold. Entries that are in each list once are matched first
(patience sorting, as in `git diff --patience`), and then equal neighbours of those. `difflib` would match more of the
rest, in quadratic time and more, so it has only short stretches.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

_SHORT = 16  # entries on each side: difflib takes less than a millisecond


class Numbers:
    """Keys of JSON values, which are equal where the values are the same JSON: 1, 1.0 and true differ.

    A list or object is looked at once, however often it is asked about. It must not change meanwhile.
    """

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._known: dict[int, tuple[Any, Hashable]] = {}  # by `id` of a value, which stays in use here

    def of(self, value: Any) -> Hashable:
        """Return the key of a value."""
        if isinstance(value, str) or type(value) is int:
            return value
        if not isinstance(value, dict | list):
            return type(value), value
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = value, ("number", self._number(value))
        return known[1]

    def _number(self, value: dict[str, Any] | list[Any]) -> int:
        content: Hashable
        if isinstance(value, dict):
            content = "object", frozenset((name, self.of(item)) for name, item in value.items())
        else:
            content = "list", *map(self.of, value)
        return self._numbers.setdefault(content, len(self._numbers))


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of the old list and the stretch of the new list that took its place; one of them may be empty."""

    old: range
    new: range


def differing(old: Sequence[Hashable], new: Sequence[Hashable]) -> Iterator[Block]:
    """Yield the blocks in which two lists of keys differ, from the start to the end."""
    whole = _trimmed(old, new, Block(range(len(old)), range(len(new))))
    at, to = whole.old.start, whole.new.start
    for matched_at, matched_to in (*_anchors(old, new, whole), (whole.old.stop, whole.new.stop)):
        yield from _within(old, new, _trimmed(old, new, Block(range(at, matched_at), range(to, matched_to))))
        at, to = matched_at + 1, matched_to + 1


def _trimmed(old: Sequence[Hashable], new: Sequence[Hashable], block: Block) -> Block:
    """Return a block without the equal entries at its start and at its end."""
    start, most = 0, min(len(block.old), len(block.new))
    while start < most and old[block.old[start]] == new[block.new[start]]:
        start += 1
    end = 0
    while end < most - start and old[block.old[-1 - end]] == new[block.new[-1 - end]]:
        end += 1
    return Block(block.old[start : len(block.old) - end], block.new[start : len(block.new) - end])


def _anchors(old: Sequence[Hashable], new: Sequence[Hashable], block: Block) -> list[tuple[int, int]]:
    """Return the longest run of pairs of entries that are in each list once, in the order of both."""
    once = [
        {key for key, count in Counter(keys[at] for at in part).items() if count == 1}
        for keys, part in ((old, block.old), (new, block.new))
    ]
    shared = once[0] & once[1]
    places = {new[to]: to for to in block.new if new[to] in shared}
    pairs = [(at, places[old[at]]) for at in block.old if old[at] in shared]
    lasts: list[int] = []  # of the best run of each length: where its last pair is in the new list
    ends: list[int] = []  # the same, as a position in `pairs`
    before: list[int | None] = []  # of each pair: the pair before it in the best run that it ends
    for number, (_, to) in enumerate(pairs):
        length = bisect_left(lasts, to)
        before.append(ends[length - 1] if length else None)
        lasts[length : length + 1], ends[length : length + 1] = [to], [number]
    run = []
    last = ends[-1] if ends else None
    while last is not None:
        run.append(pairs[last])
        last = before[last]
    return run[::-1]


def _within(old: Sequence[Hashable], new: Sequence[Hashable], block: Block) -> Iterator[Block]:
    """Yield the blocks that differ within one that has no entry of its own at its ends."""
    if not 0 < len(block.old) <= _SHORT or not 0 < len(block.new) <= _SHORT:
        if block.old or block.new:
            yield block
        return
    before, after = old[block.old.start : block.old.stop], new[block.new.start : block.new.stop]
    for tag, *ends in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            yield Block(block.old[ends[0] : ends[1]], block.new[ends[2] : ends[3]])
