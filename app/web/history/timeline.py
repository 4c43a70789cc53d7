"""The log of a repo or the history of a thing, a page at a time: commits, and what each changed, in short."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from app.domain.budgets import Room
from app.domain.differences import MISSING, Difference
from app.registry import field_changes
from app.registry.audit import file_changes, history
from app.registry.audit.file_changes import ChangedFile
from app.registry.audit.history import Entry
from app.registry.configs.things import Thing
from app.web.admission import Place
from app.web.parts.commits import Commit
from app.wire import allowance, logs
from storage.ids import CommitId

_MOST_BYTES = 80_000  # of all lines of a page
_MOST_FILES = 20  # of a commit
_MOST_CHANGES = 6  # of a file
_LONGEST_VALUE = 160  # characters
_ID = re.compile(r"[0-9a-f]{40}")
_SHORT = 10  # digits
# Fields that repeat what others tell: a template's version changes with its values, and files have lines of their own.
_QUIET = ("/template_version", "/files/")


@dataclass(frozen=True, slots=True)
class ChangedField:
    """A field that changed, with its values on one line; None where there is or was none."""

    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Touched:
    """What a commit did to a file: `kind` and `name` of what the file holds, and the first fields that changed.

    `more` is how many further fields changed. `note` says why the fields are not known.
    """

    kind: str
    name: str | None
    path: str
    action: str
    changes: Sequence[ChangedField]
    more: int
    note: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """A commit of the timeline, and the first files that it changed.

    `parent` is the commit before it, where there is more to see than the line has room for.
    """

    commit: Commit
    files: Sequence[Touched]
    more_files: int
    parent: CommitId | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of a timeline. `next` is the commit before which the next page begins."""

    lines: Sequence[Line]
    next: CommitId | None


def of_repo(place: Place, query: dict[str, Any]) -> Timeline:
    """Return the commits of a repo that pass the filters of a query."""
    return _read(place, logs.of_repo(place.repository, place.snapshot, query, allowance.work()))


def of_thing(place: Place, thing: Thing, query: dict[str, Any]) -> Timeline:
    """Return the commits that changed a thing; NotFound if there never was one."""
    before = logs.before(place.repository, query)
    work, limit = allowance.work(), query["limit"]
    entries = history.of_thing(place.repository, place.snapshot, thing, work, before=before, limit=limit)
    return _read(place, entries)


def _read(place: Place, entries: Iterable[Entry | CommitId | None]) -> Timeline:
    room = Room(_MOST_BYTES)
    return Timeline(*logs.fitting(entries, partial(_line, place), lambda line: room.fits(asdict(line))))


def _line(place: Place, entry: Entry) -> Line:
    files = [_touched(file) for file in entry.files[:_MOST_FILES]]
    more = entry.more_files + len(entry.files) - len(files)
    is_whole = not more and not any(file.more for file in files)
    parent = None if is_whole else place.repository.at(entry.commit).parent
    return Line(Commit.of(entry.commit, entry.signature), files, more, parent)


def _touched(file: ChangedFile) -> Touched:
    kind, name = file_changes.thing(file.path)
    found = file.differences or ()
    told = [each for each in found if not each.field.startswith(_QUIET)] or found
    changes = [_changed(each) for each in told[:_MOST_CHANGES]]
    action = file_changes.action(file.old, file.new)
    return Touched(kind, name, file.path, action, changes, len(told) - len(changes), file.note)


def _changed(difference: Difference) -> ChangedField:
    """Return a changed field; of long values what is around the first place where they differ."""
    old, new = (None if value is MISSING else _text(value) for value in (difference.old, difference.new))
    before, after = field_changes.cut(old or "", new or "", _LONGEST_VALUE)
    return ChangedField(difference.field, None if old is None else before, None if new is None else after)


def _text(value: Any) -> str:
    """Return a value on one line, and of an id the first digits."""
    if isinstance(value, str) and _ID.fullmatch(value):
        return value[:_SHORT]
    return field_changes.printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
