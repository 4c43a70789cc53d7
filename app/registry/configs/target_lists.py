"""Which targets a list shows: by a part of the name, by template, by conditions on the config."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

from app.domain.budgets import Work
from app.domain.conditions import Condition
from app.domain.differences import MISSING
from app.domain.field_paths import FieldPath, lookup
from app.domain.resolution import CONFIG_FIELDS
from app.registry.configs import rebase
from app.registry.configs.target_rows import Lines, Row, Rows, value_of

_LEAST_READ = 128  # bytes that a small target counts as: most of its lines were parsed for another one


@dataclass(frozen=True, slots=True)
class NameFilter:
    """What a list may ask of the name and the templates of a target. All that is given must hold."""

    part: str | None = None  # of the name, in upper or lower case
    template: str | None = None  # what the target is resolved on
    ancestor: str | None = None  # the same, directly or through other targets

    def choose(self, rows: Rows, work: Work, *, have_rows: bool) -> Sequence[str]:
        """Return the names of the targets that pass, sorted; only files where they must `have_rows`.

        A template need not be there any more. TooMuchToRead where many files by hand must be parsed.
        """
        names: Sequence[str] = rows.files if have_rows else rows.names
        if self.template is not None or self.ancestor is not None:
            templates = {name: found.name for name, found in rows.templates(work).items()}
            if self.template is not None:
                names = [name for name in names if templates.get(name) == self.template]
            if self.ancestor is not None:
                below = _below(templates, self.ancestor)
                names = [name for name in names if name in below]
        if self.part is not None:
            part = self.part.lower()
            names = [name for name in names if part in name.lower()]
        return names


class Matcher:
    """Conditions that a row must pass. Each is tried once on the same lines of a field."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self._tried: list[tuple[Condition, int, dict[Lines | None, bool]]] = [
            (condition, position(condition.path), {}) for condition in conditions
        ]

    def accepts(self, row: Row) -> bool:
        """Tell whether a row passes all conditions."""
        for condition, at, known in self._tried:
            lines = row.lines[at]
            holds = known.get(lines)
            if holds is None:
                holds = known[lines] = condition.holds(within(lines, condition.path))
            if not holds:
                return False
        return True


def examine(
    rows: Rows, names: Sequence[str], matcher: Matcher, work: Work, *, have_rows: bool
) -> Iterator[tuple[str, Row | None, bool]]:
    """Yield the name of each target, its row where they must `have_rows`, and whether it passes the conditions.

    What is no file is passed over. `work` counts for these targets alone. Where it is spent they end, after one at
    least.
    """
    for number, (name, row) in enumerate(rows.read(names) if have_rows else zip(names, repeat(None))):
        if row is not None:
            size = max(row.size // 2, _LEAST_READ)
            if not work.spend(size if number else min(size, work.most)):
                return
        yield name, row, row is None or matcher.accepts(row)


def _below(templates: Mapping[str, str], ancestor: str) -> set[str]:
    """Return the names of all targets below one, given the template of each target."""
    children = defaultdict(list)
    for name, template in templates.items():
        children[template].append(name)
    return {name for name, _ in rebase.below(children, ancestor)}


def position(path: FieldPath) -> int:
    """Return which of the lines of a row have the field that a path begins with."""
    return CONFIG_FIELDS.index(path.keys[0])


def within(lines: Lines | None, path: FieldPath) -> object:
    """Return the value at a path, given the lines of the field that the path begins with; MISSING if there is none."""
    return MISSING if lines is None else lookup(value_of(lines), path.keys[1:])
