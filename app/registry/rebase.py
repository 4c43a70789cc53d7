"""Drift and rebase: what a target would be on today's template, and replacing the target with that."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from app.domain.budgets import Work
from app.domain.canonical_yaml import load
from app.domain.differences import Difference, compare
from app.domain.errors import Conflict, NotFound
from app.domain.preconditions import Precondition
from app.domain.resolution import Config, combine, in_order, resolve
from app.registry import messages, target_files
from app.registry.documents import Editable, Source
from app.registry.drafts import Draft
from app.registry.messages import Origin
from app.registry.question_templates import FileVersions
from app.registry.target_files import FOLDER, Target
from storage.caches import Cache
from storage.ids import BlobId, CommitId
from storage.repository import Repository
from storage.snapshot import File
from storage.transaction import Transaction

_TEMPLATE, _TEMPLATE_VERSION = b"template: ", b"template_version: "
_LONGEST_LINE = 200  # bytes; a longer first line was written by hand
# By target and version, which determine the template.
_templates: Cache[tuple[str, BlobId], str] = Cache(8 * 1024 * 1024)


@dataclass(frozen=True, slots=True)
class Drift:
    """A target, and what it would be on today's template: `rebased`, or None where the template is gone.

    A target may be its own template, since a PUT can change it on top of what it was. `template` is then
    the template that it was first made from. `depth` is 1 for targets that were made from the one asked
    about, 2 for targets that were made from those, and so on.
    """

    target: Target
    template: str
    rebased: Target | None
    depth: int = 0

    @property
    def is_current(self) -> bool:
        """Tell whether the template is still at the recorded version."""
        return self.rebased is self.target

    @property
    def differences(self) -> list[Difference]:
        """Return how the config would change."""
        return [] if self.rebased is None else compare(self.target.config, self.rebased.config)


def drift(source: Source, name: str, depth: int = 0, work: Work | None = None) -> Drift:
    """Return what a target would be on today's template; NotFound if there is no such target.

    TooMuchToRead where `work` is given, and the target was its own template so often that it is too much.
    """
    target = target_files.expect(source, name, work)
    template, recorded, versions = _basis(source, target, work)
    try:
        base, version = target_files.read_template(source, template)
    except NotFound:
        return Drift(target, template, None, depth)
    if version == recorded:
        return Drift(target, template, target, depth)
    overrides: Config = {}
    files: FileVersions = {}
    for own in versions:
        overrides = combine(base, overrides, own.overrides)
        files = {**files, **own.files}
    used = {generator.get("template_path") for generator in overrides.get("generators") or ()}
    rebased = replace(
        target,
        template=template,
        template_version=version,
        overrides=in_order(overrides),
        files={path: files[path] for path in sorted(files) if path in used},
        config=in_order(resolve(base, overrides)),
    )
    return Drift(target, template, rebased, depth)


def descendants(source: Source, name: str) -> list[tuple[str, int]]:
    """Return the targets that were made from a target, parents first, each with its depth: 1 if made from it."""
    target_files.expect(source, name)
    children = _children(source)
    found: list[tuple[str, int]] = []
    level, depth, seen = [name], 0, {name}
    while level:
        depth += 1
        level = [child for parent in level for child in children[parent] if child not in seen]
        seen.update(level)
        found += [(child, depth) for child in level]
    return found


def rebase(
    repository: Repository,
    origin: Origin,
    name: str,
    precondition: Precondition,
    *,
    with_descendants: bool,
    dry_run: bool,
) -> tuple[list[Drift], CommitId]:
    """Resolve a target again on today's template, and then all that was made from it, if asked to.

    Return those that changed, parents first, and the id of the one commit that they share. A dry run
    works on a draft of the tip: it takes no lock and writes nothing. Raise NotFound, Conflict where
    the template is gone, or PreconditionFailed.
    """
    if dry_run:
        tip = repository.head()
        return _rebase_in(Draft(tip), name, precondition, with_descendants=with_descendants), tip.commit

    def change(transaction: Transaction) -> tuple[list[Drift], CommitId]:
        changed = _rebase_in(transaction, name, precondition, with_descendants=with_descendants)
        if not changed:
            return [], transaction.tip
        return changed, FOLDER.commit(transaction, origin, _message(origin, changed))

    return repository.transact(change)


def _rebase_in(source: Editable, name: str, precondition: Precondition, *, with_descendants: bool) -> list[Drift]:
    """Write the targets that differ on today's templates, and return them, parents first."""
    first = drift(source, name)
    precondition.check(name, first.target.version)
    changed = [_write(source, first)]
    if with_descendants:
        changed += [_write(source, drift(source, child, depth)) for child, depth in descendants(source, name)]
    return [found for found in changed if not found.is_current]


def _basis(source: Source, target: Target, work: Work | None) -> tuple[str, BlobId, list[Target]]:
    """Return the template that a target is resolved on, and its recorded version; and the target's versions.

    There are several versions, oldest first, where the target was its own template.
    """
    versions = [target]
    while target.template == versions[-1].name:
        target = target_files.read_version(source, target.name, target.template_version, work)
        versions.append(target)
    return target.template, target.template_version, versions[::-1]


def _children(source: Source) -> dict[str, list[str]]:
    """Return the names of the targets that are resolved on each template."""
    children = defaultdict(list)
    for name in FOLDER.names(source):
        file = source.read(FOLDER.path(name))
        if file is not None:
            children[_template_of(source, name, file)].append(name)
    return children


def _template_of(source: Source, name: str, file: File) -> str:
    """Return the template that a target is resolved on: the first that is not the target itself."""
    known = _templates.get((name, file.id))
    template = known or name
    passed = [file.id]
    while template == name:
        template, version = _read_head(source, name, file)
        if template == name:
            file = File(version, source.blob(version))
            passed.append(version)
            template = _templates.get((name, version)) or name
    if known is None:
        for version in passed:
            _templates.put((name, version), template, len(name) + len(template))
    return template


def _read_head(source: Source, name: str, file: File) -> tuple[str, BlobId]:
    """Return the template that a target names, and its version. The first two lines have them, which is quick."""
    head = file.data[: 2 * _LONGEST_LINE].split(b"\n", 2)
    if len(head) > 2 and head[0].startswith(_TEMPLATE) and head[1].startswith(_TEMPLATE_VERSION):
        return str(_parse_line(head[0])["template"]), BlobId(str(load(head[1])["template_version"]))
    target = target_files.read_version(source, name, file.id)
    return target.template, target.template_version


@lru_cache(maxsize=16384)
def _parse_line(line: bytes) -> Mapping[str, Any]:
    return load(line)


def _write(source: Editable, found: Drift) -> Drift:
    if found.rebased is None:
        raise Conflict(
            found.template,
            f"Template '{found.template}' of target '{found.target.name}' is gone. Revert the template, "
            "or PUT the target with another one.",
        )
    if found.is_current:
        return found
    return replace(found, rebased=target_files.write(source, found.rebased))


def _message(origin: Origin, changed: list[Drift]) -> str:
    lines, trailers = [], {}
    for found in changed:
        after = found.rebased or found.target
        fields = messages.changed_fields(found.target.content(), after.content())
        if len(changed) == 1:
            lines = fields
            trailers = {"Template": f"{after.template} {after.template_version}"}
        else:
            names = ", ".join(field.partition(":")[0] for field in fields) or "nothing changed"
            lines.append(f"Rebase target {after.name} on {after.template}: {names}")
    others = len(changed) - 1
    subject = f"Rebase target {changed[0].target.name}"
    return messages.message(origin, f"{subject} and {others} more" if others else subject, lines, trailers)
