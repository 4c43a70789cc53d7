"""The labels and the tags of a repo, each with the commit that it is on, and who put it there."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.registry import labels
from app.registry.label_files import Label
from app.web.admission import Place
from app.web.parts.commits import Commit
from storage.errors import RevisionNotFound
from storage.ids import CommitId
from storage.repository import Repository
from storage.tags import Tag

_MOST_TAGS = 100  # of a page


@dataclass(frozen=True, slots=True)
class Row:
    """A label in the table. `label` is None where somebody wrote the file by hand, and it is no label.

    `on` is the commit that is live, None where the history does not have it; `moved` is the move that made it so.
    """

    name: str
    label: Label | None
    on: Commit | None
    moved: Commit | None


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tag in the table, and the commit that it is on."""

    tag: Tag
    on: Commit


@dataclass(frozen=True, slots=True)
class Tags:
    """A page of the tags: how many there are in all, and where the next page begins."""

    rows: Sequence[TagRow]
    total: int
    next: int | None


def of_repo(place: Place) -> list[Row]:
    """Return the labels of a repo, by name."""
    found = labels.get_all(place.snapshot)
    moved = labels.moved_last(place.repository, place.snapshot, [*found])
    return [
        Row(
            name,
            label,
            commit_or_none(place.repository, label.commit if label else None),
            commit_or_none(place.repository, moved.get(name)),
        )
        for name, label in found.items()
    ]


def tags(place: Place, offset: int) -> Tags:
    """Return the tags of a repo by name, from the number `offset` on."""
    found = place.repository.tags()
    shown = found[offset : offset + _MOST_TAGS]
    rows = [TagRow(tag, Commit.of(tag.commit, place.repository.signature(tag.commit))) for tag in shown]
    end = offset + len(shown)
    return Tags(rows, len(found), end if end < len(found) else None)


def commit_or_none(repository: Repository, commit: CommitId | None) -> Commit | None:
    """Return a commit; None where there is none, or where the history does not have it."""
    if commit is None:
        return None
    try:
        repository.at(commit)
    except RevisionNotFound:
        return None
    return Commit.of(commit, repository.signature(commit))
