"""Drift and rebase: what a target would be on today's template, and replacing the target with that."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from app.domain.budgets import Work
from app.domain.differences import Difference, compare
from app.domain.errors import Conflict, NotFound, PreconditionFailed
from app.domain.preconditions import Precondition
from app.domain.resolution import in_order, resolve
from app.registry.configs import own_template, question_templates, references, target_files, target_messages
from app.registry.configs.drafts import Draft
from app.registry.configs.question_templates import FileVersions
from app.registry.configs.target_files import FOLDER, Target
from app.registry.configs.template_owners import FileChanges
from app.registry.documents import Editable, Source
from app.registry.messages import Origin
from storage.errors import RepositoryDamaged
from storage.ids import CommitId
from storage.repository import Repository
from storage.transaction import Transaction

_MOST_READ = 16 * 1024 * 1024  # bytes of targets that one rebase parses, and no more than it may write


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


@dataclass(frozen=True, slots=True)
class Rebased:
    """The targets that a rebase changed, parents first, and the id of the one commit that they share."""

    changed: list[Drift]
    warnings: list[str]
    commit: CommitId

    @property
    def outcome(self) -> str:
        """A hash of what the targets become: a dry run has it in common with a rebase that does the same."""
        written = [found.rebased or found.target for found in self.changed]
        return hashlib.sha256(repr([(target.name, target.version) for target in written]).encode()).hexdigest()


def drift(source: Source, name: str, depth: int = 0, work: Work | None = None) -> Drift:
    """Return what a target would be on today's template; NotFound if there is no such target.

    TooMuchToRead where `work` is given, and the target was its own template so often that it is too much.
    """
    target = target_files.expect(source, name, work)
    template, recorded, versions = own_template.basis(source, target, work)
    try:
        base, version = target_files.read_template(source, template)
    except NotFound:
        return Drift(target, template, None, depth)
    if version == recorded:
        return Drift(target, template, target, depth)
    overrides = own_template.own_overrides(base, versions)
    files: FileVersions = {}
    for own in versions:
        files = {**files, **own.files}
    used = question_templates.named(overrides)
    rebased = replace(
        target,
        template=template,
        template_version=version,
        overrides=in_order(overrides),
        files={path: files[path] for path in sorted(files) if path in used},
        config=in_order(resolve(base, overrides)),
    )
    return Drift(target, template, rebased, depth)


def descendants(source: Source, name: str, *, skips_damaged: bool = False) -> list[tuple[str, int]]:
    """Return the targets that were made from a target, parents first, each with its depth: 1 if made from it."""
    return below(children(source, skips_damaged=skips_damaged), name)


def below(made_from: Mapping[str, Sequence[str]], name: str) -> list[tuple[str, int]]:
    """Return all that was made from a template, as `descendants` does; `made_from` are the `children` of each."""
    found: list[tuple[str, int]] = []
    level, depth, seen = [name], 0, {name}
    while level:
        depth += 1
        level = [child for parent in level for child in made_from.get(parent, ()) if child not in seen]
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
    outcome: str | None = None,
) -> Rebased:
    """Resolve a target again on today's template, and then all that was made from it, if asked to.

    A dry run works on a draft of the tip: it takes no lock and writes nothing. With its `outcome`, nothing is
    written where it would be another by now. Raise NotFound, Conflict where the template is gone or another document
    names one of the files and its content differs, or PreconditionFailed.
    """
    if dry_run:
        tip = repository.head()
        draft = Draft(tip, repository.limits)
        changed, warnings = _rebase_in(draft, name, precondition, with_descendants=with_descendants)
        return Rebased(changed, warnings, tip.commit)

    def change(transaction: Transaction) -> Rebased:
        changed, warnings = _rebase_in(transaction, name, precondition, with_descendants=with_descendants)
        found = Rebased(changed, warnings, transaction.tip)
        if outcome not in (None, found.outcome):
            raise PreconditionFailed(name, transaction.version(FOLDER.path(name)))
        return (
            replace(found, commit=FOLDER.commit(transaction, origin, _message(origin, changed))) if changed else found
        )

    return repository.transact(change)


def _rebase_in(
    source: Editable, name: str, precondition: Precondition, *, with_descendants: bool
) -> tuple[list[Drift], list[str]]:
    """Write the targets that differ on today's templates; return them, parents first, and the warnings.

    TooMuchToRead where the targets come to too much: other writers of the repo wait meanwhile.
    """
    work = Work(min(_MOST_READ, source.budget.left_in_all))
    first = drift(source, name, work=work)
    precondition.check(name, first.target.version)
    changes = FileChanges(source)
    written = [_write(source, changes, first)]
    if with_descendants:
        below = descendants(source, name)
        written += [_write(source, changes, drift(source, child, depth, work)) for child, depth in below]
    changed = [found for found in written if not found.is_current]
    after = [found.rebased or found.target for found in changed]
    warnings = changes.settle() + references.dangling_of_all(source, [(target.name, target.config) for target in after])
    return changed, warnings


def children(source: Source, *, skips_damaged: bool = False) -> Mapping[str, list[str]]:
    """Return the names of the targets that are resolved on each template; a damaged one is skipped, or raised."""
    found, skipped = defaultdict(list), (RepositoryDamaged,) if skips_damaged else ()
    for name, version in FOLDER.versions(source).items():
        with suppress(*skipped):
            found[own_template.template(source, name, version).name].append(name)
    return found


def _write(source: Editable, changes: FileChanges, found: Drift) -> Drift:
    if found.rebased is None:
        raise Conflict(
            found.template,
            f"Template '{found.template}' of target '{found.target.name}' is gone. Revert the template, "
            "or PUT the target with another one.",
        )
    if found.is_current:
        return found
    files = {path: source.blob(version) for path, version in found.rebased.files.items()}
    changes.replace(found.target.name, found.target.named_files(), found.rebased.named_files(), files)
    return replace(found, rebased=target_files.write(source, found.rebased))


def _message(origin: Origin, changed: list[Drift]) -> str:
    summaries = [target_messages.rebased(found.target, found.rebased or found.target) for found in changed]
    return target_messages.of_rebase(origin, summaries)
