"""Targets that are their own template, since a PUT can change a target on top of what it was."""

from collections.abc import Sequence
from contextlib import suppress

from app.domain.budgets import Work
from app.domain.differences import is_same
from app.domain.errors import TooMuchToRead
from app.domain.resolution import Config, combine
from app.registry.configs import mentions, target_files
from app.registry.configs.mentions import Template
from app.registry.configs.target_files import Target
from app.registry.documents import Source
from storage.caches import Cache
from storage.ids import BlobId

_LATEST = 100  # versions
_MOST = 4 * 1024 * 1024  # bytes of these versions
# By target and version, which determine the template.
_templates: Cache[tuple[str, BlobId], Template] = Cache(8 * 1024 * 1024)


def basis(source: Source, target: Target, work: Work | None = None) -> tuple[str, BlobId, Sequence[Target]]:
    """Return the template that a target is resolved on, and its recorded version; and the target's versions.

    There are several versions, oldest first, where the target was its own template. TooMuchToRead where `work` is
    given, and these are too much.
    """
    versions = [target]
    while target.template == versions[-1].name:
        target = target_files.read_version(source, target.name, target.template_version, work)
        versions.append(target)
    return target.template, target.template_version, versions[::-1]


def template(source: Source, name: str, version: BlobId, work: Work | None = None) -> Template:
    """Return the template that a version of a target is resolved on, and its recorded version.

    Only a file by hand is parsed for that. TooMuchToRead where `work` is given, and that is too much.
    """
    known = _templates.get((name, version))
    if known is not None:
        return known
    found = mentions.of_version(source, version).template
    while found is not None and found.name == name:
        found = mentions.of_version(source, found.version).template
    if found is None:  # somebody wrote the file by hand
        found = Template(*basis(source, target_files.read_version(source, name, version, work), work)[:2])
    _templates.put((name, version), found, 2 * len(name) + len(found.name) + len(found.version))
    return found


def own_overrides(base: Config, versions: Sequence[Target]) -> Config:
    """Return the overrides of all versions of a target as one patch on `base`, the template's config."""
    overrides: Config = {}
    for version in versions:
        overrides = combine(base, overrides, version.overrides)
    return overrides


def has_already(source: Source, target: Target, overrides: Config) -> bool:
    """Tell whether overrides on top of a target, which leave its config as it is, are among its own already.

    Else they hold on to a value that the target has from its template, and a rebase would keep that value. Only
    the latest versions of a target that was often its own template are asked, and not many bytes of them.
    """
    own: Config = {}
    work = Work(_MOST)
    with suppress(TooMuchToRead):
        for _ in range(_LATEST):
            below = target_files.read_template_version(source, target.template, target.template_version)
            own = combine(below, target.overrides, own)
            if is_same(combine(below, own, overrides), own):
                return True
            if target.template != target.name:
                return False
            target = target_files.read_version(source, target.name, target.template_version, work)
    return False
