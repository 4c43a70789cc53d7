"""The layers of a config, and what each of them says about each place in the config."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.differences import MISSING, Keys
from app.domain.names import DEFAULT_TEMPLATE
from app.domain.resolution import Config
from app.registry.configs import defaults
from app.registry.configs.target_files import FOLDER
from storage.ids import BlobId


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
class _Said:
    """What the layers say about a place, each with the layer's number.

    `here` are the values at the place. A null, scalar or list above the place replaces all within it, so it is a
    value of the place, too: those are `above`, and are shared by all places there.
    """

    here: Sequence[tuple[int, Any]]
    above: Sequence[tuple[int, Any]] = ()

    def within(self, *, by_position: bool) -> "_Said":
        """Return what is said about the places within: only what leads further in may differ among them."""
        is_open = [_leads_in(value, by_position) for _, value in self.here]
        ends = [said for said, leads in zip(self.here, is_open, strict=True) if not leads]
        here = [said for said, leads in zip(self.here, is_open, strict=True) if leads]
        return _Said(here, [*self.above, *ends])

    def at(self, key: str | int) -> "_Said":
        """Return what is said about a place within."""
        here = [(number, found) for number, value in self.here if (found := _step(value, key)) is not MISSING]
        return _Said(here, self.above)

    def all(self) -> Iterator[tuple[int, Any]]:
        """Yield all values, in any order."""
        yield from self.here
        yield from self.above


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a config, and its value there. Where `is_removed`, the top layer removes the place from the config."""

    keys: Keys
    value: Any
    is_removed: bool
    _layers: Sequence[Layer]
    _said: _Said

    @property
    def values(self) -> list[Value]:
        """The values of all layers that set it, from the top down. A page skips many places, which need none."""
        said = sorted(self._said.all(), key=lambda each: each[0])
        return [Value(self._layers[number], value) for number, value in said]


def present(layers: Sequence[Layer], config: Config, *, error: Exception | None) -> Iterator[Place]:
    """Yield the places of a config that have a value of their own and that the layers set.

    Raises the error for a place that no layer sets, if there is an error.
    """
    for keys, value, said in _leaves((), config, _all_said(layers)):
        if said.here or said.above:
            yield Place(keys, value, False, layers, said)
        elif error:
            raise error


def removed(layers: Sequence[Layer], config: Config, *, is_whole: bool) -> Iterator[Place]:
    """Yield the places that a null emptied: the config has none, and some layer sets a value there.

    That layer may be further down where these are not the `whole` of the layers.
    """
    for keys, said in _nulls((), config, _all_said(layers)):
        if not is_whole or any(value is not None for _, value in said.all()):
            yield Place(keys, None, True, layers, said)


def lookup(patch: Any, keys: Keys) -> Any:
    """Return what a patch sets at a place, or MISSING."""
    for key in keys:
        patch = _step(patch, key)
    return patch


def _all_said(layers: Sequence[Layer]) -> _Said:
    return _Said([(number, layer.patch) for number, layer in enumerate(layers)])


def _step(value: Any, key: str | int) -> Any:
    """Return what a value says about a place within it; the value itself where it replaces all within."""
    if isinstance(value, dict):
        return value.get(str(key), MISSING)
    if _leads_in(value, isinstance(key, int)):
        return value[key] if int(key) < len(value) else MISSING
    return value


def _leads_in(value: Any, by_position: bool) -> bool:
    """Tell whether a value has places within: an object, or by position a list that is not empty."""
    return isinstance(value, dict) or (by_position and isinstance(value, list) and bool(value))


def _leaves(keys: Keys, value: Any, said: _Said) -> Iterator[tuple[Keys, Any, _Said]]:
    """Yield the places of a config that have a value of their own; generators by position."""
    by_position = keys == ("generators",) and isinstance(value, list) and bool(value)
    if not by_position and not (isinstance(value, dict) and (value or not keys)):
        yield keys, value, said
        return
    within = said.within(by_position=by_position)
    for key, item in enumerate(value) if by_position else value.items():
        yield from _leaves((*keys, key), item, within.at(key))


def _nulls(keys: Keys, config: Any, said: _Said) -> Iterator[tuple[Keys, _Said]]:
    """Yield the places that some layer sets to null and that the config does not have."""
    if config is MISSING and any(value is None for _, value in said.here):
        yield keys, said
    by_position = keys == ("generators",)
    if config is not MISSING and not _leads_in(config, by_position):
        return  # the config's value here is that of all places within
    within = said.within(by_position=by_position)
    if by_position:
        count = max((len(value) for _, value in within.here if isinstance(value, list)), default=0)
        inner: Sequence[str | int] = range(count)
    else:
        inner = list(dict.fromkeys(name for _, value in within.here for name in value))
    for key in inner:
        yield from _nulls((*keys, key), _step(config, key), within.at(key))
