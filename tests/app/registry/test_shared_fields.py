"""The YAML of fields that targets share with their template: the same bytes, written once."""

import pytest
from hypothesis import given

from app.domain.canonical_yaml import dump
from app.domain.yaml_size import least_size, may_exceed
from app.registry import shared_fields
from tests.app.api.helpers import TARGETS
from tests.app.domain.documents import TEXT, VALUES
from tests.client import Client
from tests.payloads import made, target

VALUE = {"lines": [f"line {number}" for number in range(1000)]}


@given(VALUES, VALUES, TEXT)
def test_the_joined_parts_are_what_dump_writes(one, other, name: str):
    document = {"template": "default", "overrides": {"a": one}, "config": {"a": one, name: other, "b": [one]}}
    assert shared_fields.join(document, {}) == dump(document)
    part = dump({"config": {"b": [one]}}).removeprefix(b"config:\n")
    assert shared_fields.join(document, {"b": part}) == dump(document)
    for small in ({"config": {}}, {"config": {"a": one}}, {"messages": [one]}):
        assert shared_fields.join(small, {}) == dump(small)


@given(VALUES)
def test_the_size_is_never_more_than_what_dump_writes(value):
    document = {"a": value, "b\nc": [value, {"d": value}]}
    assert least_size(document) <= len(dump(document))
    assert may_exceed(document, len(dump(document)) - 1)


def test_the_size_of_plain_values_is_exact():
    document = {"a": [1, "two", [[], {}], {"b": {"c": [3, [4, [5]]]}}], "d": "e\n\nf\n", "g": {"h": None}}
    # The size counts a byte for `[]`, `{}` and `null`, and none for the `|` of the text.
    assert len(dump(document)) == least_size(document) + 1 + 1 + 3 + 1


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_batch_writes_the_fields_of_its_template_once(alice: Client, monkeypatch: pytest.MonkeyPatch, method: str):
    alice.put("/v1/repo/demo/defaults/target", {"config": {"extra_kwargs": VALUE}})
    sizes: list[int] = []

    def count(document):
        sizes.append(len(dump(document)))
        return dump(document)

    monkeypatch.setattr(shared_fields, "dump", count)
    monkeypatch.setattr("app.registry.documents.dump", count)
    items = [target(f"t{number}", temperature=number / 100) for number in range(50)]
    answer = alice.request(method, f"{TARGETS}/batch", {"targets": items})
    assert len(answer.json["created"]) == 50
    assert sum(sizes) < 4 * len(dump(VALUE))


def test_a_field_that_a_target_changes_is_its_own(alice: Client):
    alice.put("/v1/repo/demo/defaults/target", {"config": {"extra_kwargs": VALUE, "temperature": 0.5}})
    for name, kwargs in (("a", None), ("b", {"lines": ["other"]}), ("c", {"more": 1}), ("d", {"lines": None})):
        changes = {} if kwargs is None else {"extra_kwargs": kwargs}
        alice.put(f"{TARGETS}/{name}", made(**changes))
        config = alice.get(f"{TARGETS}/{name}").json["config"]
        expected = {key: value for key, value in {**VALUE, **(kwargs or {})}.items() if value is not None}
        assert (config["extra_kwargs"], config["temperature"]) == (expected, 0.5)
