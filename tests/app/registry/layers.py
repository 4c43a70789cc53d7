"""The config of layers of overrides, computed by brute force, and a real repository to compare with."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from app.domain.preconditions import UNCONDITIONAL
from app.registry import repos
from app.registry.configs import defaults, targets
from app.registry.configs.target_files import Target
from app.registry.configs.target_requests import TargetRequest
from app.registry.messages import Origin
from storage.repository import Repository
from storage.store import Store
from tests.storage.repositories import settle

ALICE = Origin("alice")
FIRST: dict[str, Any] = dict(defaults.first_config(repos.DEFAULT_BASE_MODEL))
NOTHING = object()
NAMES = ("default", "a", "b", "c", "d")

Keys = tuple[str | int, ...]
Patch = dict[str, Any]


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(["a", "b", "0", "~/"]), inner, max_size=3)


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.just(1.0) | st.text("a~/", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | _objects(inner),
    max_leaves=8,
)
_GENERATORS = st.fixed_dictionaries(
    {"type": st.sampled_from(["persona", "custom"])},
    optional={"numq": st.integers(1, 2), "questions": st.lists(st.just("why?"), max_size=2)},
)


OVERRIDES = st.fixed_dictionaries(
    {},
    optional={
        "generators": st.none() | st.lists(_GENERATORS, max_size=2),
        "max_tokens": st.none() | st.integers(1, 2),
        "temperature": st.none() | st.sampled_from([0.5, 1.0]),
        "extra_kwargs": st.none() | _objects(_ANYTHING),
    },
)


def merged(below: Any, patch: Any) -> Any:
    """Return a value with a JSON Merge Patch applied (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    below = below if isinstance(below, dict) else {}
    kept = {name: value for name, value in below.items() if name not in patch}
    put_on = {name: merged(below.get(name), value) for name, value in patch.items() if value is not None}
    return kept | put_on


def fold(patches: Sequence[Any], base: Any = None) -> Any:
    """Return a value with patches applied, from the bottom up."""
    for patch in patches:
        base = merged(base, patch)
    return base


def leaves(value: Any, keys: Keys = ()) -> dict[Keys, Any]:
    """Return the leaves of a config by their keys; empty objects are leaves, and lists but `generators`."""
    parts: dict[str | int, Any] = {}
    if isinstance(value, dict):
        parts = value
    elif keys == ("generators",) and isinstance(value, list):
        parts = dict(enumerate(value))
    if not parts:
        return {keys: value} if keys else {}
    return {place: leaf for key, part in parts.items() for place, leaf in leaves(part, (*keys, key)).items()}


def said(patch: Any, keys: Keys) -> Any:
    """Return the value that a patch sets at a leaf, or the value that replaces an object around the leaf."""
    for key in keys:
        if isinstance(patch, dict):
            patch = patch.get(key, NOTHING)
        elif isinstance(key, int) and isinstance(patch, list) and patch:
            patch = patch[key] if key < len(patch) else NOTHING
        else:
            return patch
    return patch


def pointer(keys: Keys) -> str:
    """Return the JSON Pointer (RFC 6901) of a place."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same JSON: 1, 1.0 and true differ."""
    return NOTHING not in (one, other) and text(one) == text(other)


def text(value: Any) -> str:
    """Return a value as JSON."""
    return json.dumps(value, sort_keys=True)


@contextmanager
def new_repository() -> Iterator[Repository]:
    """Make a repo of alice's."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        store = Store(Path(folder))
        repos.create(store, "alice", "demo", None, ALICE, lambda: None)
        yield store.open("alice/demo")
        settle(Path(folder))  # a file that is being written could not be removed


def put(repository: Repository, name: str, template: str, overrides: Patch) -> Target:
    """Make or replace a target."""
    return targets.put(repository, ALICE, TargetRequest.of(name, template, overrides), UNCONDITIONAL).target


def put_default(repository: Repository, overrides: Patch) -> str:
    """Replace the default, and return the commit."""
    return defaults.put(repository, ALICE, overrides, UNCONDITIONAL).commit


@dataclass
class Layer:
    """What was written in one layer, version by version, each with its commit."""

    name: str
    written: list[tuple[str, Patch]]

    @property
    def patch(self) -> Patch:
        return self.written[-1][1]

    def since(self, keys: Keys) -> str:
        """Return the first commit of the current value at a place."""
        since = ""
        for commit, patch in reversed(self.written):
            if not same(said(patch, keys), said(self.patch, keys)):
                break
            since = commit
        return since

    def write(self, commit: str, patch: Patch) -> None:
        """Note a version, unless it was there already."""
        if commit not in [known for known, _ in self.written]:
            self.written.append((commit, patch))


class Tree:
    """The requests sent to a repo: each target's template, and its patches from the bottom up."""

    def __init__(self) -> None:
        self.default: Patch = FIRST
        self.made: dict[str, tuple[str, list[Patch]]] = {}

    def write(self, repository: Repository, number: int, template: int, patch: Patch) -> None:
        """Write a target or the default. Templates come before their targets in NAMES, against cycles."""
        name, below = NAMES[number], NAMES[template]
        if name == "default":
            put_default(repository, patch)
            self.default = fold([patch], {})
        elif below == name and name in self.made:
            put(repository, name, name, patch)
            self.made[name][1].append(patch)
        elif below in ("default", *self.made) and template < number:
            put(repository, name, below, patch)
            self.made[name] = (below, [patch])

    def config(self, name: str) -> Patch:
        """Return the config of a target on today's default."""
        if name == "default":
            return self.default
        below, patches = self.made[name]
        return fold(patches, self.config(below))

    def below(self, name: str) -> list[str]:
        """Return a target and all that was made from it."""
        children = [child for child, (template, _) in self.made.items() if template == name]
        return [name, *(found for child in children for found in self.below(child))]
