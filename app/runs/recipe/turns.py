"""Whose run is next: that of the user who has the fewest under way."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Waiting(NamedTuple):
    """A run that nobody carries out: the user whose repo it is in, and how often somebody began to carry it out."""

    id: int
    owner: str
    turns: int


def ordered(waiting: Sequence[Waiting], busy: Mapping[int, str]) -> list[int]:
    """Return the runs that wait, in the order in which they should be carried out.

    `busy` tells the owner of each run that is under way. Of one owner's, runs with fewer turns come first, then the
    oldest.
    """
    counts = Counter(busy.values())
    return [run.id for run in sorted(waiting, key=lambda run: (counts[run.owner], run.turns, run.id))]


def to_give_up(mine: Sequence[int], waiting: Sequence[Waiting], busy: Mapping[int, str]) -> int | None:
    """Return the run of a worker that should make way for one that waits, or None.

    `mine` are runs that the worker may give up, the first one first. One makes way where its owner has more under way
    than the owner of the run that is next.
    """
    counts = Counter(busy.values())
    fewest = min((counts[run.owner] for run in waiting), default=None)
    if fewest is None:
        return None
    mine = [run_id for run_id in mine if run_id in busy and counts[busy[run_id]] > fewest]
    return max(mine, key=lambda run_id: counts[busy[run_id]], default=None)
