"""A whole repo at two commits: the files that differ, a page at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.budgets import Room
from app.domain.cutting import shown
from app.domain.differences import MISSING, Difference
from app.domain.errors import TooMuchToRead
from app.registry.audit import file_changes, log_filters
from app.registry.audit.comparison import Compared, Comparison
from app.web.admission import Place
from app.web.history.sides import Sides
from app.web.parts.commits import Commit
from app.wire import allowance, context

_MOST_FILES = 25  # of a page
_MOST_CHANGES = 30  # of a file
_MOST_BYTES = 200_000  # of the values of a page


@dataclass(frozen=True, slots=True)
class File:
    """A file that differs: what it holds, the first fields that differ, and how many more there are.

    `note` says why the fields are not known. `changed` is the commit that changed it last, as far as there is one.
    """

    kind: str
    name: str | None
    path: str
    action: str
    differences: Sequence[Difference]
    more: int
    note: str | None
    changed: Commit | None


@dataclass(frozen=True, slots=True)
class Whole:
    """A page of the files that differ: how many were created, updated and deleted in all, and where it goes on."""

    counts: Mapping[str, int]
    files: Sequence[File]
    next: int | None


def read(place: Place, sides: Sides) -> Whole:
    """Return the files that differ, from the number `offset` on."""
    comparison, offset = _comparison(place, sides), sides.query["offset"]
    room, files = Room(_MOST_BYTES), []
    for compared in comparison.page(allowance.work(), offset=offset, limit=_MOST_FILES):
        file = _file(place, compared)
        if not room.fits([_size(each) for each in file.differences]):
            break
        files.append(file)
    end = offset + len(files)
    return Whole(comparison.counts, files, end if end < len(comparison) else None)


def as_text(place: Place, sides: Sides) -> str:
    """Return the comparison as git prints it; TooMuchToRead where that is too long."""
    most = context.services().settings.max_page
    wanted = log_filters.of_path(sides.query["path"])
    text = place.repository.comparisons.text(sides.left.snapshot, sides.right.snapshot, wanted, most)
    if text is None:
        raise TooMuchToRead("The text of this comparison, which a path can narrow,", most)
    return text


def _comparison(place: Place, sides: Sides) -> Comparison:
    wanted = log_filters.of_path(sides.query["path"])
    return Comparison(place.repository, sides.left.snapshot, sides.right.snapshot, wanted)


def _file(place: Place, compared: Compared) -> File:
    file, commit = compared.file, compared.commit
    kind, name = file_changes.thing(file.path)
    found = file.differences or ()
    return File(
        kind,
        name,
        file.path,
        file_changes.action(file.old, file.new),
        found[:_MOST_CHANGES],
        max(0, len(found) - _MOST_CHANGES),
        file.note,
        None if commit is None else Commit.of(commit, place.repository.signature(commit)),
    )


def _size(difference: Difference) -> list[object]:
    """Return what a page shows of the values, which it cuts where they are long."""
    values = [value for value in (difference.old, difference.new) if value is not MISSING]
    return [difference.field, *(shown("", value, full=False) for value in values)]
