"""Targets: made from a template and overrides, kept as one YAML file each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from app.registry import commits, documents
from app.registry.commits import Origin
from app.registry.documents import Source
from app.registry.errors import Conflict, NotFound
from app.registry.names import DEFAULT_TEMPLATE
from app.registry.preconditions import Precondition
from app.registry.repos import DEFAULT_TARGET_PATH
from app.registry.resolution import Config, canonical, is_config, normalize, resolve
from storage.errors import NameTaken, RepositoryDamaged
from storage.repository import Repository
from storage.transaction import Transaction

_FOLDER = "targets"
_TEMPLATES_FOLDER = "templates"
_SUFFIX = ".yml"


@dataclass(frozen=True, slots=True)
class Target:
    """A target as one commit has it. `version` is its file's blob id, `commit` the commit's."""

    name: str
    template: str
    template_version: str
    overrides: Config
    config: Config
    version: str
    commit: str

    def document(self) -> Mapping[str, Any]:
        """Return what its file says."""
        return {
            "template": self.template,
            "template_version": self.template_version,
            "overrides": self.overrides,
            "config": self.config,
        }


def get(repository: Repository, name: str) -> Target:
    """Return a target; NotFound if there is none."""
    head = repository.head()
    target = _read(head, name, head.commit)
    if target is None:
        raise NotFound("Target", name)
    return target


def list_names(repository: Repository) -> list[str]:
    """Return the sorted names of all targets."""
    return sorted(entry.removesuffix(_SUFFIX) for entry in repository.head().list(_FOLDER))


def create(
    repository: Repository, origin: Origin, name: str, template: str, overrides: Config
) -> tuple[Target, bool]:
    """Make a target, or return the one that is there if it asks for the same; tell which.

    The same is: this template and these overrides, or others that resolve to the same config.
    Raises NotFound for the template, Conflict where a different target has the name.
    """
    overrides, files = _take_template_files(name, overrides)

    def change(transaction: Transaction) -> tuple[Target, bool]:
        existing = _read(transaction, name, str(transaction.tip))
        _refuse_other_content(transaction, files)
        if existing and existing.template == template and _same(existing.overrides, overrides):
            return existing, False
        base, template_version = _read_template(transaction, template)
        config = resolve(base, overrides)
        if existing:
            if _same(existing.config, config):
                return existing, False
            raise Conflict(
                name,
                f"Target '{name}' already exists with different configuration. Use PUT to replace it, "
                "or choose another name.",
            )
        for path, content in files.items():
            transaction.write(path, content)
        new = Target(name, template, template_version, overrides, canonical(config), "", "")
        return _commit(transaction, origin, f"Create target {name}", base, new), True

    return repository.transact(change)


def put(
    repository: Repository,
    origin: Origin,
    name: str,
    template: str,
    overrides: Config,
    precondition: Precondition,
) -> Target:
    """Make or replace a target. The template may be the target itself, as it is now.

    Raises NotFound for the template, PreconditionFailed where the current version rules it out.
    """
    overrides, files = _take_template_files(name, overrides)

    def change(transaction: Transaction) -> Target:
        existing = _read(transaction, name, str(transaction.tip))
        precondition.check(name, existing.version if existing else None)
        base, template_version = _read_template(transaction, template)
        for path, content in files.items():
            transaction.write(path, content)
        new = Target(name, template, template_version, overrides, canonical(resolve(base, overrides)), "", "")
        if existing is None:
            return _commit(transaction, origin, f"Create target {name}", base, new)
        return _commit(transaction, origin, f"Update target {name}", existing.config, new)

    return repository.transact(change)


def _commit(transaction: Transaction, origin: Origin, subject: str, old: Config, new: Target) -> Target:
    """Write a target and commit it; the message tells how its config differs from `old`."""
    version = transaction.write(_path(new.name), documents.dump(new.document()))
    trailers = {"Template": f"{new.template} {new.template_version}"}
    text = commits.message(origin, subject, commits.changed_fields(old, new.config), trailers)
    try:
        return replace(new, version=version, commit=transaction.commit(text, origin.author))
    except NameTaken as error:
        taken, other = (name.removesuffix(_SUFFIX) for name in (error.name, error.existing))
        raise Conflict(taken, f"'{taken}' differs from the existing '{other}' only in case") from error


def _read(source: Source, name: str, commit: str) -> Target | None:
    path = _path(name)
    found = documents.read(source, path)
    if found is None:
        return None
    document, version = found
    return Target(
        name,
        documents.expect(document, "template", str, source, path),
        documents.expect(document, "template_version", str, source, path),
        _expect_config(document, "overrides", source, path),
        _expect_config(document, "config", source, path),
        version,
        commit,
    )


def _read_template(source: Source, template: str) -> tuple[Config, str]:
    """Return a template's config and its blob id; NotFound if there is no such template."""
    path = DEFAULT_TARGET_PATH if template == DEFAULT_TEMPLATE else _path(template)
    found = documents.read(source, path)
    if found is None:
        raise NotFound("Template", template)
    document, version = found
    return _expect_config(document, "config", source, path), version


def _expect_config(document: Mapping[str, Any], field: str, source: Source, path: str) -> Config:
    config = documents.expect(document, field, dict, source, path)
    if not is_config(config):
        raise RepositoryDamaged(source.name, f"the {field} in {path} is not one that Bakehouse wrote")
    return config


def _take_template_files(name: str, overrides: Config) -> tuple[Config, dict[str, bytes]]:
    """Return overrides as they are stored, and the files that came in them, by path.

    A generator's `template_content` becomes `templates/<file name>`, which its `template_path`
    then says; only the last part of a given path counts.
    """
    files: dict[str, bytes] = {}
    generators = []
    for index, generator in enumerate(overrides.get("generators") or []):
        content = generator.get("template_content")
        if content is not None:
            given = generator.get("template_path") or f"{name}-{index}.txt"
            path = f"{_TEMPLATES_FOLDER}/{PurePosixPath(given).name}"
            if files.setdefault(path, content.encode()) != content.encode():
                raise Conflict(path, f"Two generators bring '{path}' with different content")
            generator = {**generator, "template_path": path}
        generators.append(generator)
    if generators:
        overrides = {**overrides, "generators": generators}
    return normalize(overrides), files


def _refuse_other_content(source: Source, files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        present = source.read(path)
        if present and present.data != content:
            raise Conflict(path, f"'{path}' already exists with different content")


def _same(one: Config, other: Config) -> bool:
    """Tell whether two configs are written alike: unlike `==`, 1, 1.0 and true differ."""
    return documents.dump(one) == documents.dump(canonical(other))


def _path(name: str) -> str:
    return f"{_FOLDER}/{name}{_SUFFIX}"
