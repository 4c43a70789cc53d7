"""Targets that are their own template, since a PUT can change a target on top of what it was."""

import re
from collections.abc import Sequence

from app.domain.differences import is_same
from app.domain.resolution import Config, combine
from app.registry import target_files
from app.registry.documents import Source
from app.registry.target_files import FOLDER, Target
from storage.ids import BlobId

_HEAD = re.compile(rb"""template: ["']?([\w.-]+)["']?\ntemplate_version: ["']?([0-9a-f]{40})["']?\n""", re.ASCII)


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
    """Return the template that a target is resolved on, by the first lines of its files: quick for thousands."""
    file = source.read(FOLDER.path(name))
    data = file.data if file else b""
    while (head := _HEAD.match(data)) is not None and head[1].decode() == name:
        data = source.blob(BlobId(head[2].decode()))
    return basis(source, target_files.expect(source, name))[0] if head is None else head[1].decode()


def own_overrides(base: Config, versions: Sequence[Target]) -> Config:
    """Return the overrides of all versions of a target as one patch on `base`, the template's config."""
    overrides: Config = {}
    for version in versions:
        overrides = combine(base, overrides, version.overrides)
    return overrides


def has_already(source: Source, target: Target, overrides: Config) -> bool:
    """Tell whether overrides on top of a target, which leave its config as it is, are among its own already.

    Else they hold on to a value that the target has from its template, and a rebase would keep that value.
    """
    if target.template == target.name and is_same(target.overrides, overrides):
        return True
    template, version, versions = basis(source, target)
    base = target_files.read_template_version(source, template, version)
    own = own_overrides(base, versions)
    return is_same(combine(base, own, overrides), own)
