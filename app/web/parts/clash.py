"""Somebody else wrote a document while it was edited: what a page shows of that, and what both changes come to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response

from app.web.admission import Place
from app.web.parts import commits, conflicts
from app.web.parts.commits import Commit
from app.web.parts.conflicts import Change
from app.web.rendering import page
from storage.ids import BlobId

Document = dict[str, Any]

_MOST_COMMITS = 10


@dataclass(frozen=True, slots=True)
class Clash:
    """What both changed since the version `base`, the commits of the others, and their version.

    `yours` is your document as text, for the form to send again. `finish` makes of both changes together a document as
    it is saved.
    """

    base: str
    theirs: BlobId
    changes: Sequence[Change]
    commits: Sequence[Commit]
    yours: str
    _theirs: Any
    _finish: Callable[[Any], Document]

    @property
    def has_yours(self) -> bool:
        """Tell whether you changed anything that they did not change alike."""
        return any(change.by in ("yours", "both") for change in self.changes)

    def misses(self, choices: Mapping[str, str]) -> Sequence[str]:
        """Return the names of the choices that a form has not made."""
        return [change.choice for change in conflicts.undecided(self.changes, choices)]

    def merged(self, choices: Mapping[str, str]) -> Document:
        """Return both changes together, as a form chose."""
        return self._finish(conflicts.merged(self._theirs, self.changes, choices))


@dataclass(frozen=True, slots=True)
class Edited:
    """What was edited, as the page of a conflict names it: its kind and name, where it is shown, where both are merged.

    `editor` is the name of the editor that the person used, where there are several.
    """

    kind: str
    name: str
    back: str
    merge: str
    reason: str
    editor: str | None = None


def show(edited: Edited, clash: Clash, choices: Mapping[str, str], status: int) -> Response:
    """Show both versions side by side; with 422, also which choices are missing."""
    missed = clash.misses(choices) if status == 422 else ()
    return page("parts/conflict.html", status, edited=edited, clash=clash, choices=choices, missed=missed)


def was_at(place: Place, path: str, version: str) -> bool:
    """Tell whether a file ever had a version."""
    return any(version == each.blob for each in place.repository.versions(path, place.repository.head().commit))


def writers(place: Place, path: str, base_version: str) -> Sequence[Commit]:
    """Return the commits that wrote a file since a version of it, newest first."""
    ids = []
    for version in place.repository.versions(path, place.repository.head().commit)[:_MOST_COMMITS]:
        if version.blob == base_version:
            break
        ids.append(version.commit)
    return list(commits.read(place.repository, ids).values())
