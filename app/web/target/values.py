"""The config of a target as a table: each value with its origin, its commit, and the values that it beat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.registry.audit import lineage
from app.registry.audit.layers import Layer
from app.registry.audit.lineage import Field, Next, Page
from app.registry.configs.target_files import Target
from app.web.admission import Place
from app.web.parts import commits
from app.web.parts.commits import Commit
from app.wire import allowance
from storage.ids import CommitId

_MOST = 200  # fields of a page


@dataclass(frozen=True, slots=True)
class Values:
    """What a target's page shows of its config.

    `layers` go from the target's own overrides down to the default, each with the commit that wrote it. `next` is
    where the table goes on, if one page has no room for all.
    """

    target: Target
    layers: Sequence[tuple[Layer, CommitId | None]]
    fields: Sequence[Field]
    removed: Sequence[Field]
    commits: Mapping[CommitId, Commit]
    next: Next | None


def read(place: Place, target: Target, offset: int) -> Values:
    """Return the values of a target, from the field number `offset` on."""
    page = Page(allowance.room(), allowance.work(), offset, most=_MOST)
    found = lineage.explain(place.repository, place.snapshot, target, page)
    named = [*(commit for _, commit in found.layers), *(field.commit for field in (*found.fields, *found.removed))]
    return Values(target, found.layers, found.fields, found.removed, commits.read(place.repository, named), found.next)


def last_change(place: Place, path: str) -> Commit | None:
    """Return the last commit that changed a file; None for one that no commit has."""
    versions = place.repository.versions(path, place.snapshot.commit)  # git finds the commits of one file by filters
    return Commit.of(versions[0].commit, place.repository.signature(versions[0].commit)) if versions else None
