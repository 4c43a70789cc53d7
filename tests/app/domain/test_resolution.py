"""Resolution: RFC 7396 and its laws."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.differences import is_same
from app.domain.resolution import canonical, combine, in_order, merge_patch, normalize, resolve

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), JSON, max_size=4)

# The test cases of RFC 7396, appendix A: original, patch, result.
RFC_CASES = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("original", "patch", "result"), RFC_CASES)
def test_merge_patch_does_the_cases_of_rfc_7396(original, patch, result):
    assert merge_patch(original, patch) == result


@given(OBJECTS, OBJECTS)
def test_resolve_changes_no_argument(template, overrides):
    before = copy.deepcopy((template, overrides))
    assert resolve(template, overrides) == resolve(template, overrides)
    assert (template, overrides) == before


@given(OBJECTS, OBJECTS)
def test_resolve_is_idempotent(template, overrides):
    once = resolve(template, overrides)
    assert resolve(once, overrides) == once


@given(OBJECTS, OBJECTS, OBJECTS)
def test_combine_of_two_patches_equals_resolving_twice(base, lower, upper):
    before = copy.deepcopy((base, lower, upper))
    combined = resolve(base, combine(base, lower, upper))
    assert is_same(combined, resolve(resolve(base, lower), upper))
    assert (base, lower, upper) == before


@given(OBJECTS, st.lists(OBJECTS, max_size=5))
def test_combine_of_many_patches_equals_resolving_each(base, patches):
    combined, expected = {}, base
    for patch in patches:
        combined, expected = combine(base, combined, patch), resolve(expected, patch)
    assert is_same(resolve(base, combined), expected)


@pytest.mark.parametrize(
    ("base", "lower", "upper", "combined"),
    [
        ({}, {"a": 1}, {"b": None}, {"a": 1, "b": None}),
        ({}, {"a": {"b": 1, "c": 1}}, {"a": {"c": None}}, {"a": {"b": 1, "c": None}}),
        ({"a": {"b": 1}}, {"a": None}, {"a": {"c": 1}}, {"a": {"b": None, "c": 1}}),
        ({"a": {"b": 1}}, {"a": 5}, {"a": {"c": None}}, {"a": {"b": None}}),
        ({"a": {"b": {"d": 1}}}, {"a": [1]}, {"a": {"b": {"c": 1}}}, {"a": {"b": {"d": None, "c": 1}}}),
    ],
)
def test_combine_keeps_the_removals_of_the_lower_patch(base, lower, upper, combined):
    assert combine(base, lower, upper) == combined


@given(OBJECTS)
def test_resolve_without_overrides_is_the_template(template):
    assert resolve(template, {}) == template


@given(OBJECTS, OBJECTS)
def test_resolve_removes_nulls_and_keeps_the_rest(template, overrides):
    result = resolve(template, overrides)
    for name, value in overrides.items():
        assert (name in result) == (value is not None)
    for name in template.keys() - overrides.keys():
        assert result[name] == template[name]


@given(st.permutations(["temperature", "model_name", "generators", "extra_kwargs"]))
def test_in_order_sorts_fields_as_the_contract_does(names):
    values = {
        "temperature": 1.0,
        "model_name": "m",
        "generators": [{"seed": 1, "type": "persona", "numq": None}],
        "extra_kwargs": {"b": {"d": 1, "c": 2}, "a": 1},
    }
    config = canonical({name: values[name] for name in names})
    assert list(config) == ["generators", "model_name", "temperature", "extra_kwargs"]
    assert list(config["generators"][0].items()) == [("type", "persona"), ("seed", 1)]
    assert list(config["extra_kwargs"]) == ["a", "b"]
    assert list(config["extra_kwargs"]["b"]) == ["c", "d"]


@given(st.sampled_from([{}, {"b": 1}, {"b": {"d": 1}}]), st.sampled_from([{}, {"a": 1}, {"b": {"c": {}}}]))
def test_resolve_of_canonical_parts_is_canonical(base, more):
    template = canonical({"generators": [{"type": "persona"}], "temperature": 1.0, "extra_kwargs": base})
    overrides = normalize({"extra_kwargs": more, "model_name": "m", "temperature": None})
    config = in_order(resolve(template, overrides))
    assert json.dumps(config) == json.dumps(canonical(config))


@pytest.mark.parametrize(
    ("overrides", "stored"),
    [
        ({"u": "a", "v": ""}, {"teacher_prompt": "a", "student_prompt": ""}),
        ({"u": "old", "teacher_prompt": "new"}, {"teacher_prompt": "new"}),
        ({"teacher_prompt": "new", "u": "old"}, {"teacher_prompt": "new"}),
        ({"u": "old", "teacher_prompt": None}, {"teacher_prompt": None}),
    ],
)
def test_normalize_stores_deprecated_names_under_the_new_ones(overrides, stored):
    assert normalize(overrides) == stored
