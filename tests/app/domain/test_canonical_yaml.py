"""Canonical YAML: a round trip loses nothing, and the same data gives the same bytes."""

import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.canonical_yaml import dump, emit, load

AWKWARD = [
    *("no", "Yes", "y", "null", "~", "", " ", "1e3", "1E5", ".5", "+1", "0o17", "0x1F", "1_000", "1:30"),
    *("2024-01-01", "2024-01-01T00:00:00Z", ".inf", "-.INF", ".NaN", "<<", "=", "-", "- a", "? a", "a: b"),
    *(
        "a\nb",
        "a\n",
        "a\n\n",
        "\na",
        " a\nb",
        "a \nb",
        "a\n  b\n",
        "a\tb\nc",
        "\r\n",
        "x\x85y",
        "x\u2028y\nz",
    ),
    *(
        "# no comment",
        "%TAG",
        "---",
        "...\n",
        "\x00",
        "\x07\n",
        "\x7f",
        "\ufeffb",
        "😀\nz",
        "é\nü",
        "'",
        '"',
        "\\",
    ),
    *("a" * 2000, "a " * 2000, "9" * 4000),
]
TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(AWKWARD)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(10**80), 10**80) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def exact(value):
    """Return a value so that 1, 1.0 and True, or two orders of keys, are not equal."""
    if isinstance(value, dict):
        return ["dict", [(name, exact(item)) for name, item in value.items()]]
    if isinstance(value, list):
        return ["list", [exact(item) for item in value]]
    return [type(value).__name__, repr(value)]


@given(st.dictionaries(TEXT, VALUES, max_size=5))
@example({text: text for text in AWKWARD})
@example({"a": 1e22, "b": -0.0, "c": 1e-7, "d": 10**4000, "e": {}, "f": [], "g": [[], {}]})
def test_load_returns_exactly_what_dump_was_given(document):
    assert exact(load(dump(document))) == exact(document)


LINES = st.text("abN1 -:#'\"{}[],&*!|>%@`?~", max_size=5) | TEXT
SHORT_VALUES = st.recursive(
    st.none() | st.integers() | LINES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(LINES, inner, max_size=3),
    max_leaves=20,
)


@given(st.dictionaries(LINES, SHORT_VALUES, max_size=4))
@example({text: [text, [text], {text: text}] for text in AWKWARD if "\n" not in text})
@example({"a": [[["b"]], [[], {}], {"c": [{"d": [1]}]}], "e": {"f": {}}, "": {"": [""]}, "k" * 127: [1]})
@example({"k" * length: "v" * length for length in range(120, 210)})
@example({name: {"k": value} for name, value in zip("abcdefg", (1, True, 1.0, 0, False, 0.0, -0.0), strict=True)})
@example({})
def test_dump_writes_what_libyaml_writes(document):
    assert dump(document) == emit(document)


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


@pytest.mark.parametrize("text", [text for text in AWKWARD if len(text) < 100])
def test_dump_writes_no_aliases(text):
    shared = [text]
    assert b"&" not in dump({"a": shared, "b": shared}).replace(text.encode(), b"")


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"text", b"- list", b"a: [", b"a: !!python/object:os.system x", b"\xff"),
        *(b"1: 2", b"a: 2024-01-01", b"a: .nan", b"a: [-.inf]", b"a: 1.0e+999", b"a: 0x" + b"f" * 4000),
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
