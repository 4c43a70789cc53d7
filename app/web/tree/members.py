"""What the picture tells of each name: what it overrides, whether it drifted, which labels show it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from app.domain.budgets import Work
from app.domain.errors import NotFound, TooMuchToRead
from app.domain.names import DEFAULT_TEMPLATE
from app.domain.resolution import in_order
from app.registry import field_changes
from app.registry.configs import own_template, rebase, target_files
from app.registry.field_changes import FieldChange
from app.web.tree.graph import Family
from app.web.tree.live import Holder
from storage.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Member:
    """A name of a family. `kind` is `default`, `target`, or `gone` for a template that is not there any more.

    `template` is None for what was made from none. `state` is that of `usage.state`. `overrides` are the target's
    own, and `drift` is what a rebase would change; each None where the page has read enough already.
    """

    name: str
    kind: str
    template: str | None = None
    state: str = "current"
    in_ring: bool = False
    overrides: Mapping[str, Any] | None = None
    drift: Sequence[FieldChange] | None = None
    holders: Sequence[Holder] = ()


def read(
    snapshot: Snapshot,
    family: Family,
    states: Mapping[str, tuple[str, str]],
    names: Sequence[str],
    holders: Mapping[str, Sequence[Holder]],
    work: Work,
) -> Mapping[str, Member]:
    """Return what the page tells of some names. Only targets that drifted are resolved again."""
    targets = [name for name in names if name != DEFAULT_TEMPLATE and name not in family.gone]
    overrides = {name: _overrides(snapshot, name, work) for name in targets}
    drifts = {name: _drift(snapshot, name, work) for name in targets if states[name][1] == "drifted"}
    found = {name: Member(name, "default" if name == DEFAULT_TEMPLATE else "gone") for name in names}
    for name in targets:
        template, state = states[name]
        ring = name in family.rings
        of_name = holders.get(name, ())
        found[name] = Member(name, "target", template, state, ring, overrides[name], drifts.get(name), of_name)
    return found


def _overrides(snapshot: Snapshot, name: str, work: Work) -> Mapping[str, Any] | None:
    """Return what a target overrides on the template that it is resolved on, also by its earlier versions."""
    with suppress(TooMuchToRead, NotFound):  # a name by hand that is no UTF-8 is shown, but cannot be asked for
        target = target_files.expect(snapshot, name, work)
        template, recorded, versions = own_template.basis(snapshot, target, work)
        if len(versions) == 1:
            return target.overrides
        base = target_files.read_template_version(snapshot, template, recorded)
        return in_order(own_template.own_overrides(base, versions))
    return None


def _drift(snapshot: Snapshot, name: str, work: Work) -> Sequence[FieldChange] | None:
    with suppress(TooMuchToRead, NotFound):
        found = rebase.drift(snapshot, name, work=work)
        return [] if found.rebased is None else field_changes.find(found.target.config, found.rebased.config)
    return None
