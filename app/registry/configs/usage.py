"""Which documents use a prompt, a target or a question template. Names are found in bytes, so nothing is parsed."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.budgets import Work
from app.domain.names import DEFAULT_TEMPLATE
from app.registry.configs import defaults, mentions, own_template, rebase, template_owners
from app.registry.configs.target_files import FOLDER
from app.registry.configs.target_rows import Rows
from storage.ids import BlobId
from storage.repository import Repository
from storage.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class PromptUser:
    """A target, or the default, whose config names a prompt, and the fields that do."""

    name: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileUser:
    """A target, or the default, that names a question template; the version that it owns, or None."""

    name: str
    owned: BlobId | None


def of_prompt(snapshot: Snapshot, name: str) -> list[PromptUser]:
    """Return the documents whose config names a prompt, the default first."""
    mentions.read_ahead(snapshot)
    found = []
    for user, mentioned in mentions.of_all(snapshot):
        fields = tuple(field for field, prompt in mentioned.prompts.items() if prompt == name)
        if fields:
            found.append(PromptUser(user, fields))
    return sorted(found, key=lambda user: _default_first(user.name))


def of_file(snapshot: Snapshot, path: str) -> list[FileUser]:
    """Return the documents that name a question template, the default first."""
    mentions.read_ahead(snapshot)
    uses = template_owners.find_uses(snapshot, {path})[path]
    found = [FileUser(name, uses.owners.get(name)) for name in uses.names]
    return sorted(found, key=lambda user: _default_first(user.name))


def users_of_prompt(snapshot: Snapshot, name: str) -> list[str]:
    """Return the names of the targets, and `default`, whose config names a prompt."""
    return [user.name for user in of_prompt(snapshot, name)]


def users_of_target(snapshot: Snapshot, name: str) -> list[str]:
    """Return the targets that are resolved on a target, sorted."""
    mentions.read_ahead(snapshot)
    return rebase.children(snapshot).get(name, [])


def descendants(snapshot: Snapshot, name: str, *, skips_damaged: bool = False) -> list[tuple[str, int]]:
    """Return the targets that were made from a target, parents first, each with its depth: 1 if made from it.

    RepositoryDamaged where one is damaged, unless these are skipped: nobody knows what they were made from.
    """
    mentions.read_ahead(snapshot)
    return rebase.descendants(snapshot, name, skips_damaged=skips_damaged)


def state(snapshot: Snapshot, name: str) -> tuple[str, str]:
    """Return the template that a target is resolved on; and `current`, `drifted` or `template_gone`."""
    template, recorded = own_template.template(snapshot, name, FOLDER.expect(snapshot, name))
    return template, _state(_version(snapshot, template), recorded)


def states(repository: Repository, snapshot: Snapshot, work: Work) -> Mapping[str, tuple[str, str]]:
    """Return for each target what `state` returns. TooMuchToRead where files by hand are too much.

    Versions are compared, so nothing but files by hand is parsed. A file by hand that is called as the default template
    is left out: it is no template of any target.
    """
    found = Rows(repository, snapshot).templates(work)
    now = {name: _version(snapshot, name) for name in {template.name for template in found.values()}}
    return {
        name: (template, _state(now[template], recorded))
        for name, (template, recorded) in found.items()
        if name != DEFAULT_TEMPLATE
    }


def _version(snapshot: Snapshot, template: str) -> BlobId | None:
    return snapshot.version(defaults.PATH if template == DEFAULT_TEMPLATE else FOLDER.path(template))


def _state(now: BlobId | None, recorded: BlobId) -> str:
    return "template_gone" if now is None else "current" if now == recorded else "drifted"


def _default_first(name: str) -> tuple[bool, str]:
    return name != DEFAULT_TEMPLATE, name
