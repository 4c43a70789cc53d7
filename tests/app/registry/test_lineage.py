"""Explanations, compared with layers folded by brute force."""

from collections.abc import Sequence
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.budgets import Room, Work
from app.domain.preconditions import UNCONDITIONAL
from app.registry.audit import lineage
from app.registry.audit.lineage import Explanation, Page
from app.registry.configs import targets
from app.registry.configs.target_files import FOLDER
from storage.repository import Repository
from tests.app.registry.layers import (
    ALICE,
    FIRST,
    NOTHING,
    OVERRIDES,
    Layer,
    Patch,
    fold,
    leaves,
    new_repository,
    pointer,
    put,
    put_default,
    said,
    same,
)

# Each layer above the default: whether it is the target below once more, an earlier version of it, itself.
LAYERS = st.lists(st.tuples(st.booleans(), st.none() | OVERRIDES, OVERRIDES), min_size=1, max_size=4)
LISTED = (False, None, {"extra_kwargs": {"a": [1]}})
EMPTIED = (False, None, {"extra_kwargs": {"a": {"b": None}}})


def build(repository: Repository, default: Patch | None, chain: Sequence[Any]) -> list[Layer]:
    """Write a chain of templates, and return its layers from the bottom up."""
    layers = [Layer("default", [(repository.head().commit, FIRST)])]
    if default is not None:
        layers[0].write(put_default(repository, default), fold([default], {}))
    for number, (again, earlier, overrides) in enumerate(chain):
        below = layers[-1]
        is_again = again and number > 0
        name = below.name if is_again else f"t{number}"
        layer = Layer(name, [*below.written] if is_again else [])
        if earlier is not None and not is_again:
            layer.write(put(repository, name, below.name, earlier).commit, earlier)
        tip = repository.head().commit
        commit = put(repository, name, below.name, overrides).commit
        if is_again and commit == tip:  # nothing changed, so there is no layer
            continue
        layer.write(commit, overrides)
        layers.append(layer)
    return layers


def explain(repository: Repository, name: str) -> tuple[Patch, Explanation]:
    snapshot = repository.head()
    target = targets.get(snapshot, name)
    return dict(target.config), lineage.explain(repository, snapshot, target, Page(Room(10**9), Work(10**9)))


@settings(max_examples=15)
@given(st.none() | OVERRIDES, LAYERS)
@example(None, [EMPTIED])
@example(None, [LISTED, EMPTIED, EMPTIED])
def test_explain_equals_folding_the_layers(default: Patch | None, chain: Sequence[Any]):
    with new_repository() as repository:
        layers = build(repository, default, chain)
        config, explanation = explain(repository, layers[-1].name)
    patches = [layer.patch for layer in layers]
    assert same(config, fold(patches))
    assert [layer.name for layer, _ in explanation.layers] == [layer.name for layer in layers[::-1]]
    assert [commit for _, commit in explanation.layers] == [layer.written[-1][0] for layer in layers[::-1]]

    position = {id(layer): len(layers) - 1 - index for index, (layer, _) in enumerate(explanation.layers)}
    expected = leaves(config)
    assert [field.pointer for field in explanation.fields] == [pointer(keys) for keys in expected]
    for (keys, value), field in zip(expected.items(), explanation.fields, strict=True):
        winner = max(at for at in range(len(layers)) if keys in leaves(fold(patches[at:], {})))
        assert same(field.value, value)
        assert (position[id(field.set_by)], field.commit) == (winner, layers[winner].since(keys))
        below = [(at, said(patches[at], keys)) for at in reversed(range(winner))]
        beaten = [(at, value) for at, value in below if value is not NOTHING]
        assert [position[id(value.layer)] for value in field.beaten] == [at for at, _ in beaten]
        assert all(same(found.value, value) for found, (_, value) in zip(field.beaten, beaten, strict=True))


@settings(max_examples=15)
@given(st.none() | OVERRIDES, LAYERS)
def test_explain_lists_a_field_as_removed_where_the_last_value_is_null(default: Patch | None, chain: Sequence[Any]):
    with new_repository() as repository:
        layers = build(repository, default, chain)
        config, explanation = explain(repository, layers[-1].name)
    patches = [layer.patch for layer in layers]
    nulls = {keys for patch in patches for keys, value in leaves(patch).items() if value is None}
    expected = {}
    for keys in nulls:
        words = [(layer, said(layer.patch, keys)) for layer in layers[::-1]]
        words = [(layer, value) for layer, value in words if value is not NOTHING]
        if words[0][1] is None and any(value is not None for _, value in words):
            expected[pointer(keys)] = (words[0][0].since(keys), [value for _, value in words[1:]])
            assert said(config, keys) is NOTHING
    told = {field.pointer: (field.commit, [value.value for value in field.beaten]) for field in explanation.removed}
    assert same(told, expected)


@settings(max_examples=8)
@given(LAYERS, OVERRIDES)
def test_explain_stays_the_same_whatever_happens_to_the_templates(chain: Sequence[Any], later: Patch):
    with new_repository() as repository:
        layers = build(repository, None, chain)
        name = layers[-1].name
        _, before = explain(repository, name)
        put_default(repository, later)
        for number, template in enumerate(sorted({layer.name for layer in layers[1:]} - {name})):
            if number % 2:
                put(repository, template, "default", later)
            else:
                FOLDER.delete(repository, ALICE, template, UNCONDITIONAL)
        _, after = explain(repository, name)
    assert (after.layers, after.fields, after.removed) == (before.layers, before.fields, before.removed)
