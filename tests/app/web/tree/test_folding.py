"""What of a family is drawn, and what is counted in folds."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from app.web.tree.folding import Folded, Limits, View, fold
from app.web.tree.graph import TOP, Family, build
from tests.app.web.tree.families import LIMITS, TEMPLATES, views


def folds_of(folded: Folded) -> list[tuple[str, int, View]]:
    return [(each.parent, each.count, each.view) for each in [*folded.before.values(), *folded.after.values()]]


def seen_from(family: Family, view: View, limits: Limits) -> set[str]:
    """Return all names that somebody sees who follows each fold."""
    seen, asked, waiting = set[str](), set[View](), [view]
    while waiting:
        view = waiting.pop()
        if view not in asked:
            asked.add(view)
            folded = fold(family, view, limits=limits)
            seen.update(folded.names)
            waiting += [view for _, _, view in folds_of(folded)]
    return seen


@given(TEMPLATES, LIMITS, st.data())
def test_each_name_is_drawn_or_counted_in_exactly_one_fold(templates: Mapping[str, str], limits: Limits, data):
    family = build(templates)
    view = data.draw(views(family))
    drifted = data.draw(st.sets(st.sampled_from(family.order)))
    folded = fold(family, view, sorted(drifted), limits)
    below = [name for name in family.order if view.root == TOP or view.root in family.path(name)]
    assert len(folded.names) == len(set(folded.names))
    assert set(folded.names) <= set(below)
    folds = [*folded.before.values(), *folded.after.values()]
    assert len(folded.names) + sum(each.count for each in folds) == len(below)
    assert len(drifted & set(folded.names)) + sum(each.drifted for each in folds) == len(drifted & set(below))


@given(TEMPLATES, LIMITS, st.data())
def test_a_picture_has_as_many_names_as_there_is_room_for(templates: Mapping[str, str], limits: Limits, data):
    family = build(templates)
    view = data.draw(views(family))
    folded = fold(family, view, limits=limits)
    room = limits.room(len(view.opened)) + (view.root != TOP)
    assert len(folded.names) <= room
    assert len(folds_of(folded)) <= len(folded.names) + 2
    top = len(family.path(view.root)) if view.root != TOP else 0
    assert all(len(family.path(name)) - top <= limits.deepest for name in folded.names)


@given(TEMPLATES, LIMITS, st.data())
def test_a_fold_draws_something_that_it_counted(templates: Mapping[str, str], limits: Limits, data):
    family = build(templates)
    folded = fold(family, data.draw(views(family)), limits=limits)
    for parent, _, view in folds_of(folded):
        before, after = set(folded.children[parent]), set(fold(family, view, limits=limits).children[parent])
        assert after - before


@given(TEMPLATES, LIMITS)
def test_who_follows_each_fold_sees_each_name(templates: Mapping[str, str], limits: Limits):
    family = build(templates)
    assert seen_from(family, View(), limits) == set(family.order)


@given(TEMPLATES, LIMITS, st.data())
def test_the_same_view_is_the_same_picture(templates: Mapping[str, str], limits: Limits, data):
    view = data.draw(views(build(templates)))
    assert fold(build(templates), view, limits=limits) == fold(build(templates), view, limits=limits)


def test_a_small_family_is_drawn_whole():
    family = build({f"t{number}": f"t{number // 20 - 1}" if number > 19 else "default" for number in range(99)})
    assert (len(fold(family, View()).names), folds_of(fold(family, View()))) == (100, [])


def test_a_fold_of_one_name_is_the_name_itself():
    limits = Limits(steps=(2,), most=20, opened=5, most_opened=40)
    family = build(dict.fromkeys("abc", "default"))
    assert fold(family, View(), limits=limits).children["default"] == ["a", "b", "c"]
    family = build(dict.fromkeys("abcd", "default"))
    assert fold(family, View(), limits=limits).children["default"] == ["a", "b"]
    assert folds_of(fold(family, View(), limits=limits)) == [("default", 2, View(opened=("default",)))]


def test_a_thousand_targets_of_twenty_templates_show_each_template_with_some_targets():
    templates = {f"base-{number:02}": "default" for number in range(20)}
    templates |= {f"t-{number:03}": f"base-{number % 20:02}" for number in range(980)}
    folded = fold(build(templates), View())
    assert len(folded.names) <= 100
    assert len(folded.children["default"]) == 20
    assert {len(folded.children[name]) for name in folded.children["default"]} == {2}


def test_ten_thousand_targets_of_one_template_are_shown_a_hundred_at_a_time():
    family = build({f"t-{number:04}": "default" for number in range(10_000)})
    folded = fold(family, View())
    assert folds_of(folded) == [("default", 9_976, View(opened=("default",)))]
    folded = fold(family, View(opened=("default",)))
    assert folds_of(folded) == [("default", 9_900, View("default", ("default",), 100))]
    folded = fold(family, View("default", ("default",), 100))
    assert folds_of(folded) == [
        ("default", 100, View("default", ("default",), 0)),
        ("default", 9_800, View("default", ("default",), 200)),
    ]
