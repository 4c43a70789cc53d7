"""The picture as SVG: boxes that are links, and lines between them. All text is text, whatever it holds."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from app.registry.field_changes import plural
from app.web.tree import cards
from app.web.tree.folding import Fold
from app.web.tree.layout import Box, Line, Sketch
from app.web.tree.members import Member

_NAME = 26  # columns of a name in a box
_ROUND = 7  # pixels
_TEXT_LEFT, _NAME_TOP, _FIELDS_TOP, _MARKS_TOP = 12, 22, 38, 54  # of a box's lines, in pixels
_FOLD_TOP = 19
# XML has no way to write these characters; the name of a file may hold them all the same.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the boxes of a picture lead: a target's page, None for what has none; and the names of a fold."""

    of_member: Callable[[Member], str | None]
    of_fold: Callable[[Fold], str]


def draw(
    sketch: Sketch, members: Mapping[str, Member], addresses: Addresses, *, title: str, style: str | None = None
) -> str:
    """Return the picture. A file that stands alone brings its own style."""
    size = {"width": str(sketch.width), "height": str(sketch.height)}
    frame = {"viewBox": f"0 0 {sketch.width} {sketch.height}", "class": "tree-picture", "role": "group"}
    names = {"aria-labelledby": "tree-title", "aria-describedby": "tree-description"}
    svg = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size, **frame, **names})
    _add(svg, "title", title, id="tree-title")
    _add(svg, "desc", _describe(members), id="tree-description")
    if style is not None:
        _add(svg, "style", style)
        SubElement(svg, "rect", {**size, "class": "paper"})
    for line in sketch.lines:
        SubElement(svg, "path", {"class": "line", "d": _path(line)})
    for box in sketch.boxes:
        if isinstance(box.shows, Fold):
            _draw_fold(svg, box, box.shows, addresses.of_fold(box.shows))
        else:
            _draw_member(svg, box, members[box.shows], addresses)
    return ElementTree.tostring(svg, encoding="unicode")


def fold_text(fold: Fold) -> str:
    """Return what stands for names that are not drawn: how many, and how many of these drifted."""
    count = f"{fold.count:,} before these" if fold.is_before else f"+ {fold.count:,} more"
    return f"{count}, {fold.drifted:,} drifted" if fold.drifted else count


def _describe(members: Mapping[str, Member]) -> str:
    drifted = sum(member.state == "drifted" for member in members.values())
    shown = f"{plural(len(members), 'name')} shown, {drifted} of these drifted."
    return (
        f"Each box is a template or a target, right of what it was made from. {shown} The same stands below as a list."
    )


def _path(line: Line) -> str:
    """Return the lines from a parent to each child: right to a common line, down, and right again."""
    start, turn = line.parent.x + line.parent.width, (line.parent.x + line.parent.width + line.children[0].x) // 2
    branches = "".join(f"M{turn} {child.middle}H{child.x}" for child in line.children)
    return f"M{start} {line.parent.middle}H{turn}V{line.children[-1].middle}{branches}"


def _draw_member(svg: Element, box: Box, member: Member, addresses: Addresses) -> None:
    link = _box(svg, box, f"box {member.kind} {member.state}", addresses.of_member(member), cards.told(member))
    _add(link, "text", cards.cut(member.name, _NAME), {"class": "name"}, x=_TEXT_LEFT, y=_NAME_TOP)
    _add(link, "text", cards.fitting_fields(member), {"class": "fields"}, x=_TEXT_LEFT, y=_FIELDS_TOP)
    marks = list(cards.fitting_marks(member))
    if marks:
        line = _add(link, "text", None, {"class": "marks"}, x=_TEXT_LEFT, y=_MARKS_TOP)
        for mark in marks:
            _add(line, "tspan", mark.text, {"class": mark.tone}).tail = " "


def _draw_fold(svg: Element, box: Box, fold: Fold, address: str) -> None:
    text = fold_text(fold)
    link = _box(svg, box, "box fold", address, f"{text} below {fold.parent}" if fold.parent else text)
    _add(link, "text", text, {"class": "more"}, x=_TEXT_LEFT, y=_FOLD_TOP)


def _box(svg: Element, box: Box, kind: str, address: str | None, told: str) -> Element:
    place = {"class": kind, "transform": f"translate({box.x} {box.y})"}
    found = SubElement(svg, "g", place) if address is None else SubElement(svg, "a", {**place, "href": address})
    _add(found, "title", told)
    SubElement(found, "rect", {"width": str(box.width), "height": str(box.height), "rx": str(_ROUND)})
    return found


def _add(
    parent: Element, tag: str, text: str | None, attributes: Mapping[str, str] | None = None, **more: object
) -> Element:
    found = SubElement(parent, tag, {**(attributes or {}), **{name: str(value) for name, value in more.items()}})
    found.text = None if text is None else _NOT_XML.sub("\ufffd", text)
    return found
