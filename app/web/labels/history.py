"""The history of a label: each move with who, when and why, and the way back to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.registry.audit import moves
from app.registry.audit.moves import Move
from app.web.admission import Place
from app.web.labels.listing import commit_or_none
from app.web.parts.commits import Commit
from storage.ids import CommitId

_MOST_MOVES = 25  # of a page


@dataclass(frozen=True, slots=True)
class Step:
    """A commit that changed a label: from where to where, None where the label was not there.

    `what` is `created`, `moved`, `deleted`, `protected`, `unprotected` or `unreadable`.
    """

    by: Commit
    origin: Commit | None
    to: Commit | None
    what: str


@dataclass(frozen=True, slots=True)
class History:
    """A page of the history, newest first, and the commit before which the next page begins."""

    steps: Sequence[Step]
    next: CommitId | None


def read(place: Place, name: str, before: str | None) -> History:
    """Return moves of a label, newest first; NotFound if there never was such a label."""
    start = None if before is None else place.repository.find(before)
    found, has_more = moves.of_label(place.repository, place.snapshot, name, before=start, limit=_MOST_MOVES)
    steps = [_step(place, move, earlier) for move, earlier in found]
    return History(steps, found[-1][0].commit if has_more else None)


def _step(place: Place, move: Move, earlier: Move | None) -> Step:
    repository = place.repository
    by = Commit.of(move.commit, repository.signature(move.commit))
    origin = commit_or_none(repository, earlier.to if earlier else None)
    return Step(by, origin, commit_or_none(repository, move.to), _what(move, earlier))


def _what(move: Move, earlier: Move | None) -> str:
    if not move.is_readable:
        return "unreadable"
    if move.label is None:
        return "deleted"
    if earlier is None or earlier.label is None:
        return "created"
    if earlier.label.commit != move.label.commit:
        return "moved"
    return "unprotected" if move.label.protected is None else "protected"
