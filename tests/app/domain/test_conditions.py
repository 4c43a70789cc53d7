"""Conditions: how they are read, what they mean, and what is wrong with others."""

import json
import operator
from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain import conditions, field_paths
from app.domain.conditions import MOST, ConditionProblem
from app.domain.differences import MISSING
from tests.app.domain.documents import TEXT, VALUES

NUMBERS = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)


def read(text: str) -> list[tuple[str, str, object]]:
    return [(found.path.text, found.operator, found.value) for found in conditions.read(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("temperature>1", [("temperature", ">", 1)]),
        ("temperature>=1.5e0", [("temperature", ">=", 1.5)]),
        (" temperature  <  -1 ", [("temperature", "<", -1)]),
        ("model_name~qwen", [("model_name", "~", "qwen")]),
        ("model_name~ Qwen 3 ", [("model_name", "~", "Qwen 3")]),
        ('model_name~"a, b"', [("model_name", "~", "a, b")]),
        ("model_name=3", [("model_name", "=", "3")]),
        ("model_name=true", [("model_name", "=", "true")]),
        ("model_name=null", [("model_name", "=", None)]),
        ('model_name="null"', [("model_name", "=", "null")]),
        ('model_name=""', [("model_name", "=", "")]),
        ("model_name=a=b>c~d", [("model_name", "=", "a=b>c~d")]),
        ("max_tokens!=null", [("max_tokens", "!=", None)]),
        ("generators.0.rollout_with_conditioned=true", [("generators.0.rollout_with_conditioned", "=", True)]),
        ("generators=[]", [("generators", "=", [])]),
        ('extra_kwargs={"a": [1, 2]},temperature<=2', [("extra_kwargs", "=", {"a": [1, 2]}), ("temperature", "<=", 2)]),
        ("extra_kwargs.x=5,extra_kwargs.y=five", [("extra_kwargs.x", "=", 5), ("extra_kwargs.y", "=", "five")]),
        ("extra_kwargs.x~5", [("extra_kwargs.x", "~", "5")]),
        ("/extra_kwargs/a~1b~c", [("/extra_kwargs/a~1b", "~", "c")]),
        ("/extra_kwargs/a~0>1", [("/extra_kwargs/a~0", ">", 1)]),
        ("/model_name ~1", [("/model_name", "~", "1")]),
    ],
)
def test_conditions_are_read(text: str, found: list[tuple[str, str, object]]):
    assert read(text) == found


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (",", "A condition is empty: write a field, one of"),
        ("temperature>1,", "A condition is empty"),
        ("temperature>1,,model_name~a", "A condition is empty"),
        ("temperature", "'temperature' is no condition"),
        (">1", "'>1' is no condition"),
        ("temprature>1", "did you mean 'temperature'?"),
        ("temperature>", "'temperature>' has no value; an empty text is \"\""),
        ("temperature>x", "'temperature>x': > compares with a number"),
        ("temperature>true", "> compares with a number"),
        ("temperature=hot", "'temperature=hot': 'temperature' is a number: give such a value, or null"),
        ("temperature=true", "'temperature' is a number"),
        ("temperature~1", "'temperature~1': ~ looks into texts, and 'temperature' is a number"),
        ("model_name>1", "'model_name>1': > compares numbers, and 'model_name' is a text"),
        ("model_name=[1]", "'model_name' is a text"),
        ('model_name~""', "~ looks for a text that is not empty"),
        ("model_name~[1]", "~ looks for a text"),
        ("generators>1", "> compares numbers, and 'generators' is a list"),
        ("generators=x", "'generators' is a list"),
        ("generators.0.rollout_with_conditioned=1", "is true or false"),
        ("extra_kwargs.x>a", "> compares with a number"),
        ('model_name="a', "is not JSON: a text ends with a quote"),
        ('model_name="a"b', "put a comma behind the value, or quotes around it"),
        ("generators=[[[", "is not JSON"),
        ("generators=" + "[" * 1900, "is not JSON"),
        (",".join(["temperature>1"] * (MOST + 1)), f"more than {MOST} conditions"),
    ],
)
def test_what_is_no_condition_is_refused_with_a_hint(text: str, hint: str):
    with pytest.raises(ConditionProblem) as error:
        conditions.read(text)
    assert hint in str(error.value)
    assert len(str(error.value)) < 400


@given(TEXT)
def test_any_text_is_read_or_refused(text: str):
    with suppress(ConditionProblem):
        assert conditions.read(text)


@given(st.lists(VALUES, min_size=1, max_size=4), st.sampled_from(["=", "!="]))
def test_any_json_can_be_compared_with(values: list[object], sign: str):
    text = " , ".join(f"extra_kwargs.x{sign}{json.dumps(value)}" for value in values)
    assert [json.dumps(found.value) for found in conditions.read(text)] == [json.dumps(value) for value in values]


@given(VALUES | st.just(MISSING), NUMBERS, st.sampled_from([">", ">=", "<", "<="]))
def test_order_is_of_numbers_only(value: object, wanted: float, sign: str):
    [condition] = conditions.read(f"extra_kwargs.x{sign}{json.dumps(wanted)}")
    order = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}[sign]
    assert condition.holds(value) == (type(value) in (int, float) and order(value, wanted))


@given(VALUES | st.just(MISSING), VALUES)
def test_unequal_is_all_that_is_not_equal(value: object, wanted: object):
    equal, unequal = (conditions.read(f"extra_kwargs.x{sign}{json.dumps(wanted)}")[0] for sign in ("=", "!="))
    assert equal.holds(wanted)
    assert equal.holds(value) != unequal.holds(value)


@given(TEXT, TEXT)
def test_a_text_contains_a_part_of_it_in_upper_and_lower_case(text: str, part: str):
    assume(part)
    [condition] = conditions.read(f"model_name~{json.dumps(part)}")
    assert condition.holds(f"{text}{part}{text}")
    assert condition.holds(part.casefold())
    assert condition.holds(text) == (part.casefold() in text.casefold())


@pytest.mark.parametrize(
    ("wanted", "equal", "unequal"),
    [
        (1, [1, 1.0], [True, "1", 2, None, MISSING, [1]]),
        (None, [None, MISSING], [0, "", False, [], {}]),
        (True, [True], [1, 1.0, "true", MISSING]),
        ([1, {"a": 2.0}], [[1.0, {"a": 2}]], [[1], [True, {"a": 2}], [{"a": 2}, 1], {}]),
        ({"a": 1}, [{"a": 1.0}], [{"a": True}, {"a": 1, "b": 2}, {}, []]),
    ],
)
def test_equal_means_the_same_json_where_1_is_1_0(wanted: object, equal: list[object], unequal: list[object]):
    condition = conditions.Condition(field_paths.read("extra_kwargs.x"), "=", wanted)
    assert [value for value in [*equal, *unequal] if condition.holds(value)] == equal
