"""Targets that are their own template, since a PUT can change a target on top of what it was."""

from collections.abc import Sequence

from app.domain.differences import is_same
from app.domain.resolution import Config, combine
from app.registry import mentions, target_files
from app.registry.documents import Source
from app.registry.target_files import FOLDER, Target
from storage.ids import BlobId

_LATEST = 100  # versions


def basis(source: Source, target: Target) -> tuple[str, BlobId, Sequence[Target]]:
    """Return the template that a target is resolved on, and its recorded version; and the target's versions.

    There are several versions, oldest first, where the target was its own template.
    """
    versions = [target]
    while target.template == versions[-1].name:
        target = target_files.read_version(source, target.name, target.template_version)
        versions.append(target)
    return target.template, target.template_version, versions[::-1]


def basis_name(source: Source, name: str) -> str:
    """Return the template that a target is resolved on, without parsing its versions."""
    found = mentions.of(source, FOLDER.path(name))
    while found and found.template and found.template.name == name:
        found = mentions.of_version(source, found.template.version)
    if found is None or found.template is None:
        return basis(source, target_files.expect(source, name))[0]
    return found.template.name


def own_overrides(base: Config, versions: Sequence[Target]) -> Config:
    """Return the overrides of all versions of a target as one patch on `base`, the template's config."""
    overrides: Config = {}
    for version in versions:
        overrides = combine(base, overrides, version.overrides)
    return overrides


def has_already(source: Source, target: Target, overrides: Config) -> bool:
    """Tell whether overrides on top of a target, which leave its config as it is, are among its own already.

    Else they hold on to a value that the target has from its template, and a rebase would keep that value. Only
    the latest versions of a target that was often its own template are asked.
    """
    own: Config = {}
    for _ in range(_LATEST):
        below = target_files.read_template_version(source, target.template, target.template_version)
        own = combine(below, target.overrides, own)
        if is_same(combine(below, own, overrides), own):
            return True
        if target.template != target.name:
            return False
        target = target_files.read_version(source, target.name, target.template_version)
    return False
