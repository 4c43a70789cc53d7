"""The family of targets: one tree, whatever the files say."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from app.web.tree.graph import TOP, build
from tests.app.web.tree.families import NAMES, TEMPLATES


@given(TEMPLATES)
def test_each_name_stands_once_below_its_template(templates: Mapping[str, str]):
    family = build(templates)
    assert sorted(family.order) == sorted({"default", *templates, *templates.values()})
    for name, template in templates.items():
        assert family.parents[name] == (TOP if name in family.rings else template)
    for parent, below in family.children.items():
        assert all(family.parents[child] == parent for child in below)
    assert family.gone == set(templates.values()) - templates.keys() - {"default"}


@given(TEMPLATES)
def test_only_one_target_of_a_ring_is_at_the_top(templates: Mapping[str, str]):
    family = build(templates)
    for name, template in family.rings.items():
        assert templates[name] == template
        assert name in family.path(template)
        ring = family.path(template)[family.path(template).index(name) :]
        assert name == min(ring)
    roots = {name for name in family.order if family.parents[name] == TOP}
    assert roots == {"default"} | family.gone | family.rings.keys()


@given(TEMPLATES, st.randoms())
def test_the_order_of_the_targets_does_not_matter(templates: Mapping[str, str], chance):
    shuffled = list(templates.items())
    chance.shuffle(shuffled)
    one, other = build(templates), build(dict(shuffled))
    assert (one.order, one.rings, dict(one.children)) == (other.order, other.rings, dict(other.children))


@given(TEMPLATES, st.sets(st.sampled_from(NAMES)))
def test_totals_count_a_name_and_all_below_it(templates: Mapping[str, str], marked: set[str]):
    family = build(templates)
    sizes, found = family.totals(), family.totals(marked & templates.keys())
    for name in family.order:
        below = [other for other in family.order if name in family.path(other)]
        assert sizes[name] == len(below)
        assert found[name] == len(marked & templates.keys() & set(below))
    assert sizes[TOP] == len(family.order)


def test_a_target_may_be_its_own_template():
    family = build({"a": "a", "b": "a"})
    assert (family.rings, family.children) == ({"a": "a"}, {TOP: ["default", "a"], "a": ["b"]})


def test_templates_come_before_targets_that_nothing_was_made_from():
    family = build({"a": "default", "b": "default", "c": "b", "d": "lost"})
    assert family.children == {TOP: ["default", "lost"], "default": ["b", "a"], "b": ["c"], "lost": ["d"]}
    assert family.path("c") == ["default", "b", "c"]


def test_a_file_by_hand_that_is_called_default_is_not_the_default():
    assert build({"default": "a", "a": "default"}).children == {TOP: ["default"], "default": ["a"]}


def test_a_chain_of_ten_thousand_and_a_ring_of_ten_thousand_end():
    names = [f"t{number:05}" for number in range(10_000)]
    chain = build(dict(zip(names, ["default", *names], strict=False)))
    assert (len(chain.order), chain.totals()[TOP]) == (10_001, 10_001)
    ring = build(dict(zip(names, [names[-1], *names], strict=False)))
    assert (ring.rings, len(ring.order)) == ({"t00000": "t09999"}, 10_001)
