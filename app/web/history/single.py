"""A target, a prompt or the default side by side with itself at another commit, or with another one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.errors import NotFound
from app.registry.configs.things import Content, Thing
from app.web.admission import Place
from app.web.history.sides import Side, Sides
from app.web.parts import side_by_side
from app.web.parts.commits import Commit
from app.web.parts.side_by_side import Row
from app.wire import allowance
from storage.ids import BlobId
from storage.snapshot import Snapshot

_MOST_ROWS = 150  # of a page
_LARGEST_FILE = 64 * 1024  # bytes of a question template that is compared word by word


@dataclass(frozen=True, slots=True)
class Rows:
    """What differs, and the fields that are the same as a whole. `next` is the row where the next page begins."""

    different: Sequence[Row]
    same: Sequence[Row]
    next: int | None = None


@dataclass(frozen=True, slots=True)
class Single:
    """A page of rows, and the commits that wrote both versions; None where a side has no such thing."""

    rows: Rows
    written: Sequence[Commit | None]


def read(place: Place, sides: Sides) -> Single:
    """Return the rows of both sides; NotFound where neither has the thing, TooMuchToRead where they are too large."""
    both, work = (sides.left, sides.right), allowance.work()
    for side in both:
        work.expect("The comparison", size(side.snapshot, _thing(side)))
    contents = [content(side.snapshot, _thing(side).read(side.snapshot)) for side in both]
    if contents == [None, None]:
        thing = _thing(sides.right)
        raise NotFound(thing.folder.kind, thing.name)
    old, new = (found or {} for found in contents)
    return Single(rows(old, new, sides.query["offset"]), [_written(place, side) for side in both])


def rows(old: dict[str, Any], new: dict[str, Any], offset: int = 0) -> Rows:
    """Return a page of the rows of two contents."""
    found = side_by_side.rows(old, new)
    same = [row for row in found if row.is_same and len(row.to) == 1]
    others = [row for row in found if not (row.is_same and len(row.to) == 1)]
    end = offset + _MOST_ROWS
    return Rows(others[offset:end], same[:_MOST_ROWS], end if end < len(others) else None)


def as_text(place: Place, sides: Sides) -> str:
    """Return the comparison of both files as git prints it; NotFound where one side has none."""
    for side in (sides.left, sides.right):
        _thing(side).expect(side.snapshot)
    old, new = ((side.snapshot.commit, _thing(side).path) for side in (sides.left, sides.right))
    return place.repository.comparisons.text_of_files(old, new)


def content(snapshot: Snapshot, found: Content | None) -> dict[str, Any] | None:
    """Return what is compared of a version: its fields, and the question templates that came with it."""
    if found is None:
        return None
    return {**found.fields, **{path: _text(snapshot, version) for path, version in found.files.items()}}


def size(snapshot: Snapshot, thing: Thing) -> int:
    """Return how many bytes the file of a thing has, 0 where there is none."""
    version = snapshot.version(thing.path)
    return 0 if version is None else len(snapshot.blob(version))


def _text(snapshot: Snapshot, version: BlobId) -> str:
    data = snapshot.blob(version)
    return data.decode(errors="replace") if len(data) <= _LARGEST_FILE else f"the file {version}, {len(data)} bytes"


def _thing(side: Side) -> Thing:
    assert side.thing is not None
    return side.thing


def _written(place: Place, side: Side) -> Commit | None:
    path = _thing(side).path
    if not side.has_thing:
        return None
    commit = place.repository.versions(path, side.snapshot.commit)[0].commit  # git finds those of one file by filters
    return Commit.of(commit, place.repository.signature(commit))
