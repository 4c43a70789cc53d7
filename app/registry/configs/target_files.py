"""The file of a target: its content, and how it is read and written."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.domain.budgets import Work
from app.domain.errors import NotFound
from app.domain.names import DEFAULT_TEMPLATE
from app.domain.resolution import Config
from app.registry import documents
from app.registry.configs import defaults, question_templates
from app.registry.configs.question_templates import FileVersions
from app.registry.documents import Editable, Source
from app.registry.folders import Folder
from storage.caches import Cache, weigh
from storage.ids import BlobId, CommitId
from storage.snapshot import File

FOLDER = Folder("targets", "Target")


@dataclass(frozen=True, slots=True)
class Target:
    """A target at a commit. `version` is the blob id of its file.

    `files` are the question templates that came with it.
    """

    name: str
    template: str
    template_version: BlobId
    overrides: Config
    config: Config
    files: FileVersions
    version: BlobId = documents.UNWRITTEN
    commit: CommitId = documents.UNCOMMITTED

    def document(self) -> Mapping[str, Any]:
        """Return the content of its file."""
        return {
            "template": self.template,
            "template_version": self.template_version,
            "overrides": self.overrides,
            **({"files": self.files} if self.files else {}),
            "config": self.config,
        }

    def content(self) -> Mapping[str, Any]:
        """Return its resolved fields and its files, which a commit message compares."""
        return {**self.config, **self.files}

    def trailers(self) -> Mapping[str, str]:
        """Return the lines about it that a commit message ends with."""
        return {"Template": f"{self.template} {self.template_version}"}

    def named_files(self) -> set[str]:
        """Return the paths of the question templates that it owns or names."""
        return question_templates.named(self.config, self.files)


# By name and version. The version determines the content.
_kept: Cache[tuple[str, BlobId], Target] = Cache(32 * 1024 * 1024)


def read(source: Source, name: str) -> Target | None:
    """Return a target, or None if there is none."""
    file = source.read(FOLDER.path(name))
    return None if file is None else _parse(source, name, file)


def read_version(source: Source, name: str, version: BlobId, work: Work | None = None) -> Target:
    """Return a target at a version of its file. TooMuchToRead where `work` is given, and that is too much."""
    if work is not None:
        work.expect(f"Target '{name}' with its templates", len(source.blob(version)))
    return _parse(source, name, File(version, source.blob(version)))


def expect(source: Source, name: str, work: Work | None = None) -> Target:
    """Return a target; NotFound if there is none. TooMuchToRead where `work` is given, and that is too much."""
    file = source.read(FOLDER.path(name))
    if file is None:
        raise NotFound(FOLDER.kind, name)
    if work is not None:
        work.expect(f"Target '{name}'", len(file.data))
    return _parse(source, name, file)


def read_template(source: Source, template: str) -> tuple[Config, BlobId]:
    """Return a template's config and its blob id; NotFound if there is no such template."""
    if template == DEFAULT_TEMPLATE:
        return defaults.read(source)
    target = read(source, template)
    if target is None:
        raise NotFound("Template", template)
    return target.config, target.version


def read_template_version(source: Source, template: str, version: BlobId) -> Config:
    """Return a template's config at a version of its file."""
    if template == DEFAULT_TEMPLATE:
        return defaults.read_version(source, version)
    return read_version(source, template, version).config


def write(source: Editable, target: Target) -> Target:
    """Write a target's file, and return the target with its version."""
    version = documents.write(source, FOLDER.path(target.name), target.document())
    return replace(target, version=version)


def _parse(source: Source, name: str, file: File) -> Target:
    target = _kept.get((name, file.id))
    if target is None:
        path = FOLDER.path(name)
        document = documents.parse_uncached(source, path, file)
        target = Target(
            name,
            documents.expect(document, "template", str, source, path),
            BlobId(documents.expect(document, "template_version", str, source, path)),
            documents.expect_config(document, "overrides", source, path),
            documents.expect_config(document, "config", source, path),
            question_templates.expect(document, source, path),
            file.id,
        )
        _kept.put((name, file.id), target, weigh(document))
    return target
