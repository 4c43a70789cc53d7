"""Manifests of runs: they survive their file, and only what a run may have written is one."""

import json
import re
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import canonical_json, canonical_yaml
from app.domain.manifests import Manifest, name_of, parse, path_of
from tests.app.domain.documents import TEXT, VALUES, exact
from tests.app.domain.manifests import INPUTS, manifest

_OBJECTS = st.dictionaries(TEXT, VALUES, max_size=5)


@given(_OBJECTS)
def test_a_manifest_survives_its_file(inputs: dict[str, Any]) -> None:
    written = manifest(inputs=inputs)
    read = parse(canonical_yaml.load(canonical_yaml.dump(written.document())))
    assert read == written
    assert exact(read.inputs) == exact(inputs)


@given(_OBJECTS)
def test_canonical_json_is_one_line_whatever_the_order_of_keys(value: dict[str, Any]) -> None:
    line = canonical_json.dump(value)
    assert json.loads(line) == value
    assert canonical_json.dump(dict(reversed(value.items()))) == line
    assert b"\n" not in line


def test_anybody_can_compute_a_key() -> None:
    text = '{"config":{"extra_kwargs":{"ü":[1,1.0,null]},"temperature":0.5},"kind":"rollout"}'
    assert manifest().key == sha256(text.encode()).hexdigest() == canonical_json.digest(INPUTS)


def test_infinity_has_no_canonical_json() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json.dump({"a": float("inf")})


def test_half_of_a_surrogate_pair_is_escaped() -> None:
    line = canonical_json.dump({"a": "\ud83d"})
    assert line == rb'{"a":"\ud83d"}'
    assert json.loads(line) == {"a": "\ud83d"}


def test_the_path_names_target_kind_and_key() -> None:
    found = manifest()
    assert found.path == f"runs/coding_target/rollout-{found.key[:12]}.yml" == path_of(*_place(found))
    assert name_of(found.path) == f"coding_target/rollout-{found.key[:12]}"


@pytest.mark.parametrize(
    "path",
    [
        "runs/a/stim-0123456789a.yml",
        "runs/a/stim-0123456789AB.yml",
        "runs/a/stim-0123456789ab.yaml",
        "runs/a/bake-0123456789ab.yml",
        "runs/a/b/stim-0123456789ab.yml",
        "runs/default/stim-0123456789ab.yml",
        "runs/.a/stim-0123456789ab.yml",
        "runs/stim-0123456789ab.yml",
        "run/a/stim-0123456789ab.yml",
        "runs/a/stim-0123456789ab.yml\n",
    ],
)
def test_no_run_has_its_manifest_elsewhere(path: str) -> None:
    assert name_of(path) is None


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("kind", "bake", "its kind must be stim or rollout"),
        ("kind", [], "its kind must be stim or rollout"),
        ("target", "default", "its target must be the name of a target"),
        ("target", "../a", "its target must be the name of a target"),
        ("key", "0" * 63, "its key must be 64 hex digits"),
        ("key", "0" * 64, f"its key is not the SHA-256 of its inputs, which is {canonical_json.digest(INPUTS)}"),
        ("commit", "A" * 40, "its commit must be 40 hex digits"),
        ("rows", True, "its rows must be a whole number, 0 or more"),
        ("rows", 6.0, "its rows must be a whole number, 0 or more"),
        ("tokens_in", -1, "its tokens_in must be a whole number, 0 or more"),
        ("tokens_out", None, "its tokens_out must be a whole number, 0 or more"),
        ("rows_sha256", None, "its rows_sha256 must be 64 hex digits"),
        ("failed", 7, "it counts more failed rows than rows"),
        ("truncated", 7, "it counts more truncated rows than rows"),
        ("empty", 7, "it counts more empty rows than rows"),
        ("inputs", [], "its inputs must be an object"),
        ("inputs", {"temperature": float("nan")}, "its inputs hold what JSON cannot say"),
        ("note", "", "no manifest has a field 'note'"),
    ],
)
def test_a_value_that_no_run_wrote_is_told(field: str, value: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        parse({**manifest().document(), field: value})


@pytest.mark.parametrize("field", [*manifest().document()])
def test_a_field_that_is_missing_is_told(field: str) -> None:
    document = {name: value for name, value in manifest().document().items() if name != field}
    with pytest.raises(ValueError, match=f"^it has no {field}$"):
        parse(document)


def _place(found: Manifest) -> tuple[str, Any, str]:
    return found.target, found.kind, found.key
