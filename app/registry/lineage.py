"""Explanations: which layer set each field of a target, and which commit put the value there."""

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
from storage.ids import BlobId, CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.versions import Version


@dataclass(frozen=True, slots=True)
class Layer:
    """One version of a target or of the default, as a patch on the layer below it.

    `kind` is `overrides` for the target that is explained, `template` for those below it, and
    `default` for the last one.
    """

    kind: str
    name: str
    version: BlobId
    patch: Config

    @property
    def path(self) -> str:
        """The path of its file."""
        return defaults.PATH if self.kind == DEFAULT_TEMPLATE else FOLDER.path(self.name)


@dataclass(frozen=True, slots=True)
class Value:
    """What a layer sets a field to; None removes the field."""

    layer: Layer
    value: Any


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a config: its JSON Pointer, its value, and the layer that set it.

    `commit` put the value into that layer; None where the layer is not committed. `beaten` are the
    values of the layers below, from the top down.
    """

    pointer: str
    value: Any
    set_by: Layer
    commit: CommitId | None
    beaten: Sequence[Value]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A target, its layers with the commit that wrote each, and its fields.

    `removed` are the fields that a null removed.
    """

    target: Target
    layers: Sequence[tuple[Layer, CommitId | None]]
    fields: Sequence[Field]
    removed: Sequence[Field]


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in a config, its value there, and the values of all layers that set it, from the top down."""

    keys: Keys
    value: Any
    values: Sequence[Value]

    def field(self, commit: CommitId | None) -> Field:
        """Return the field at this place; `commit` put its value there."""
        first, *beaten = self.values
        return Field(pointer(self.keys), self.value, first.layer, commit, beaten)


def chain(source: Source, target: Target) -> list[Layer]:
    """Return the layers of a target, from its overrides down to the default.

    Each target's file records the version of its template; later changes of the template make no difference.
    """
    layers = [Layer("overrides", target.name, target.version, target.overrides)]
    while target.template != DEFAULT_TEMPLATE:
        target = target_files.read_version(source, target.template, target.template_version)
        layers.append(Layer("template", target.name, target.version, target.overrides))
    config = defaults.read_version(source, target.template_version)
    return [*layers, Layer(DEFAULT_TEMPLATE, DEFAULT_TEMPLATE, target.template_version, config)]


def explain(repository: Repository, snapshot: Snapshot, target: Target) -> Explanation:
    """Return where each value of a target came from.

    The overrides of a target without a version, as in a preview, have no commit.
    """
    layers = chain(snapshot, target)
    written = list(zip(layers, _histories(repository, snapshot, layers), strict=True))
    present = [_Place(keys, value, _values(layers, keys)) for keys, value in _leaves((), target.config)]
    if not all(place.values for place in present):
        reason = f"the config of target {target.name} does not follow from its template and overrides"
        raise RepositoryDamaged(snapshot.name, reason)
    removed = _removed(layers, target.config)
    commits: dict[Keys, CommitId] = {}
    for layer, history in written:
        set_here = [place for place in present + removed if place.values[0].layer is layer]
        commits |= _commits(snapshot, layer, history, set_here)
    return Explanation(
        target,
        [(layer, history[0].commit if history else None) for layer, history in written],
        [place.field(commits.get(place.keys)) for place in present],
        [place.field(commits.get(place.keys)) for place in removed],
    )


def _histories(repository: Repository, snapshot: Snapshot, layers: Sequence[Layer]) -> list[Sequence[Version]]:
    """Return the versions of each layer's file, newest first, starting with the layer's own version.

    A template's version was there when the layer above was written, so its search starts at that commit.
    """
    commit = snapshot.commit
    histories: list[Sequence[Version]] = []
    for layer in layers:
        versions = repository.versions(layer.path, commit) if layer.version else []
        found = (index for index, version in enumerate(versions) if version.blob == layer.version)
        versions = versions[next(found, len(versions)) :]
        if versions:
            commit = versions[0].commit
        elif layer.version:
            reason = f"no commit of its history wrote version {layer.version} of {layer.path}"
            raise RepositoryDamaged(snapshot.name, reason)
        histories.append(versions)
    return histories


def _commits(
    source: Source, layer: Layer, history: Sequence[Version], places: Sequence[_Place]
) -> Mapping[Keys, CommitId]:
    """Return, for places that a layer sets, the commit since which its file has set the same value."""
    commits: dict[Keys, CommitId] = {}
    for version in history:
        patch = _patch(source, layer, version.blob) if version.blob else {}
        places = [place for place in places if is_same(_lookup(patch, place.keys), place.values[0].value)]
        if not places:
            break
        commits |= {place.keys: version.commit for place in places}
    return commits


def _patch(source: Source, layer: Layer, version: BlobId) -> Config:
    if layer.kind == DEFAULT_TEMPLATE:
        return defaults.read_version(source, version)
    return target_files.read_version(source, layer.name, version).overrides


def _values(layers: Sequence[Layer], keys: Keys) -> list[Value]:
    """Return the values that the layers set at a place, from the top down."""
    values = [Value(layer, _lookup(layer.patch, keys)) for layer in layers]
    return [value for value in values if value.value is not MISSING]


def _lookup(patch: Any, keys: Keys) -> Any:
    """Return what a patch sets at a place, or MISSING.

    A null, scalar or list above the place replaces all within it, so it is the value of the place,
    too. Only a position in a list that is not empty leads further in.
    """
    for key in keys:
        if isinstance(patch, dict):
            patch = patch.get(str(key), MISSING)
        elif isinstance(patch, list) and patch and isinstance(key, int):
            patch = patch[key] if key < len(patch) else MISSING
    return patch


def _leaves(keys: Keys, value: Any) -> Iterator[tuple[Keys, Any]]:
    """Yield the places of a config that have a value of their own; generators by position."""
    if isinstance(value, dict) and (value or not keys):
        for name, item in value.items():
            yield from _leaves((*keys, name), item)
    elif keys == ("generators",) and value:
        for index, generator in enumerate(value):
            yield from _leaves((*keys, index), generator)
    else:
        yield keys, value


def _removed(layers: Sequence[Layer], config: Config) -> list[_Place]:
    """Return the places that a null emptied: the config has none, and some layer sets a value there."""
    leaves = [leaf for layer in layers for leaf in _leaves((), layer.patch)]
    nulls = dict.fromkeys(keys for keys, value in leaves if value is None)
    places = [_Place(keys, None, _values(layers, keys)) for keys in nulls if _lookup(config, keys) is MISSING]
    return [place for place in places if any(value.value is not None for value in place.values)]
