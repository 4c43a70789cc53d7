"""A text is found in any case, and what is passed over without a parse does not have it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.canonical_yaml import dump, load
from app.domain.text_search import Wanted, texts
from tests.app.domain.documents import TEXT, VALUES

# Values as somebody may write them by hand.
BY_HAND = [
    *(
        '"\\x74utor"',
        "'it''s'",
        ">-\n  tu\n  tor",
        "|\n  tu\n\n  tor",
        "tu\n  tor",
        '"tu\\\n  tor"',
        "tut\u00f6r",
        "&x tutor",
        "*x",
    ),
    *(
        "&x tutor",
        "*x",
        "0x1F",
        "0o17",
        "0b11",
        "1_000",
        "1:30",
        ".5",
        "1e3",
        "+12",
        "yes",
        "Off",
        "-.inf",
        ".NaN",
        "~",
    ),
    *("[tutor, 0x10, yes]", "{tutor: 0x1F, yes: no}", "{<<: {b: tutor}}", "!!str 12", "!!binary dHV0b3I=", "# x"),
]
DOCUMENTS = st.dictionaries(TEXT, VALUES, max_size=3).map(dump) | st.lists(st.sampled_from(BY_HAND), max_size=3).map(
    lambda values: "".join(f"k{at}: {value}\n" for at, value in enumerate(values)).encode()
)


def parts(text: str) -> set[str]:
    """Return the parts of a text, in the other case, too; of a long text only some."""
    found = {text[start:end] for end in range(1, len(text) + 1)[:12] for start in range(end)}
    return found | {part.swapcase() for part in found}


@given(DOCUMENTS)
@example(b"k: 0x1F\n")
@example(b'k: "\\x74utor"\n')
@example("k: tuto\u017f\n".encode())
def test_a_document_that_is_passed_over_has_no_such_text(yaml: bytes):
    try:
        found = [text for _, text in texts(load(yaml), with_names=True)]
    except ValueError:
        return
    for wanted in map(Wanted, {part for text in found for part in parts(text)} | {"tutos"}):
        if any(wanted.find(text) for text in found):
            assert wanted.may_be_in(yaml), wanted.text


@pytest.mark.parametrize("wanted", ["tutor", "TUTOR x", "a-tutor", "x 34", "truer"])
def test_a_document_without_the_text_needs_no_parse(wanted: str):
    assert not Wanted(wanted).may_be_in(b"model_name: Qwen/Qwen3-32B\nmax_tokens: 12\nrollout: true\n")


@pytest.mark.parametrize("wanted", ["12", "1.5", "tru", "nan", "-", "ä", ": ,"])
def test_a_text_that_a_number_or_no_word_may_be_needs_one(wanted: str):
    assert Wanted(wanted).may_be_in(b"a: 0x0C\nb: yes\n")


@pytest.mark.parametrize("yaml", [b'a: "\\x74utor"\n', "a: tutör\n".encode()])
def test_a_document_with_a_backslash_or_other_letters_needs_one(yaml: bytes):
    assert Wanted("tutor").may_be_in(yaml)
