"""YAML that a person types: the same data as canonical YAML, and each mistake with its place."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain import canonical_yaml, typed_yaml
from app.domain.typed_yaml import Unreadable
from tests.app.domain.documents import AWKWARD, TEXT, VALUES, exact


@given(st.dictionaries(TEXT, VALUES, max_size=5))
@example({text: text for text in AWKWARD})
@example({"a": 1e22, "b": -0.0, "c": 1e-7, "d": 10**4000, "e": {}, "f": [], "g": [[], {}], "<<": {"h": 1}})
def test_canonical_yaml_is_read_as_what_was_written(document):
    value, _ = typed_yaml.read(canonical_yaml.dump(document).decode())
    assert exact(value) == exact(document)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        ("# nothing\n", 1, 1),
        ("a: 1\na: 2\n", 2, 1),
        ("a:\n  b: 1\n  'b': 2\n", 3, 3),
        ("a: {b: 1, b: 2}\n", 1, 11),
        ("a: *x\n", 1, 4),
        ("a: &x 1\n", 1, 4),
        ("a: &x [1]\n", 1, 4),
        ("a: !!int 1\n", 1, 4),
        ("a: !x {}\n", 1, 4),
        ("a: 2020-01-01\n", 1, 4),
        ("a: .inf\n", 1, 4),
        ("<<: {a: 1}\n", 1, 1),
        ("1: 2\n", 1, 1),
        ("yes: 2\n", 1, 1),
        ("? [a]\n: b\n", 1, 3),
        ("a: [1,\n", 1, 4),
        ("a: 'x\n", 1, 4),
        ("a: b: c\n", 1, 5),
        ("\tb: 1\n", 1, 1),
        ("a: 1\n---\nb: 2\n", 2, 1),
        ("é: 1\na: \x01\n", 2, 4),
        ("a: " + "[" * 200, 1, 131),
    ],
)
def test_a_mistake_has_its_line_and_column(text: str, line: int, column: int):
    with pytest.raises(Unreadable) as caught:
        typed_yaml.read(text)
    assert (caught.value.line, caught.value.column) == (line, column), str(caught.value)
    assert str(caught.value).startswith(f"Line {line}, column {column}: ")


def test_a_place_has_its_line_or_that_of_what_is_around_it():
    _, lines = typed_yaml.read("a:\n  b:\n  - 1\n  - c: 2\nd: {}\n")
    found = {keys: lines.find(keys) for keys in [(), ("a",), ("a", "b", 1, "c"), ("a", "b", 7), ("d", "x"), ("e",)]}
    assert found == {(): 1, ("a",): 1, ("a", "b", 1, "c"): 4, ("a", "b", 7): 2, ("d", "x"): 5, ("e",): 1}
