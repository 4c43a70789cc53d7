"""The picture as SVG: bounded, well formed, and text is text."""

from collections.abc import Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.differences import MISSING
from app.registry.field_changes import FieldChange
from app.web.tree import cards, drawing, layout
from app.web.tree.drawing import Addresses
from app.web.tree.folding import Fold, View, fold
from app.web.tree.graph import build
from app.web.tree.live import Holder
from app.web.tree.members import Member

SVG = "{http://www.w3.org/2000/svg}"
ADDRESSES = Addresses(lambda member: f"/{member.kind}", lambda found: f"/more/{found.view.start}")
HOSTILE = [
    "<script>alert(1)</script>",
    '"><image href="//evil.example">',
    "a&b;]]>",
    "x\x00\x1b\ud800\ufffe",
    "名" * 60,
]


def draw(templates: dict[str, str], **fields: object) -> str:
    family = build(templates)
    folded = fold(family, View())
    members = {name: Member(name, "target", templates.get(name), **fields) for name in folded.names}
    return drawing.draw(layout.place(folded), members, ADDRESSES, title="The family")


def boxes(svg: str) -> list[Element]:
    return [each for each in ElementTree.fromstring(svg) if "box" in each.get("class", "").split()]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text(name: str):
    svg = draw({name: "default"}, overrides={name: name}, holders=(Holder("label", name, same=True),))
    root = ElementTree.fromstring(svg)
    assert {each.tag.removeprefix(SVG) for each in root.iter()} == {
        *("svg", "title", "desc", "path", "a", "rect", "text", "tspan")
    }
    told = boxes(svg)[1].find(f"{SVG}title").text
    assert told.startswith(drawing._NOT_XML.sub("\ufffd", name))


@given(st.text(), st.text())
def test_any_text_makes_a_well_formed_picture(name: str, value: str):
    svg = draw({name or "x": "default"}, overrides={"extra_kwargs": {value: value}}, state="drifted")
    svg.encode("utf-8")
    assert len(boxes(svg)) == 2


@given(st.text(), st.integers(1, 40))
def test_a_cut_text_fits_and_says_that_it_is_cut(text: str, most: int):
    found = cards.cut(text, most)
    assert cards.columns(found) <= max(most, 1)
    assert found == text or (found.endswith("…") and text.startswith(found[:-1]))


@given(st.lists(st.builds(Holder, st.just("label"), st.text("ab", min_size=1, max_size=99), st.booleans()), max_size=8))
def test_marks_fit_into_a_box_and_count_the_others(holders: Sequence[Holder]):
    member = Member("a", "target", "default", "drifted", holders=holders)
    everything, fitting = list(cards.marks(member)), list(cards.fitting_marks(member))
    assert cards.columns(" ".join(mark.text for mark in fitting)) <= 31
    assert fitting[0] == cards.Mark("drifted", "warn")
    assert fitting == everything or fitting[-1].text == f"+{len(everything) - len(fitting) + 1}" or len(everything) < 3


def test_a_drifted_target_is_marked_by_colour_and_word_and_tells_what_a_rebase_changes():
    change = FieldChange("temperature", 0.5, 0.7)
    member = {"state": "drifted", "drift": [change], "overrides": {"max_tokens": None, "temperature": 0.5}}
    box = boxes(draw({"a": "default"}, **member))[1]
    assert box.get("class") == "box target drifted"
    assert "".join(box.findall(f"{SVG}text")[2].itertext()) == "drifted "
    assert box.find(f"{SVG}title").text.splitlines() == [
        "a",
        "made from default",
        "overrides max_tokens: removed, temperature: 0.5",
        "drifted: a rebase changes temperature: 0.5 → 0.7",
    ]


def test_a_box_tells_all_that_the_picture_has_no_room_for():
    name = "n" * 100
    overrides = {f"field_{number}": {"text": "v" * 300} for number in range(9)}
    holders = (Holder("label", "production", same=True), Holder("tag", "v1", same=False))
    box = boxes(draw({name: "default"}, overrides=overrides, holders=holders))[1]
    assert [text.text for text in box.findall(f"{SVG}text")][:2] == ["n" * 25 + "…", "field_0, field_1, field_2, fie…"]
    told = box.find(f"{SVG}title").text.splitlines()
    assert told[0] == name
    assert told[2].endswith(" and 3 more fields")
    assert len(told[2]) < 500
    assert told[3:] == ["label production has this version", "tag v1 has another version"]


def test_what_was_not_read_says_so():
    assert cards.told(Member("a", "target", "default", "drifted")).splitlines()[2:] == ["overrides not read", "drifted"]
    assert cards.value_text(MISSING) == "(unset)"


def test_ten_thousand_targets_make_a_picture_of_some_hundred_elements():
    names = [f"{'n' * 90}{number:05}" for number in range(10_000)]
    for templates in (
        dict.fromkeys(names, "default"),
        dict(zip(names, ["default", *names], strict=False)),
        {name: names[number // 10] for number, name in enumerate(names)},
        {name: f"gone-{name}" for name in names},
    ):
        svg = draw(templates, overrides={"temperature": 0.5}, state="drifted")
        assert len(list(ElementTree.fromstring(svg).iter())) < 1_500
        assert len(svg.encode()) < 100_000
        assert len(boxes(svg)) <= 201


def test_links_are_in_the_order_of_reading():
    svg = draw({"b": "a", "a": "default", "c": "default"})
    assert [box.find(f"{SVG}title").text.splitlines()[0] for box in boxes(svg)] == ["default", "a", "b", "c"]
    assert [box.tag for box in boxes(svg)] == [f"{SVG}a"] * 4
    root = ElementTree.fromstring(svg)
    assert [root[0].tag, root[0].text] == [f"{SVG}title", "The family"]
    assert root.get("aria-labelledby") == root[0].get("id")
    assert root.get("aria-describedby") == root[1].get("id")


def test_a_fold_says_how_many_it_counts():
    assert drawing.fold_text(Fold("a", False, 9_900, 1_200, View())) == "+ 9,900 more, 1,200 drifted"
    assert drawing.fold_text(Fold("a", False, 37, 0, View())) == "+ 37 more"
    assert drawing.fold_text(Fold("a", True, 100, 0, View())) == "100 before these"
    svg = draw({f"t{number:03}": "default" for number in range(200)})
    assert [boxes(svg)[-1].find(f"{SVG}{tag}").text for tag in ("title", "text")] == [
        "+ 176 more below default",
        "+ 176 more",
    ]
