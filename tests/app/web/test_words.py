"""Marks at the words of a text that differ."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.words import Pieces, marked

TEXTS = st.lists(st.sampled_from(["bread", "rye", " ", "\n", ".", "ß", "<b>"]), max_size=30).map("".join)


def told(pieces: Pieces) -> str:
    return "".join(f"[{piece.text}]" if piece.is_changed else piece.text for piece in pieces)


def test_the_words_that_differ_are_marked():
    old, new = marked("Answer in two or three warm sentences.", "Answer in one to three sentences.")
    assert told(old) == "Answer in[ two or] three[ warm] sentences."
    assert told(new) == "Answer in[ one to] three sentences."


@given(TEXTS, TEXTS)
def test_the_pieces_are_the_texts(old: str, new: str):
    found = marked(old, new)
    if found:
        assert ["".join(piece.text for piece in side) for side in found] == [old, new]
        common = ["".join(piece.text for piece in side if not piece.is_changed) for side in found]
        assert common[0] == common[1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("one", "two"),
        ("one word", "nothing-alike"),
        (1, 2),
        (["a b"], ["a c"]),
        ("a b " * 50_000, "a c " * 50_000),
        ("".join(f"w{n} {n % 2} " for n in range(2000)), "".join(f"w{n} {n % 3} " for n in range(2000))),
    ],
)
def test_what_has_no_use_for_marks_has_none(old: Any, new: Any):
    assert marked(old, new) is None


def test_a_long_stretch_that_is_the_same_is_shown_without_its_middle():
    same = "bread and butter " * 1000
    old, new = marked(f"{same}rye", f"{same}wheat")
    assert len(told(old)) < 500
    assert told(old).endswith("[ rye]")
    assert told(new).endswith("[ wheat]")
    assert " […] " in told(new)
