"""The moves of a label, and which version of a target was live under it from when to when."""

from dataclasses import dataclass, replace
from itertools import zip_longest

from app.domain.errors import NotFound
from app.registry import label_files
from app.registry.configs import target_files
from app.registry.label_files import Label
from storage.ids import BlobId, CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.versions import Version

_MOST_MOVES = 1000  # that one page of a timeline looks at: each is a small file to read


@dataclass(frozen=True, slots=True)
class Move:
    """A commit that changed a label, and the label as it was then; None where it was deleted, or is unreadable."""

    commit: CommitId
    label: Label | None
    is_readable: bool = True

    @property
    def to(self) -> CommitId | None:
        """Where the label came to."""
        return self.label.commit if self.label else None


@dataclass(frozen=True, slots=True)
class Period:
    """A time in which one version of a target was live: from the commit `began` until the commit `ended`.

    `commit` is where the label came to with `began`, which was the first of some `moves`. A period that `may_be_older`
    began with an earlier move, perhaps.
    """

    version: BlobId | None
    commit: CommitId | None
    began: CommitId
    ended: CommitId | None
    moves: int = 1
    may_be_older: bool = False

    def continues(self, following: "Period") -> bool:
        """Tell whether the same version was live in the period that follows, and whether the label was there."""
        return self.version == following.version and (self.commit is None) == (following.commit is None)


def of_label(
    repository: Repository, snapshot: Snapshot, name: str, *, before: CommitId | None, limit: int
) -> tuple[list[tuple[Move, Move | None]], bool]:
    """Return the moves of a label up to a snapshot, newest first, each with the one before; and whether there are more.

    NotFound if there never was such a label.
    """
    versions = _versions(repository, snapshot, name, before)
    moves = [_move(snapshot, name, version) for version in versions[: limit + 1]]
    return list(zip_longest(moves, moves[1:]))[:limit], len(versions) > limit


def timeline(
    repository: Repository, snapshot: Snapshot, target: str, label: str | None, *, before: CommitId | None, limit: int
) -> tuple[list[Period], bool]:
    """Return the periods of a target under a label up to a snapshot, newest first; and whether there are more.

    Without a label the target's own commits count as moves. Moves that leave the target as it was belong to one
    period. NotFound if there never was such a target, or such a label.
    """
    path = target_files.FOLDER.path(target)
    if not repository.versions(path, snapshot.commit):
        raise NotFound(target_files.FOLDER.kind, target)
    if label is None:
        versions = repository.versions(path, snapshot.commit, before)
    else:
        versions = _versions(repository, snapshot, label, before)
    live = _Live(repository, snapshot, path, label)
    periods: list[Period] = []
    ended = before
    for version in versions[:_MOST_MOVES]:
        period = live.period(version, ended)
        ended = version.commit
        if periods and period.continues(periods[-1]):
            following = periods.pop()
            period = replace(period, ended=following.ended, moves=following.moves + 1)
        elif len(periods) == limit:
            return periods, True
        periods.append(period)
    has_more = len(versions) > _MOST_MOVES
    if has_more:
        periods[-1] = replace(periods[-1], may_be_older=True)
    return periods, has_more


class _Live:
    """Finds the version of one target that was live after each move."""

    def __init__(self, repository: Repository, snapshot: Snapshot, path: str, label: str | None) -> None:
        self._repository = repository
        self._snapshot = snapshot
        self._path = path
        self._label = label

    def period(self, moved: Version, ended: CommitId | None) -> Period:
        """Return the period that began with one move, and ended with another."""
        if self._label is None:
            return Period(moved.blob, moved.commit, moved.commit, ended)
        to = _move(self._snapshot, self._label, moved).to
        live = self._repository.versions_at(self._path, {to}).get(to) if to else None
        return Period(live, to, moved.commit, ended)


def _versions(repository: Repository, snapshot: Snapshot, name: str, before: CommitId | None) -> list[Version]:
    path = label_files.path(name)
    if not repository.versions(path, snapshot.commit):
        raise NotFound("Label", name)
    return repository.versions(path, snapshot.commit, before)


def _move(snapshot: Snapshot, name: str, version: Version) -> Move:
    if version.blob is None:
        return Move(version.commit, None)
    label = label_files.read_if_label(snapshot, name, version.blob)
    return Move(version.commit, label, is_readable=label is not None)
