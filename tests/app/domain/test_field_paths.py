"""Paths of fields: with dots, and as JSON Pointers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import field_paths
from app.domain.differences import MISSING, pointer
from app.domain.field_paths import UnknownField
from app.schemas.targets import GeneratorSchema, TargetConfigSchema
from tests.app.domain.documents import TEXT, VALUES

CONFIG = {
    "temperature": 0.7,
    "generators": [{"type": "hardcoded", "questions": ["Why?", "How?"]}, {"type": "persona", "numq": 3}],
    "extra_kwargs": {"a.b": {"0": "zero"}, "list": [1, [2, None]]},
}


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("temperature", int | float, 0.7),
        ("model_name", str, MISSING),
        ("generators", list, CONFIG["generators"]),
        ("generators.1", dict, {"type": "persona", "numq": 3}),
        ("generators.1.numq", int, 3),
        ("generators.0.numq", int, MISSING),
        ("generators.2.numq", int, MISSING),
        ("generators.0.questions.1", str, "How?"),
        ("generators.0.rollout_with_conditioned", bool, MISSING),
        ("/generators/1/numq", int, 3),
        ("extra_kwargs", dict, CONFIG["extra_kwargs"]),
        ("/extra_kwargs/a.b", object, {"0": "zero"}),
        ("/extra_kwargs/a.b/0", object, "zero"),
        ("extra_kwargs.list.1.0", object, 2),
        ("extra_kwargs.list.1.1", object, None),
        ("extra_kwargs.list.01", object, MISSING),
        ("extra_kwargs.list.-1", object, MISSING),
        ("extra_kwargs.list.x", object, MISSING),
        ("extra_kwargs.a.b", object, MISSING),
        ("/extra_kwargs/", object, MISSING),
    ],
)
def test_a_path_leads_to_a_value_and_says_its_kind(text: str, kind: object, value: object):
    path = field_paths.read(text)
    assert (path.text, path.kind) == (text, kind)
    assert field_paths.lookup(CONFIG, path.keys) == value


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("temprature", "'temprature'; did you mean 'temperature'?"),
        ("u", "did you mean 'teacher_prompt'?"),
        ("xyz", "here are teacher_prompt, student_prompt, generators,"),
        ("generators.x", "'generators' is a list: name an entry by its number, such as generators.0"),
        ("generators.-1", "is a list"),
        ("generators.0.numqs", "'numqs' below 'generators.0'; did you mean 'numq'?"),
        ("generators.0.questions.first", "'generators.0.questions' is a list"),
        ("generators.0.questions.0.x", "'generators.0.questions.0' is a text, and there is nothing below it"),
        ("temperature.x", "'temperature' is a number, and there is nothing below it"),
        ("/", "There is no field ''"),
        ("", "names with a dot between them"),
        (".temperature", "names with a dot between them"),
        ("extra_kwargs..a", "names with a dot between them"),
        ("x" * 5000, "There is no field"),
    ],
)
def test_a_path_that_no_config_has_is_refused_with_a_hint(text: str, hint: str):
    with pytest.raises(UnknownField) as error:
        field_paths.read(text)
    assert hint in str(error.value)


def test_every_field_of_the_schemas_can_be_named():
    for name in TargetConfigSchema().fields:
        assert field_paths.read(name).keys == (name,)
    for name in GeneratorSchema().fields:
        assert field_paths.read(f"generators.3.{name}").keys == ("generators", "3", name)


def places(value: object, keys: tuple[str | int, ...] = ()):
    """Yield each place in a value, and what is there."""
    yield keys, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*keys, key))


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_every_place_below_extra_kwargs_has_a_pointer(extra: dict[str, object]):
    for keys, value in places(extra, ("extra_kwargs",)):
        path = field_paths.read(pointer(keys))
        assert field_paths.lookup({"extra_kwargs": extra}, path.keys) is value
