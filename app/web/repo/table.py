"""The targets of a repo as a table: a page of it, or all of it as a CSV file."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import url_for

from app.domain import ordering
from app.domain.differences import MISSING
from app.domain.errors import TooMuchToRead
from app.domain.field_paths import FieldPath
from app.domain.names import DEFAULT_TEMPLATE
from app.domain.ordering import Order
from app.registry.configs import target_csv, target_tables
from app.registry.configs.target_columns import Column
from app.registry.configs.target_csv import TargetCsv
from app.registry.configs.target_lists import position, within
from app.registry.configs.target_rows import Lines, Row, Rows
from app.web.admission import Place
from app.web.parts.numbered import Numbered
from app.web.repo.filters import Query
from app.wire import allowance
from storage.ids import CommitId

PAGE = 100  # targets
_LONGEST = 80  # characters of a value in a cell
_NAME = "~"  # stands for a name in an address: to make 200 addresses with `url_for` takes as long as all the rest
_PIECE = 500  # lines of a CSV file that are sent together
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column: its title, the address that sorts by it, and how the table is sorted by it now."""

    title: str
    address: str
    sorted: str | None  # `ascending`, `descending`, or None


@dataclass(frozen=True, slots=True)
class Line:
    """A target in the table: its template, and a text for each column. All empty for what is no file or is damaged.

    `address` is the target's page, `template_address` that of its template; empty where the template is gone.
    """

    name: str
    address: str
    template: str
    template_address: str
    cells: Sequence[str]
    is_damaged: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A page of the table, and the names on it.

    `last` is the last target that was looked at, where there were too many. `is_of_none` where the repo has no target.
    """

    heads: Sequence[Head]
    lines: Sequence[Line]
    numbered: Numbered[str]
    last: str | None
    is_of_none: bool


def read(place: Place, query: Query) -> Table:
    """Return the page of the table that an address asks for; the last one where there are fewer pages."""
    all_rows = Rows(place.repository, place.snapshot, skips_damaged=True)
    chosen = target_tables.choose(all_rows, query.wanted, allowance.work(), have_rows=False)
    numbered = Numbered.of(chosen.names, query.page, PAGE)
    rows = dict(all_rows.read(numbered.shown))
    lines = _Lines(place, query)
    shown = [lines.of(name, rows.get(name)) for name in numbered.shown]
    return Table(_heads(query), shown, numbered, chosen.last, not all_rows.names)


def as_csv(place: Place, query: Query) -> Iterator[bytes]:
    """Yield the whole table as a CSV file; TooMuchToRead where one answer may not read all of it."""
    rows, work = Rows(place.repository, place.snapshot), allowance.work()
    chosen = target_tables.choose(rows, query.wanted, work, have_rows=True)
    if chosen.last is not None:
        raise TooMuchToRead("The table", work.most)
    commits = target_tables.last_changes(place.repository, place.snapshot, chosen.names)
    columns = [Column(path, full=True) for path in query.columns]
    return _csv_lines(rows, chosen.names, TargetCsv(["template"], columns, has_commits=True), commits)


def _csv_lines(rows: Rows, names: Sequence[str], table: TargetCsv, commits: Mapping[str, CommitId]) -> Iterator[bytes]:
    told: dict[CommitId | None, bytes] = {None: b""}
    waiting = [table.head()]
    for name, row in rows.read(names):
        commit = commits.get(name)
        if commit is not None and commit not in told:
            told[commit] = target_csv.commit_cells(commit, rows.repository.signature(commit))
        waiting.append(table.with_commit(table.cells(name, row), commit, told[commit]))
        if len(waiting) == _PIECE:
            yield b"\r\n".join([*waiting, b""])
            waiting = []
    yield b"\r\n".join([*waiting, b""])


class _Lines:
    """The lines of one page, and the addresses that they lead to."""

    def __init__(self, place: Place, query: Query) -> None:
        self._place = place
        self._columns = [_Texts(path) for path in query.columns]
        names: dict[str, Any] = {"owner": place.owner, "repo_name": place.repo_name, "ref": place.ref}
        self._default = url_for("web.target.show_default", **names)
        self._before, self._after = url_for("web.target.show", target_name=_NAME, **names).rsplit(f"/{_NAME}", 1)

    def of(self, name: str, row: Row | None) -> Line:
        """Return the line of a target."""
        if row is None:
            is_damaged = self._place.has("target", name)
            return Line(name, self._address(name), "", "", [""] * len(self._columns), is_damaged)
        cells = [each.of(row) for each in self._columns]
        return Line(name, self._address(name), row.template, self._template_address(row.template), cells)

    def _template_address(self, name: str) -> str:
        if name == DEFAULT_TEMPLATE:
            return self._default
        return self._address(name) if self._place.has("target", name) else ""

    def _address(self, name: str) -> str:
        return f"{self._before}/{quote(name, safe='')}{self._after}"


class _Texts:
    """One field of all targets, as texts for cells. The same lines are shown once."""

    def __init__(self, path: FieldPath) -> None:
        self._path = path
        self._at = position(path)
        self._known: dict[Lines | None, str] = {}

    def of(self, row: Row) -> str:
        """Return the text for a row; an empty one where there is no value."""
        lines = row.lines[self._at]
        if lines not in self._known:
            self._known[lines] = text_of(within(lines, self._path))
        return self._known[lines]


def text_of(value: Any) -> str:
    """Return a value as one short text: texts as they are, all else as JSON, long ones cut."""
    text = "" if value is MISSING else value if isinstance(value, str) else _encode(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _heads(query: Query) -> list[Head]:
    columns = [
        (ordering.NAME, "Name"),
        (ordering.TEMPLATE, "Template"),
        *((path.text, path.text) for path in query.columns),
        (ordering.CHANGED, "Last change"),
    ]
    return [_head(query, column, title) for column, title in columns]


def _head(query: Query, column: str, title: str) -> Head:
    """Return a head that sorts by its column, and turns the order round where it is sorted by it."""
    order = query.wanted.order
    is_here = order.column == column
    is_descending = not order.is_descending if is_here else column == ordering.CHANGED  # the newest first
    wanted = Order(column, None, is_descending).text
    address = query.address("web.repo.show", sort=None if wanted == ordering.NAME else wanted)
    return Head(title, address, None if not is_here else "descending" if order.is_descending else "ascending")
