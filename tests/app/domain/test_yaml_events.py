"""Reading YAML from events gives what `yaml.load` gives, or leaves the document to it."""

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain import yaml_events
from app.domain.canonical_yaml import dump, load
from tests.app.domain.documents import AWKWARD, TEXT, VALUES, exact

WORDS = st.sampled_from([*AWKWARD, "&a", "*a", "!!str 1", "! 1", "!x y", "{a: 1, a: 2}", "[1, [2]]", "{<<: {b: 1}}"])
LINES = st.lists(st.sampled_from(["", "- ", "  ", "k: ", "? ", "--- ", "  - ", '"q": ', "1: ", "<<: "]), max_size=4)
WRITTEN = st.lists(st.tuples(LINES, WORDS).map(lambda line: "".join(line[0]) + line[1]), max_size=5).map("\n".join)


def outcome(read: Any, data: bytes) -> Any:
    try:
        return exact(read(data))
    except (yaml.YAMLError, ValueError, RecursionError, TypeError):
        return "not read"


@given(WRITTEN)
@example("a: &x [1]\nb: *x")
@example("a: 1\n---\nb: 2")
@example("")
@example("{a: 1, a: 2, b: {a: 1}, a: 3}")
@example("- 1_0\n- 0b11\n- 1:30\n- .5\n- ~\n- 2024-01-01\n- yes\n- '1'\n- |\n  1\n")
def test_what_events_give_is_what_yaml_load_gives(text: str):
    data = text.encode()
    try:
        value = yaml_events.read(data)
    except (yaml_events.NotSimple, yaml.YAMLError):
        return
    assert exact(value) == outcome(lambda data: yaml.load(data, Loader=yaml.CSafeLoader), data)


@given(WRITTEN)
@example("a: &x [1]\nb: *x")
@example("<<: {a: 1}")
def test_load_reads_what_yaml_load_reads(text: str):
    data = text.encode()
    whole = outcome(lambda data: yaml.load(data, Loader=yaml.CSafeLoader), data)
    assert outcome(load, data) in (whole, "not read")
    if text in ("a: &x [1]\nb: *x", "<<: {a: 1}"):
        assert outcome(load, data) == whole != "not read"


@given(st.dictionaries(TEXT, VALUES, max_size=5))
def test_what_bakehouse_writes_is_read_from_events(document: dict[str, Any]):
    assert exact(yaml_events.read(dump(document))) == exact(document)


@pytest.mark.parametrize(("levels", "is_read"), [(127, True), (900, False)])
def test_a_document_is_read_as_deep_as_load_allows(levels: int, is_read: bool):
    deep = "".join(f"{' ' * depth}a:\n" for depth in range(levels)).encode()
    if is_read:
        assert exact(yaml_events.read(deep)) == exact(load(deep))
        return
    with pytest.raises(yaml_events.NotSimple):
        yaml_events.read(deep)
    with pytest.raises(ValueError, match="plain data"):
        load(deep)
