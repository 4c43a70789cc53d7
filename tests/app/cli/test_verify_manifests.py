"""`bakehouse verify` on `runs/`: manifests as runs write them are in order, all else is a finding."""

from pathlib import Path
from typing import Any

import pytest

from app.domain import canonical_yaml
from tests.app.cli.verifying import assert_found, commit, verify
from tests.app.domain.manifests import manifest
from tests.app.runs_in_git import put_manifest
from tests.client import Client
from tests.storage.repositories import git

TARGETS = "/v1/repo/demo/targets"


@pytest.fixture
def made(data_dir: Path, alice: Client) -> dict[str, Any]:
    """The document of a manifest that is in order, of a target that was deleted later."""
    put_manifest(data_dir, target="calm_target", kind="stim", inputs={"kind": "stim"})
    document = {**put_manifest(data_dir, target="calm_target").document()}
    alice.delete(f"{TARGETS}/calm_target")
    return document


def changed(clone: Path, document: dict[str, Any], path: str | None = None) -> str:
    """Commit a manifest by hand, and return its path."""
    path = path or manifest(**document).path
    (clone / path).parent.mkdir(exist_ok=True, parents=True)
    (clone / path).write_bytes(canonical_yaml.dump(document))
    commit(clone)
    return path


def test_manifests_are_in_order_also_after_their_target_was_deleted(data_dir: Path, made: dict[str, Any], clone: Path):
    assert_found(verify(clone))
    assert_found(verify(data_dir=data_dir))
    assert manifest(**made).path in git(clone, "ls-files")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"rows": -1}, "its rows must be a whole number, 0 or more"),
        ({"inputs": {"kind": "stim"}}, "its key is not the SHA-256 of its inputs"),
        ({"note": "by hand"}, "no manifest has a field 'note'"),
        ({"commit": "1" * 40}, f"its commit {'1' * 40} is not in the history"),
    ],
)
def test_a_manifest_with_wrong_fields_is_found(made: dict[str, Any], clone: Path, fields: dict[str, Any], problem: str):
    path = changed(clone, {**made, **fields}, manifest(**made).path)
    assert_found(verify(clone), f"{clone}: {path}: …{problem}")


def test_a_manifest_of_a_target_that_its_commit_does_not_have_is_found(made: dict[str, Any], clone: Path):
    path = changed(clone, {**made, "target": "another"})
    assert_found(verify(clone), f"{clone}: {path}: at its commit {made['commit']} there is no target 'another'")


def test_a_manifest_at_another_place_is_found(made: dict[str, Any], clone: Path):
    right = manifest(**made).path
    for path in ("runs/another/rollout-0123456789ab.yml", right.replace("rollout", "stim")):
        changed(clone, made, path)
        assert_found(verify(clone), f"{clone}: {path}: by its kind, target and key it belongs at {right}")
        (clone / path).unlink()


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("runs/notes.txt", "Bakehouse puts nothing there"),
        ("runs/calm_target/notes.txt", "its name is none of a run's"),
        ("runs/calm_target/deeper/rollout-0123456789ab.yml", "it is missing, or no plain file"),
        ("runs/default/rollout-0123456789ab.yml", "its name is none of a run's"),
        ("other/calm_target/rollout-0123456789ab.yml", "it is missing, or no plain file"),
    ],
)
def test_other_files_are_found(made: dict[str, Any], clone: Path, path: str, problem: str):
    changed(clone, made, path)
    found = verify(clone).stdout.splitlines()
    assert len(found) == 1
    assert problem in found[0]


def test_a_manifest_that_bakehouse_did_not_write_is_found(made: dict[str, Any], clone: Path):
    path = manifest(**made).path
    (clone / path).write_text(f"# by hand\n{(clone / path).read_text()}")
    commit(clone)
    assert_found(verify(clone), f"{clone}: {path}: it is not written as Bakehouse writes it")
    (clone / path).write_text("a: [")
    commit(clone)
    assert_found(verify(clone), f"{clone}: {path} is not a document that Bakehouse wrote")
