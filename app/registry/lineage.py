"""Where each value of a target came from: the layers it was resolved from, and who changed what in them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.differences import MISSING, Keys, is_same, pointer
from app.domain.names import DEFAULT_TEMPLATE
from app.domain.resolution import Config
from app.registry import defaults, target_files
from app.registry.documents import Source
from app.registry.target_files import FOLDER, Target
from storage.errors import RepositoryDamaged
from storage.ids import CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.versions import Version


@dataclass(frozen=True, slots=True)
class Layer:
    """What one version (a blob id) of a target or of the default put on what lies below it.

    `kind` is `overrides` for the target that is asked about, then `template`, at last `default`.
    """

    kind: str
    name: str
    version: str
    patch: Config

    @property
    def path(self) -> str:
        """Where its file lies."""
        return defaults.PATH if self.kind == DEFAULT_TEMPLATE else FOLDER.path(self.name)


@dataclass(frozen=True, slots=True)
class Value:
    """What a layer says of a field: null takes it away."""

    layer: Layer
    value: Any


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a config: its place (a JSON Pointer), who set it, and what that beat, from the top down.

    `commit` put this value there in its layer; None where the layer is not committed.
    """

    pointer: str
    value: Any
    set_by: Layer
    commit: CommitId | None
    beaten: Sequence[Value]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A target, the layers it was resolved from, each with the commit that wrote it, and its fields.

    `removed` are the fields that a null took away.
    """

    target: Target
    layers: Sequence[tuple[Layer, CommitId | None]]
    fields: Sequence[Field]
    removed: Sequence[Field]


def chain(source: Source, target: Target) -> list[Layer]:
    """Return the layers of a target, from its overrides down to the default.

    It follows the versions that were recorded, whatever became of the templates since.
    """
    layers = [Layer("overrides", target.name, target.version, target.overrides)]
    while target.template != DEFAULT_TEMPLATE:
        target = target_files.read_version(source, target.template, target.template_version)
        layers.append(Layer("template", target.name, target.version, target.overrides))
    config = defaults.read_version(source, target.template_version)
    return [*layers, Layer(DEFAULT_TEMPLATE, DEFAULT_TEMPLATE, target.template_version, config)]


def explain(repository: Repository, snapshot: Snapshot, target: Target) -> Explanation:
    """Return where each value of a target came from.

    A target without a version is one that was not committed: then its overrides have no commit.
    """
    layers = chain(snapshot, target)
    histories = list(_histories(repository, snapshot, layers))
    settled = [(keys, value, _said_by(layers, keys)) for keys, value in _leaves((), target.config)]
    if not all(said for *_, said in settled):
        reason = f"the config of target {target.name} does not follow from its template and overrides"
        raise RepositoryDamaged(snapshot.name, reason)
    removed = [(keys, None, said) for keys, said in _removed(layers, target.config)]
    origins: dict[Keys, CommitId] = {}
    for layer, history in zip(layers, histories, strict=True):
        of_layer = {keys: first.value for keys, _, (first, *_) in settled + removed if first.layer is layer}
        origins |= _origins(snapshot, layer, history, of_layer)
    fields, gone = (
        [
            Field(pointer(keys), value, first.layer, origins.get(keys), rest)
            for keys, value, (first, *rest) in found
        ]
        for found in (settled, removed)
    )
    written = [history[0].commit if history else None for history in histories]
    return Explanation(target, list(zip(layers, written, strict=True)), fields, gone)


def _histories(
    repository: Repository, snapshot: Snapshot, layers: Sequence[Layer]
) -> Iterator[Sequence[Version]]:
    """Yield the versions of each layer's file, newest first, from the one that was resolved from."""
    commit = snapshot.commit
    for layer in layers:
        versions = repository.versions(layer.path, commit) if layer.version else []
        found = [index for index, version in enumerate(versions) if version.blob == layer.version]
        if found:
            versions = versions[found[0] :]
            commit = versions[0].commit
        elif layer.version:
            reason = f"no commit of its history wrote version {layer.version} of {layer.path}"
            raise RepositoryDamaged(snapshot.name, reason)
        yield versions


def _origins(
    source: Source, layer: Layer, history: Sequence[Version], wanted: Mapping[Keys, Any]
) -> Mapping[Keys, CommitId]:
    """Return the commit since which a layer's file has said what it says of some fields."""
    origins: dict[Keys, CommitId] = {}
    for version in history:
        patch = _patch(source, layer, version.blob) if version.blob else {}
        wanted = {keys: value for keys, value in wanted.items() if is_same(_said(patch, keys), value)}
        if not wanted:
            break
        origins |= dict.fromkeys(wanted, version.commit)
    return origins


def _patch(source: Source, layer: Layer, version: str) -> Config:
    if layer.kind == DEFAULT_TEMPLATE:
        return defaults.read_version(source, version)
    return target_files.read_version(source, layer.name, version).overrides


def _said_by(layers: Sequence[Layer], keys: Keys) -> list[Value]:
    said = [Value(layer, _said(layer.patch, keys)) for layer in layers]
    return [value for value in said if value.value is not MISSING]


def _said(patch: Any, keys: Keys) -> Any:
    """Return what a patch says of a field, or MISSING.

    Null, a scalar or a list further out speaks for all that would lie within; only a position leads
    into a list that has any.
    """
    for key in keys:
        if isinstance(patch, dict):
            patch = patch.get(str(key), MISSING)
        elif isinstance(patch, list) and patch and isinstance(key, int):
            patch = patch[key] if key < len(patch) else MISSING
    return patch


def _leaves(keys: Keys, value: Any) -> Iterator[tuple[Keys, Any]]:
    """Yield the fields of a config that have a value of their own; generators by position."""
    if isinstance(value, dict) and (value or not keys):
        for name, item in value.items():
            yield from _leaves((*keys, name), item)
    elif keys == ("generators",) and value:
        for index, generator in enumerate(value):
            yield from _leaves((*keys, index), generator)
    else:
        yield keys, value


def _removed(layers: Sequence[Layer], config: Config) -> list[tuple[Keys, list[Value]]]:
    """Return the fields that a null took away, with what the layers say of them."""
    nulls = dict.fromkeys(
        keys for layer in layers for keys, value in _leaves((), layer.patch) if value is None
    )
    said = [(keys, _said_by(layers, keys)) for keys in nulls if _said(config, keys) is MISSING]
    return [(keys, values) for keys, values in said if any(value.value is not None for value in values)]
