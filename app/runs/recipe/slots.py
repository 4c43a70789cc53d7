"""Which holder has how many slots of an endpoint, and when requests may start.

A slot is room for one request: an endpoint has as many as it may have requests out at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

TURN = 2.0  # seconds that a holder keeps what it has while others wait with nothing


@dataclass(frozen=True, slots=True)
class Claim:
    """What a holder has and wants. `since` is when it began to have some, or to wait; `paced` when it last got starts.

    `starts` says whether it waits for times to start requests at.
    """

    holder: str
    held: int
    wants: int
    since: float = 0
    paced: float = 0
    starts: bool = False


def divide(claims: Sequence[Claim], total: int, now: float) -> dict[str, int]:
    """Return how many of `total` slots each holder should have: equally many, or what it wants, or by turns."""
    waiting = [claim for claim in claims if claim.wants > 0]
    parts = dict.fromkeys([claim.holder for claim in claims], 0)
    if len(waiting) > total:
        waiting.sort(key=lambda claim: _turn(claim, now))
        return parts | dict.fromkeys([claim.holder for claim in waiting[:total]], 1)
    for count, claim in enumerate(sorted(waiting, key=lambda claim: (claim.wants, claim.holder))):
        parts[claim.holder] = min(claim.wants, total // (len(waiting) - count))
        total -= parts[claim.holder]
    return parts


def starts(claims: Sequence[Claim], holder: str, free: int) -> int:
    """Return how many of the `free` times to start at a holder may take now; the others leave it the rest."""
    waiting = sorted((claim for claim in claims if claim.starts), key=lambda claim: (claim.paced, claim.holder))
    rank = next((rank for rank, claim in enumerate(waiting) if claim.holder == holder), None)
    if rank is None:
        return 0
    return free // len(waiting) + (rank < free % len(waiting))


def _turn(claim: Claim, now: float) -> tuple[int, float, str]:
    """Return the place of a holder in the order of turns, where there are more holders than slots."""
    if claim.held == 0:
        return 1, claim.since, claim.holder
    has_had_its_turn = now - claim.since >= TURN
    return (2, -claim.since, claim.holder) if has_had_its_turn else (0, claim.since, claim.holder)
