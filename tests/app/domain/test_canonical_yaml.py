"""Canonical YAML: a round trip loses nothing, and the same data gives the same bytes."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain import former_yaml
from app.domain.canonical_yaml import dump, load
from tests.app.domain.documents import AWKWARD, TEXT, VALUES, exact


@given(st.dictionaries(TEXT, VALUES, max_size=5))
@example({text: text for text in AWKWARD})
@example({"a": 1e22, "b": -0.0, "c": 1e-7, "d": 10**4000, "e": {}, "f": [], "g": [[], {}]})
def test_load_returns_exactly_what_dump_was_given(document):
    assert exact(load(dump(document))) == exact(document)


@given(st.dictionaries(TEXT, VALUES, max_size=3))
def test_dump_of_equal_data_gives_equal_bytes(document):
    assert dump(load(dump(document))) == dump(document)


def test_dump_writes_readable_yaml():
    document = {
        "template": "default",
        "overrides": {"temperature": 1.5, "max_tokens": None},
        "config": {
            "questions": ["one", "no"],
            "text": "first\nsecond\n",
            "extra_kwargs": {},
            "stream": False,
        },
    }
    assert dump(document).decode() == (
        "template: default\n"
        "overrides:\n  temperature: 1.5\n  max_tokens: null\n"
        "config:\n"
        "  questions:\n  - one\n  - 'no'\n"
        "  text: |\n    first\n    second\n"
        "  extra_kwargs: {}\n  stream: false\n"
    )


@pytest.mark.parametrize(
    "text", ["a", "a b, c:d {e} [f]", "C# is", "http://x/?a=b&c", "it's", 'a "b"', "x\u00a0\u4e2d", "nile"]
)
def test_texts_that_no_reader_takes_for_something_else_are_plain(text):
    assert dump({"k": text}).decode() == f"k: {text}\n"


NOT_PLAIN = ["", " ", "yES", "y", "nan", "a:", "a: b", "a #b", "a ", "-", "_a", "1", "\u4e2d", "<<", "ye\u017f"]


@pytest.mark.parametrize("text", NOT_PLAIN)
def test_texts_that_some_reader_takes_for_something_else_are_quoted(text):
    assert dump({"k": text}).decode() == f"k: '{text}'\n"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        *(("'s", "'''s'"), ("\u2028", r'"\L"'), ("a\u2029", r'"a\P"'), ("\x85", r'"\N"'), ("\ufeff", r'"\uFEFF"')),
        *(("\x7f", r'"\x7F"'), ("\U0001f600", r'"\U0001F600"'), ('\t"\\\n', r'"\t\"\\\n"')),
        *(("a\n", "|\n  a"), ("a\n\nb", "|-\n  a\n\n  b"), ("a\n\n", r'"a\n\n"'), (" a\nb", r'" a\nb"')),
    ],
)
def test_other_texts_are_escaped_or_literal_blocks(text, written):
    assert dump({"k": text}).decode() == f"k: {written}\n"


def test_long_keys_and_the_key_that_ruby_merges_are_written_out():
    document = {"k" * 129: {"a": [1]}, "l" * 129: [1], "m" * 129: 1, "<<": {"a": {}}}
    assert dump(document).decode() == (
        f"? {'k' * 129}\n: a:\n  - 1\n? {'l' * 129}\n: - 1\n? {'m' * 129}\n: 1\n!!str '<<':\n  a: {{}}\n"
    )


FORMER = Path(__file__).with_name("former.yml")  # written by the version before
FORMER_DOCUMENT = {
    "template_version": "4aa5219",
    **{"1e3": "1e3", "0x1F": "0X1F", "no": "No", "y": "~", "": " ", "<<": "=", "1": "2024-1-2", "k" * 130: [{"a": []}]},
    "lists": [
        [["nested"]],
        {"a": 1, "b": {}},
        1.5e22,
        -0.0,
        1e-07,
        None,
        True,
        "\u00e9t\u00e9",
        "\u4e2d\n\uff0c",
        "it's",
    ],
    "lines": ["a\nb", "a\n", "a\n\n", "\na", "a\n  b\n", "a\tb\nc", "First.\n\u2028Second.", "x\x85y", "\U0001f600\nz"],
}


def test_files_of_the_version_before_are_read_and_recognized():
    assert exact(load(FORMER.read_bytes())) == exact(FORMER_DOCUMENT)
    assert former_yaml.dump(FORMER_DOCUMENT) == FORMER.read_bytes() != dump(FORMER_DOCUMENT)


@pytest.mark.parametrize("text", [text for text in AWKWARD if len(text) < 100])
def test_dump_writes_no_aliases(text):
    shared = [text]
    assert b"&" not in dump({"a": shared, "b": shared}).replace(text.encode(), b"")


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"text", b"- list", b"a: [", b"a: !!python/object:os.system x", b"\xff"),
        *(b"1: 2", b"a: 2024-01-01", b"a: .nan", b"a: [-.inf]", b"a: 1.0e+999", b"a: 0x" + b"f" * 4000),
        *(b"a: !!timestamp x", b"a: !!bool x", b"a: !!int ''", b"a: " + b"1:" * 400 + b"1.5"),
        *(b"a: &a [*a]", b"a: &a {b: *a, c: *a}", b"a: " + b"[" * 300 + b"]" * 300, b"a: " + b"[" * 2000),
    ],
    ids=lambda data: data[:20],
)
def test_load_refuses_what_is_not_a_document(data):
    with pytest.raises(ValueError, match="YAML"):
        load(data)


def test_load_reads_aliases():
    assert load(b"a: &a [1, 2]\nb: *a\n") == {"a": [1, 2], "b": [1, 2]}


def test_load_refuses_aliases_that_expand_to_billions_of_values():
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 9)}]" for number in range(1, 20)]
    with pytest.raises(ValueError, match="YAML"):
        load("\n".join(lines).encode())


def test_dump_of_long_text_takes_no_exponential_time():
    """With a backtracking pattern this would never end."""
    code = "from app.domain.canonical_yaml import dump; dump({'a': 'a\\n' + 'b' * 50_000 + '\\t'})"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
