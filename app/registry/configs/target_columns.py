"""The values of targets as a list shows them: as JSON, or as cells of a CSV file.

The same lines of a field are shown once for all targets, which mostly have the same lines.
"""

import json
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from app.domain.csv_text import cell
from app.domain.cutting import shown
from app.domain.differences import MISSING
from app.domain.field_paths import FieldPath
from app.registry.configs.target_lists import position, within
from app.registry.configs.target_rows import Lines, Row

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class _Shown(NamedTuple):
    """A value as a member of a JSON object, and the same where it is cut; each empty where the other is not."""

    whole: bytes
    cut: bytes


_NOTHING = _Shown(b"", b"")


class Column:
    """One field of all targets."""

    def __init__(self, path: FieldPath, *, full: bool) -> None:
        self.name = path.text
        self._path = path
        self.at = position(path)
        self._full = full
        self._members: dict[Lines | None, _Shown] = {None: _NOTHING}
        self._cells: dict[Lines | None, str] = {None: ""}

    def member(self, row: Row) -> _Shown:
        """Return the value of a row as JSON, under the name of the column."""
        lines = row.lines[self.at]
        found = self._members.get(lines)
        if found is None:
            found = self._members[lines] = self._member(within(lines, self._path))
        return found

    def cell(self, row: Row) -> str:
        """Return the value of a row as a cell of a CSV file; the cell is empty where there is none."""
        lines = row.lines[self.at]
        found = self._cells.get(lines)
        if found is None:
            value = within(lines, self._path)
            found = self._cells[lines] = "" if value is MISSING else cell(value)
        return found

    def _member(self, value: Any) -> _Shown:
        if value is MISSING:
            return _NOTHING
        [(name, found)] = shown("value", value, full=self._full).items()
        text = f"{_encode(self.name)}:{_encode(found)}".encode()
        return _Shown(text, b"") if name == "value" else _Shown(b"", text)


class Group:
    """Some columns as one object under a name, and under `{name}_cut` the values that are cut."""

    def __init__(self, name: str, columns: Sequence[Column]) -> None:
        self._name = name.encode()
        self._columns = columns
        self._lines = itemgetter(*{column.at for column in columns})
        self._members: dict[Any, bytes] = {}

    def members(self, row: Row) -> bytes:
        """Return both objects of a row, as members of a JSON object."""
        lines = self._lines(row.lines)
        found = self._members.get(lines)
        if found is None:
            found = self._members[lines] = self._join([column.member(row) for column in self._columns])
        return found

    def _join(self, values: Sequence[_Shown]) -> bytes:
        whole = b",".join([value.whole for value in values if value.whole])
        cut = b",".join([value.cut for value in values if value.cut])
        members = b'"%b":{%b}' % (self._name, whole)
        return b'%b,"%b_cut":{%b}' % (members, self._name, cut) if cut else members
