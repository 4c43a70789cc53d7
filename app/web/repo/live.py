"""The labels and tags of a repo: what each is on."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import nlargest

from app.registry import label_files, labels
from app.web.admission import Place
from app.web.parts.commits import Commit
from storage.errors import RevisionNotFound
from storage.ids import BlobId, CommitId

_TAGS = 5


@dataclass(frozen=True, slots=True)
class Live:
    """A label or a tag: the commit that it is on, and how many commits came since; None where it is on none.

    `moved` is the commit that moved a label last.
    """

    name: str
    commit: Commit | None
    behind: int | None
    moved: Commit | None = None


def of_labels(place: Place, versions: Mapping[str, BlobId], moved: Mapping[str, Commit]) -> list[Live]:
    """Return some labels, given the versions of their files and who moved each last, both by name."""
    found = []
    for name, version in versions.items():
        label = label_files.read_if_label(place.snapshot, name, version)
        found.append(_live(place, name, label.commit if label else None, moved.get(name)))
    return found


def newest_tags(place: Place) -> tuple[Sequence[Live], int]:
    """Return the tags on the latest commits, and how many tags there are."""
    found = place.repository.tags()
    newest = nlargest(_TAGS, found, key=lambda tag: place.repository.position(tag.commit))
    return [_live(place, tag.name, tag.commit) for tag in newest], len(found)


def versions(place: Place) -> dict[str, BlobId]:
    """Return the versions of the files of all labels, by name."""
    return labels.FOLDER.versions(place.snapshot)


def _live(place: Place, name: str, on: CommitId | None, moved: Commit | None = None) -> Live:
    repository = place.repository
    with suppress(RevisionNotFound):  # somebody may have written the label by hand
        if on is not None:
            behind = repository.position(place.snapshot.commit) - repository.position(on)
            return Live(name, Commit.of(on, repository.signature(on)), behind, moved)
    return Live(name, None, None, moved)
