"""Where names and folds stand in a picture."""

from collections.abc import Mapping
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from app.web.tree.folding import Fold, Limits, View, fold
from app.web.tree.graph import build
from app.web.tree.layout import Box, Sketch, place
from tests.app.web.tree.families import LIMITS, TEMPLATES, views


def overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def assert_is_tidy(sketch: Sketch) -> None:
    for one, other in combinations(sketch.boxes, 2):
        assert not overlap(one, other)
    for box in sketch.boxes:
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= sketch.width
        assert box.y + box.height <= sketch.height
    for line in sketch.lines:
        assert line.children[0].y == line.parent.y
        for above, child in zip([line.parent, *line.children], line.children, strict=False):
            assert child.x > line.parent.x + line.parent.width
            assert child.y >= above.y


@given(TEMPLATES, LIMITS, st.data())
def test_no_two_boxes_overlap_and_children_stand_right_of_their_parent(
    templates: Mapping[str, str], limits: Limits, data
):
    family = build(templates)
    folded = fold(family, data.draw(views(family)), limits=limits)
    sketch = place(folded)
    assert_is_tidy(sketch)
    shown = [box.shows for box in sketch.boxes]
    assert sorted(name for name in shown if isinstance(name, str)) == sorted(folded.names)
    folds = [each for each in shown if isinstance(each, Fold)]
    assert len(folds) == len(folded.before) + len(folded.after)
    for line in sketch.lines:
        for child in line.children:
            parent = child.shows.parent if isinstance(child.shows, Fold) else family.parents[child.shows]
            assert line.parent.shows == parent
    assert place(folded) == sketch


@given(TEMPLATES, LIMITS)
def test_no_line_goes_through_a_box(templates: Mapping[str, str], limits: Limits):
    sketch = place(fold(build(templates), View(), limits=limits))
    for line in sketch.lines:
        trunk = Box("", line.parent.x + line.parent.width + 1, line.parent.middle, 1, 1)
        trunk = Box("", trunk.x, trunk.y, 1, line.children[-1].middle - trunk.y + 1)
        assert not any(overlap(trunk, box) for box in sketch.boxes)


def test_nothing_below_a_fold_takes_more_room_than_the_name_itself():
    limits = Limits(steps=(1,), most=2, opened=1, most_opened=2, deepest=1)
    sketch = place(fold(build({"a": "default", "b": "a", "c": "lost"}), View("a"), limits=limits))
    assert [(box.shows, box.x, box.y) for box in sketch.boxes] == [("a", 8, 8), ("b", 288, 8)]


def test_a_repo_without_targets_has_its_default():
    sketch = place(fold(build({}), View()))
    assert [box.shows for box in sketch.boxes] == ["default"]
