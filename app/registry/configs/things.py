"""Things: targets, prompts and the default, as far as they are alike. Each has a file, with versions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from app.domain.errors import NotFound
from app.domain.names import DEFAULT_TEMPLATE
from app.registry.configs import defaults, prompts, question_templates, target_files
from app.registry.configs.question_templates import FileVersions
from app.registry.documents import Source
from app.registry.folders import Folder
from storage.ids import BlobId
from storage.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Content:
    """What one version of a thing says: its config, or the messages and tools of a prompt.

    `files` are the question templates that came with the thing. `trailers` are lines for the message of a commit.
    """

    version: BlobId
    fields: Mapping[str, Any]
    files: FileVersions = field(default_factory=dict)
    trailers: Mapping[str, str] = field(default_factory=dict)

    def compared(self) -> Mapping[str, Any]:
        """Return its fields and its files, which a commit message compares."""
        return {**self.fields, **self.files}

    def named_files(self) -> set[str]:
        """Return the paths of the question templates that it owns or names."""
        return question_templates.named(self.fields, self.files)


@dataclass(frozen=True, slots=True)
class Thing:
    """A target, a prompt or the default, whether or not there is one. `read` returns its content, or None."""

    folder: Folder
    name: str
    path: str
    read: Callable[[Source], Content | None]

    def content(self, source: Source) -> Content:
        """Return its content; NotFound if there is none."""
        found = self.read(source)
        if found is None:
            raise NotFound(self.folder.kind, self.name)
        return found

    @property
    def title(self) -> str:
        """How a commit message calls it."""
        return self.name if self.path == defaults.PATH else self.folder.called(self.name)

    def expect(self, snapshot: Snapshot) -> BlobId:
        """Return its version at a commit; NotFound if there is none."""
        return snapshot.version(self.path) or self.content(snapshot).version  # a repo without a default is damaged


def target(name: str) -> Thing:
    """Return the target of a name."""
    return Thing(target_files.FOLDER, name, target_files.FOLDER.path(name), partial(_read_target, name))


def prompt(name: str) -> Thing:
    """Return the prompt of a name."""
    return Thing(prompts.FOLDER, name, prompts.FOLDER.path(name), partial(_read_prompt, name))


def _read_target(name: str, source: Source) -> Content | None:
    found = target_files.read(source, name)
    return None if found is None else Content(found.version, found.config, found.files, found.trailers())


def _read_prompt(name: str, source: Source) -> Content | None:
    found = prompts.read(source, name)
    return None if found is None else Content(found.version, found.document())


def _read_default(source: Source) -> Content:
    config, version = defaults.read(source)
    return Content(version, config, defaults.read_files(source))


DEFAULT = Thing(defaults.FOLDER, DEFAULT_TEMPLATE, defaults.PATH, _read_default)
