"""What saving a draft would do: what each override changes, what the target would get, and who else is affected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from app.domain.differences import MISSING, Difference, compare, is_same
from app.domain.resolution import Config
from app.registry import labels
from app.registry.audit import uses
from app.registry.configs import usage
from app.registry.configs.target_files import FOLDER
from app.web.admission import Place
from app.web.edit.form_draft import Document

_MOST = 200  # rows of a table


@dataclass(frozen=True, slots=True)
class Row:
    """A place of a config, its value before and after, and whether there is one."""

    field: str
    before: Any
    after: Any
    was_there: bool
    is_there: bool

    @classmethod
    def of(cls, found: Difference) -> "Row":
        """Return a difference as a page shows it."""
        before, after = (None if value is MISSING else value for value in (found.old, found.new))
        place = found.field[1:].replace("/", ".")
        return cls(place, before, after, found.old is not MISSING, found.new is not MISSING)


@dataclass(frozen=True, slots=True)
class Preview:
    """What saving would do.

    `overrides` are the values that differ from the template's, `idle` the overrides that are as the template has them.
    `changes` are the values that differ from the target as it is now, None for a new one. Of both the first are shown,
    and `more` of each are not. `warnings` are by field.
    """

    template: str
    config: Mapping[str, Any]
    overrides: Sequence[Row]
    more_overrides: int
    idle: Sequence[str]
    changes: Sequence[Row] | None
    more_changes: int
    warnings: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Affected:
    """Who else has to do with a target: those made from it, and labels, each with whether it shows this version."""

    children: Sequence[tuple[str, int]]
    count: int
    labels: Sequence[tuple[str, bool]]


def of(document: Document, config: Config, told: Sequence[str], base: Config, now: Config | None) -> Preview:
    """Return the preview of a document that leads to a config, with the warnings that are told about it.

    `base` is the template's config, `now` the one of the target as it is.
    """
    template = document["template"]
    own, changed = compare(base, config), [] if now is None else compare(now, config)
    warnings: dict[str, list[str]] = {}
    for warning in told:
        place, _, rest = warning.partition(": ")
        keys = place.split(".")
        field = ".".join(keys[: 3 if keys[0] == "generators" else 1])
        warnings.setdefault(field, []).append(rest if field == place else warning)
    return Preview(
        template,
        config,
        [Row.of(each) for each in own[:_MOST]],
        max(0, len(own) - _MOST),
        [name for name in document["overrides"] if is_same(base.get(name, MISSING), config.get(name, MISSING))],
        None if now is None else [Row.of(each) for each in changed[:_MOST]],
        max(0, len(changed) - _MOST),
        warnings,
    )


def affected(place: Place, name: str) -> Affected:
    """Return who else has to do with a target. None of them changes with it."""
    found = usage.descendants(place.snapshot, name, skips_damaged=True)
    path = FOLDER.path(name)
    readable = [label for label in labels.get_all(place.snapshot).values() if label is not None]
    now = place.snapshot.version(path)
    held = [(each.name, each.version == now) for each in uses.holders(place.repository, path, readable)]
    return Affected(list(islice(found, _MOST)), len(found), held)
