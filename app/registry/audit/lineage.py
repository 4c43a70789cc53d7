"""Explanations: which layer set each field of a target, and which commit put the value there."""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain import cutting
from app.domain.budgets import Room, Work
from app.domain.differences import Keys, is_same, pointer
from app.domain.names import DEFAULT_TEMPLATE
from app.domain.resolution import Config
from app.registry.audit import layers
from app.registry.audit.layers import Layer, Place, Value
from app.registry.configs import defaults, target_files
from app.registry.configs.target_files import FOLDER, Target
from app.registry.documents import Source
from storage.errors import RepositoryDamaged
from storage.ids import BlobId, CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.versions import Version

MOST_LAYERS = 100  # of a page
_FIELD, _BEATEN = 500, 150  # bytes of JSON that a field, and a value that it beats, take beside the values

_Below = tuple[str, BlobId]  # the name and version of the template below a layer


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a config: its JSON Pointer, its value, and the layer that set it.

    `commit` put the value into that layer; None where the layer is not committed. `may_be_older` says that earlier
    versions of the layer were not looked at, and may have had the value, too. `beaten` are the values of the layers
    below, from the top down.
    """

    pointer: str
    value: Any
    set_by: Layer
    commit: CommitId | None
    may_be_older: bool
    beaten: Sequence[Value]


@dataclass(frozen=True, slots=True)
class Next:
    """Where an explanation goes on: a target at a commit, and how many of its fields to skip.

    The target is None where it is the one that was explained, and is not written.
    """

    target_name: str | None
    commit: CommitId | None
    offset: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """A target, its layers with the commit that wrote each, and its fields.

    `removed` are the fields that a null removed. Where `next` is not None, there is more than one page has.
    """

    target: Target
    layers: Sequence[tuple[Layer, CommitId | None]]
    fields: Sequence[Field]
    removed: Sequence[Field]
    next: Next | None


@dataclass(frozen=True, slots=True)
class Page:
    """What one page of an explanation may come to, and how many fields it skips.

    Where `most` is not None, it has that many fields at most.
    """

    room: Room
    work: Work  # for the layers, and as much again for the commits of the fields
    offset: int = 0
    full: bool = False
    most: int | None = None


def chain(source: Source, target: Target) -> list[Layer]:
    """Return the layers of a target, from its overrides down to the default.

    Each target's file records the version of its template; later changes of the template make no difference.
    """
    found = [Layer("overrides", target.name, target.version, target.overrides)]
    below: _Below | None = (target.template, target.template_version)
    while below is not None:
        layer, below = _read_layer(source, *below)
        found.append(layer)
    return found


def explain(repository: Repository, snapshot: Snapshot, target: Target, page: Page) -> Explanation:
    """Return where each value of a target came from, as much as a page has room for.

    A page has MOST_LAYERS at most, and the fields that these set. The page after it explains the layer below them,
    which is a target at a commit, so nothing need be remembered. The overrides of a target without a version, as in
    a preview, have no commit.
    """
    found, below = _first_layers(snapshot, target, page.work)
    is_whole = below is None
    histories, commits = _histories(repository, snapshot, found, below)
    places = itertools.chain(
        layers.present(found, target.config, error=_does_not_follow(snapshot, target) if is_whole else None),
        layers.removed(found, target.config, is_whole=is_whole),
    )
    shown, is_cut = _take(itertools.islice(places, page.offset, None), page)
    fields = _written(snapshot, found, histories, shown, Work(page.work.most))
    following = None
    if is_cut:
        name, commit = (target.name, snapshot.commit) if target.version else (None, None)
        following = Next(name, commit, page.offset + len(shown))
    elif below is not None:
        following = Next(below[0], commits[-1], 0)
    return Explanation(
        target,
        list(zip(found, commits, strict=False)),
        [field for place, field in zip(shown, fields, strict=True) if not place.is_removed],
        [field for place, field in zip(shown, fields, strict=True) if place.is_removed],
        following,
    )


def _first_layers(source: Source, target: Target, work: Work) -> tuple[list[Layer], _Below | None]:
    """Return the layers of a page, and which layer is below them; None where they end with the default."""
    found = [Layer("overrides", target.name, target.version, target.overrides)]
    below: _Below | None = (target.template, target.template_version)
    while below is not None:
        name, version = below
        fits = work.take([len(source.blob(version))]) and len(found) < MOST_LAYERS
        if not fits and name != DEFAULT_TEMPLATE:
            break
        layer, below = _read_layer(source, name, version)
        found.append(layer)
    return found, below


def _read_layer(source: Source, name: str, version: BlobId) -> tuple[Layer, _Below | None]:
    """Return the layer of a template, and what is below it."""
    if name == DEFAULT_TEMPLATE:
        return Layer(DEFAULT_TEMPLATE, DEFAULT_TEMPLATE, version, defaults.read_version(source, version)), None
    target = target_files.read_version(source, name, version)
    return Layer("template", name, version, target.overrides), (target.template, target.template_version)


def _histories(
    repository: Repository, snapshot: Snapshot, found: Sequence[Layer], below: _Below | None
) -> tuple[list[Iterator[Version]], list[CommitId | None]]:
    """Return the versions of each layer's file, newest first, and the commit that wrote the layer; so of what is below.

    The versions start with the layer's own. A template's version was there when the layer above was written, so its
    search starts at that commit.
    """
    wanted = [(layer.path, layer.version) for layer in found]
    wanted += [(FOLDER.path(name), version) for name, version in ([below] if below else [])]
    repository.know_versions(list({path for path, version in wanted if version}), snapshot.commit)
    commit = snapshot.commit
    histories: list[Iterator[Version]] = []
    commits: list[CommitId | None] = []
    for path, version in wanted:
        versions = repository.versions_since(path, version, commit) if version else iter(())
        own = next(versions, None)
        if own is None and version:
            raise RepositoryDamaged(snapshot.name, f"no commit of its history wrote version {version} of {path}")
        commit = own.commit if own else commit
        histories.append(itertools.chain([own] if own else [], versions))
        commits.append(own.commit if own else None)
    return histories, commits


def _take(places: Iterator[Place], page: Page) -> tuple[list[Place], bool]:
    """Return the places that a page has room for, and whether there are more."""
    taken: list[Place] = []
    for place in places:
        values = [cutting.size_of(cutting.shown("value", said.value, full=page.full)) for said in place.values]
        if len(taken) == page.most or not page.room.take(_FIELD + sum(values) + _BEATEN * len(values)):
            return taken, True
        taken.append(place)
    return taken, False


def _written(
    source: Source, found: Sequence[Layer], histories: Sequence[Iterator[Version]], places: Sequence[Place], work: Work
) -> list[Field]:
    """Return the fields at some places, each with the commit since which its layer has set the same value."""
    by_layer = defaultdict(list)
    for place in places:
        by_layer[id(place.values[0].layer)].append(place)
    commits: dict[Keys, tuple[CommitId, bool]] = {}
    for layer, history in zip(found, histories, strict=False):
        commits |= _commits(source, layer, history, by_layer[id(layer)], work)
    fields = []
    for place in places:
        commit, may_be_older = commits.get(place.keys, (None, False))
        top, *beaten = place.values
        fields.append(Field(pointer(place.keys), place.value, top.layer, commit, may_be_older, beaten))
    return fields


def _commits(
    source: Source, layer: Layer, history: Iterator[Version], places: Sequence[Place], work: Work
) -> Mapping[Keys, tuple[CommitId, bool]]:
    """Return, for places that a layer sets, the commit since which its file has set the same value.

    With it comes whether earlier versions were not looked at, since they are too much work.
    """
    commits: dict[Keys, tuple[CommitId, bool]] = {}
    for version in history if places else ():
        if version.blob != layer.version and version.blob and not work.take([len(source.blob(version.blob))]):
            return commits | {place.keys: (commits[place.keys][0], True) for place in places}
        patch = _patch(source, layer, version.blob) if version.blob else {}
        places = [place for place in places if is_same(layers.lookup(patch, place.keys), place.values[0].value)]
        if not places:
            break
        commits |= {place.keys: (version.commit, False) for place in places}
    return commits


def _patch(source: Source, layer: Layer, version: BlobId) -> Config:
    if layer.kind == DEFAULT_TEMPLATE:
        return defaults.read_version(source, version)
    return target_files.read_version(source, layer.name, version).overrides


def _does_not_follow(snapshot: Snapshot, target: Target) -> RepositoryDamaged:
    reason = f"the config of target {target.name} does not follow from its template and overrides"
    return RepositoryDamaged(snapshot.name, reason)
