"""Rebase of whole trees of targets, compared with resolving them anew."""

from collections.abc import Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.preconditions import UNCONDITIONAL
from app.registry.audit import lineage
from app.registry.configs import rebase, targets
from storage.repository import Repository
from tests.app.registry.layers import ALICE, OVERRIDES, Patch, Tree, fold, new_repository, same
from tests.storage.repositories import git

# Which target, or the default, is written; which template it is given, or itself; its overrides.
WRITES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), OVERRIDES), min_size=2, max_size=12)
PATCH = {"extra_kwargs": {"a": {"b": 1}}}
OVER = {"extra_kwargs": {"a": None, "b": {"a": 1}}}


def grown(repository: Repository, writes: Sequence[tuple[int, int, Patch]]) -> Tree:
    tree = Tree()
    for write in writes:
        tree.write(repository, *write)
    return tree


def rebase_tree(repository: Repository, name: str, *, dry_run: bool = False) -> list[rebase.Drift]:
    """Rebase a target and all below it."""
    rebased = rebase.rebase(repository, ALICE, name, UNCONDITIONAL, with_descendants=True, dry_run=dry_run)
    assert rebased.commit == repository.head().commit
    return rebased.changed


def count(repository: Repository) -> int:
    return int(git(repository.path, "rev-list", "--count", "main"))


@settings(max_examples=15)
@given(WRITES)
@example([(1, 0, {}), (1, 1, PATCH), (1, 1, OVER), (2, 1, PATCH), (2, 2, OVER), (0, 0, PATCH)])
def test_rebase_of_a_tree_equals_resolving_it_anew(writes: Sequence[tuple[int, int, Patch]]):
    with new_repository() as repository:
        tree = grown(repository, writes)
        for root in [name for name, (template, _) in tree.made.items() if template == "default"]:
            before = count(repository)
            foretold = rebase_tree(repository, root, dry_run=True)
            assert count(repository) == before
            changed = rebase_tree(repository, root)
            assert changed == foretold
            assert count(repository) == before + bool(changed)
            order = [found.target.name for found in changed]
            assert set(order) <= set(tree.below(root))
            assert all(
                order.index(tree.made[name][0]) < place
                for place, name in enumerate(order)
                if tree.made[name][0] in order
            )
            assert rebase_tree(repository, root) == []
            assert count(repository) == before + bool(changed)
        now = repository.head()
        for name in tree.made:
            target = targets.get(now, name)
            assert same(target.config, tree.config(name))
            assert rebase.drift(now, name).is_current
            layers = lineage.chain(now, target)
            assert same(target.config, fold([layer.patch for layer in layers[::-1]]))


@settings(max_examples=15)
@given(WRITES)
def test_drift_equals_what_a_rebase_then_changes(writes: Sequence[tuple[int, int, Patch]]):
    with new_repository() as repository:
        tree = grown(repository, writes)
        for name, (template, patches) in tree.made.items():
            now = repository.head()
            drift = rebase.drift(now, name)
            base = tree.default if template == "default" else targets.get(now, template).config
            assert drift.template == template
            assert same(drift.rebased.config, fold(patches, base))
            rebased = rebase.rebase(repository, ALICE, name, UNCONDITIONAL, with_descendants=False, dry_run=False)
            assert [found.differences for found in rebased.changed] == [drift.differences] * (not drift.is_current)
            assert same(targets.get(repository.head(), name).config, fold(patches, base))


@settings(max_examples=10)
@given(WRITES)
def test_descendants_lists_all_targets_made_from_a_target(writes: Sequence[tuple[int, int, Patch]]):
    with new_repository() as repository:
        tree = grown(repository, writes)
        for name in tree.made:
            now = repository.head()
            found = [rebase.drift(now, child, depth) for child, depth in rebase.descendants(now, name)]
            depths = {drift.target.name: drift.depth for drift in found}
            assert len(found) == len(depths)
            assert [drift.depth for drift in found] == sorted(depths.values())
            assert {name, *depths} == set(tree.below(name))
            for child, depth in depths.items():
                assert depth == depths.get(tree.made[child][0], 0) + 1
