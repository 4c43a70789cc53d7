"""Targets as a table: which of them it has, in the order of a column."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.domain import ordering
from app.domain.budgets import Work
from app.domain.conditions import Condition
from app.domain.ordering import Key, Order
from app.registry.configs import target_lists
from app.registry.configs.target_files import FOLDER
from app.registry.configs.target_lists import Matcher, NameFilter, position, within
from app.registry.configs.target_rows import Lines, Row, Rows
from storage.ids import CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which targets a table has: those that pass the filters, of those whose names come after `after`."""

    names: NameFilter
    conditions: Sequence[Condition] = ()
    order: Order = Order()  # noqa: RUF009 — it never changes
    after: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The names of a table's targets, in its order.

    Where there were too many targets to look at, `last` is the name of the last one that was looked at.
    """

    names: Sequence[str]
    last: str | None


def choose(rows: Rows, wanted: Wanted, work: Work, *, have_rows: bool) -> Chosen:
    """Return the targets of a table; with `have_rows`, those alone whose rows may be read with the same `work`.

    TooMuchToRead where many files by hand must be parsed for their templates.
    """
    path = wanted.order.path
    have_rows = have_rows or path is not None or bool(wanted.conditions)
    names = wanted.names.choose(rows, Work(work.most), have_rows=have_rows)
    names = names[bisect_right(names, wanted.after) :]
    if not have_rows:
        return Chosen(_in_order(rows, names, wanted.order, work), None)
    found: list[tuple[str, Row]] = []
    last = ""
    examined = target_lists.examine(rows, names, Matcher(wanted.conditions), work, have_rows=True)
    for name, row, is_wanted in examined:
        if is_wanted and row is not None:
            found.append((name, row))
        last = name
    passing = [name for name, _ in found] if path is None else _by_value(found, wanted.order)
    ordered = _in_order(rows, passing, wanted.order, work)
    return Chosen(ordered, last if work.is_spent else None)


def last_changes(repository: Repository, snapshot: Snapshot, names: Sequence[str]) -> dict[str, CommitId]:
    """Return the last commit that changed each target, by name.

    What somebody put in the place of a target's file, such as a folder, has none.
    """
    paths = {name: FOLDER.path(name) for name in names}
    found = repository.last_changes(list(paths.values()), snapshot.commit)
    return {name: found[path] for name, path in paths.items() if path in found}


def _in_order(rows: Rows, names: Sequence[str], order: Order, work: Work) -> Sequence[str]:
    """Return names in the order of a column that is no field; as they are where it is one."""
    if order.column == ordering.NAME:
        return names[::-1] if order.is_descending else names
    if order.column == ordering.TEMPLATE:
        templates = rows.templates(Work(work.most))
        keys = [(templates.get(name), name) for name in names]
        return _sorted(((None if template is None else (0, template, ""), name) for template, name in keys), order)
    if order.column == ordering.CHANGED:
        positions = rows.repository.last_positions([FOLDER.path(name) for name in names], rows.snapshot.commit)
        at = {name: positions.get(FOLDER.path(name)) for name in names}
        return _sorted(((None if place is None else (0, place, ""), name) for name, place in at.items()), order)
    return names


def _by_value(found: Iterable[tuple[str, Row]], order: Order) -> list[str]:
    """Return names in the order of a field. Each value that rows share is looked at once."""
    assert order.path is not None
    at, keys = position(order.path), dict[Lines | None, Key | None]()
    keyed: list[tuple[Key | None, str]] = []
    for name, row in found:
        lines = row.lines[at]
        if lines not in keys:
            keys[lines] = ordering.key(within(lines, order.path))
        keyed.append((keys[lines], name))
    return _sorted(keyed, order)


def _sorted(keyed: Iterable[tuple[Key | None, str]], order: Order) -> list[str]:
    """Return names by their keys, equal ones as they come; those without a key come last."""
    having: list[tuple[Key, str]] = []
    lacking: list[str] = []
    for key, name in keyed:
        if key is None:
            lacking.append(name)
        else:
            having.append((key, name))
    having.sort(key=lambda pair: pair[0], reverse=order.is_descending)
    return [*(name for _, name in having), *lacking]
