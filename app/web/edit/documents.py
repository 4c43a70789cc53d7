"""A target as an editor has it: its template and all its own overrides, with the question templates it owns."""

from collections.abc import Mapping
from typing import Any

from app.domain.budgets import Work
from app.domain.differences import MISSING, is_same
from app.domain.resolution import GENERATOR_FIELDS, Config, in_order, normalize, resolve
from app.registry.configs import own_template, rebase, target_files
from app.registry.configs.target_files import Target
from app.registry.documents import Source
from app.web.edit.cards import CONTENT
from app.web.edit.form_draft import Document
from app.wire import allowance
from storage.snapshot import Snapshot


def of_target(source: Source, target: Target, work: Work | None = None) -> Document:
    """Return a target on the template that it was first made from, also where it was its own template since."""
    template, recorded, versions = own_template.basis(source, target, work)
    base = target_files.read_template_version(source, template, recorded)
    files: dict[str, Any] = {}
    for version in versions:
        files |= version.files
    overrides = in_order(own_template.own_overrides(base, versions))
    return {"template": template, "overrides": with_contents(overrides, contents(source, files))}


def start(snapshot: Snapshot, target: Target, on: str | None = None) -> Document:
    """Return what an editor begins with: on `itself`, or on the `template`, where it says so.

    Where the template is gone, the target itself is the template: the editor changes what the target is now. So it is
    where the target is its own template, and the one below has changed: to save it on that one would rebase it.
    """
    found = rebase.drift(snapshot, target.name, work=allowance.work())
    is_own = target.template == target.name
    is_safer = found.rebased is None or (is_own and not found.is_current)
    if on == "itself" or (on != "template" and is_safer):
        return {"template": target.name, "overrides": {}}
    return of_target(snapshot, target, allowance.work())


def contents(source: Source, files: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of question templates by path, without those that are not UTF-8."""
    found = {}
    for path, version in files.items():
        try:
            found[path] = source.blob(version).decode()
        except UnicodeDecodeError:
            continue
    return found


def tidy(document: Document) -> Document:
    """Return a document as `of_target` has it: current names, canonical order, no null in a generator."""
    overrides = document.get("overrides") or {}
    found = {**normalize(overrides)}
    if found.get("generators"):
        names = (*GENERATOR_FIELDS, CONTENT)
        found["generators"] = [
            {name: each[name] for name in names if each.get(name) is not None} for each in overrides["generators"]
        ]
    return {"template": document["template"], "overrides": found}


def on_config(document: Document, config: Config) -> Document:
    """Return a target as a whole config, for one that is its own template: its overrides are on top of `config`."""
    return {"template": document["template"], "config": resolve(config, document["overrides"])}


def from_config(document: Document, config: Config) -> Document:
    """Return the overrides on `config` that make a target what a document of `on_config` says."""
    return {"template": document["template"], "overrides": in_order(_patch(config, document["config"]))}


def _patch(old: Config, new: Config) -> Config:
    """Return the overrides that turn one config, or an object in it, into another."""
    patch: dict[str, Any] = {name: None for name in old if name not in new}
    for name, value in new.items():
        before = old.get(name, MISSING)
        if not is_same(before, value):
            are_objects = isinstance(before, dict) and isinstance(value, dict)
            patch[name] = _patch(before, value) if are_objects else value
    return patch


def with_contents(overrides: Config, texts: Mapping[str, str]) -> Config:
    """Return overrides whose generators have the texts of their question templates, by path."""
    generators = overrides.get("generators")
    if not generators or not texts:
        return overrides
    path = "template_path"
    told = [{**each, CONTENT: texts[each[path]]} if each.get(path) in texts else dict(each) for each in generators]
    return {**overrides, "generators": told}
