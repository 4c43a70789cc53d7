"""Every YAML reader reads the texts, keys and numbers that canonical YAML writes as what they are."""

import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from app.domain.canonical_yaml import dump
from tests.app.domain import readers

WORDS = [
    *("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nil", "none", "nan", "inf", "infinity"),
    *("~", ".nan", ".inf", "-.inf", "+.inf", "<<", "=", "-", "?", ":", "!", "!!str", "&a", "*a", "__proto__"),
    *("0X1F", "0x1f", "0B11", "0b11", "0O17", "0o17", "+0o17", "017", "08", "1e_3", "1_0e3", "1e3", "1E5", "1_000"),
    *("2024-1-2", "2024-01-01", "2024-1-2T3:4:5Z", "2024-01-01 00:00:00", "12:30", "1:30:00", "190:20:30.15"),
    *(
        "._",
        ".5",
        "5.",
        "+1",
        "-0",
        "1.",
        "1,000",
        "1,000.5",
        ":sym",
        ':"sym"',
        "::",
        "a:",
        "a: b",
        "a :b",
        "a #b",
        "#",
    ),
    *(
        "ye\u017f",
        "o\ufb00",
        "\u212a",
        "\uff59\uff45\uff53",
        "true ",
        " true",
        "null\n",
        "yes\n\n",
        "- a",
        "? a",
        "%TAG",
    ),
    *(
        "---",
        "--- a",
        "...",
        "a\n---\nb",
        "a\n...\nb\n",
        "[a]",
        "{a}",
        "a, b",
        "'a'",
        '"a"',
        "@a",
        "`a`",
        "|",
        ">",
        "a|",
    ),
    *(
        "",
        " ",
        "\n",
        "\n\n",
        "a\n",
        "a\n\n",
        "\na",
        " a\nb",
        "a\n b",
        "a \nb",
        "a\n\n\nb",
        "a\tb",
        "\ta",
        "a\t",
        "\r\n",
    ),
    *("a\r\nb", "a\rb", "x" * 2000, "x " * 1000, "'" * 200, "\\" * 200, '"' * 200, "\u00e9" * 130, "#\n#\n", "a\n#b\n"),
]
CASES = [case for word in WORDS for case in dict.fromkeys((word, word.upper(), word.title(), word.swapcase()))]
CASES += [f"{word[:1]}{word[1:].upper()}" for word in WORDS if word.isalpha()]
# Characters that are no letters: spaces, breaks, controls, marks and signs.
SPECIAL = [
    chr(code)
    for code in [*range(0x3000), *range(0xD7F0, 0xD800), *range(0xE000, 0xE010), *range(0xFE00, 0x10010), 0x1F600]
    if code < 0x80 or unicodedata.category(chr(code))[0] in "ZC" or code in (0xFFFC, 0x1F600)
]
NUMBERS = [
    *(0, -1, 7, 10, 2**31, 2**53 - 1, 2**53, -(2**53), 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1, 2**64, 10**30),
    *(0.0, -0.0, 1.0, 0.1, -2.5, 1e16, 1e22, 1e-7, 1.5e300, -1e-300, 5e-324, 1.7976931348623157e308, 123456789.125),
]


def _around(text: str) -> Any:
    """Return values that hold a text at every place where YAML can write one."""
    return {"value": text, "list": [text, [text]], text: 1, "inner": {text: {text: [text]}}, "last": [{text: text}]}


ALPHABET = st.characters(exclude_categories=["Cs"]) | st.sampled_from(
    "aAyYnN01-:#'\"{}[],&*!|>%@`?~=<.+_/\\ \n\t\r\x00\x1b\x7f\x85\xa0\xad\u2028\u2029\u200b\ufeff\ufffe\U0001f600"
)
TEXTS = st.text(ALPHABET, max_size=12) | st.sampled_from(CASES)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)


@cache
def _generated(count: int) -> list[Any]:
    """Return documents at random, so that readers in other processes can read them all at once."""
    found: list[Any] = []

    @settings(max_examples=count, phases=[Phase.generate], database=None)
    @given(st.dictionaries(TEXTS, VALUES, max_size=5))
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return found


everywhere = pytest.mark.parametrize("read", readers.ALL)


def _assert_read(read: Any, documents: list[Any], folder: Path) -> None:
    found = read([dump(document).decode() for document in documents], folder)
    assert readers.mistakes(documents, found)[:20] == []


@everywhere
def test_every_reader_reads_texts_and_keys_that_look_like_something_else(read, tmp_path):
    _assert_read(read, [_around(text) for text in CASES], tmp_path)


@everywhere
def test_every_reader_reads_every_special_character(read, tmp_path):
    documents = [
        {"in": f"a{char}b", "alone": char, "ends": f"{char}a{char}", "lines": f"a\n{char}b{char}\n{char}\nc", char: 1}
        for char in SPECIAL
    ]
    _assert_read(read, documents, tmp_path)


@everywhere
def test_every_reader_reads_keys_that_collide_where_they_are_not_quoted(read, tmp_path):
    keys = [
        "1",
        "1.0",
        "0x1",
        "01",
        "+1",
        "true",
        "True",
        "yes",
        "y",
        "null",
        "~",
        "",
        "<<",
        "=",
        "1e0",
        "0o1",
        "2024-01-01",
    ]
    _assert_read(read, [{key: {key: key} for key in keys}], tmp_path)


@everywhere
def test_every_reader_reads_numbers_as_the_same_numbers(read, tmp_path):
    _assert_read(read, [{"n": number, "l": [number]} for number in NUMBERS], tmp_path)


@everywhere
def test_every_reader_reads_generated_documents(read, tmp_path):
    _assert_read(read, _generated(400), tmp_path)
