"""Manifests of runs in a repo: the log and the diff name them, and imports take those that are in order."""

from pathlib import Path

import pytest
from flask import Flask

from app.domain import canonical_yaml
from app.domain.manifests import Manifest, name_of
from tests.app.api.bundles import assert_refused, bundle_of, commit, data_dir, import_
from tests.app.domain.manifests import manifest
from tests.app.runs_in_git import put_manifest
from tests.client import Client
from tests.storage.repositories import git
from tests.timeline import put_target


@pytest.fixture
def made(app: Flask, alice: Client) -> Manifest:
    """The manifest of a run of the target `a`."""
    put_target(alice, "a", temperature=0.5)
    return put_manifest(data_dir(app), target="a")


@pytest.fixture
def clone(app: Flask, made: Manifest, tmp_path: Path) -> Path:  # noqa: ARG001
    git(tmp_path, "clone", "--quiet", str(data_dir(app) / "repos/alice/demo.git"), "clone")
    return tmp_path / "clone"


def test_the_diff_names_the_run_and_tells_its_fields(alice: Client, made: Manifest):
    (file,) = alice.get(f"/v1/repo/demo/diff?from={made.commit}").json["files"]
    assert (file["kind"], file["name"], file["path"]) == ("run", name_of(made.path), made.path)
    assert {"field": "/rows", "new": 6} in file["changes"]
    assert {"field": "/rows_sha256", "new": made.rows_sha256} in file["changes"]


def test_other_files_beside_manifests_are_of_no_kind(app: Flask, alice: Client, made: Manifest, clone: Path):
    commit(clone, {"runs/a/notes.txt": "mine"})
    git(clone, "push", "--quiet", str(data_dir(app) / "repos/alice/demo.git"), "HEAD:main")
    files = alice.get(f"/v1/repo/demo/diff?from={made.commit}").json["files"]
    assert [(file["kind"], file["name"]) for file in files] == [("other", None), ("run", name_of(made.path))]


def test_the_log_tells_the_fields_of_a_manifest_and_is_found_by_them(alice: Client, made: Manifest):
    for query in (f"path={made.path}", "path=runs/", "path=runs/a/*", "field=/rows_sha256", "field=/inputs/config"):
        (entry,) = alice.get(f"/v1/repo/demo/log?{query}").json["commits"]
        assert [file["path"] for file in entry["files"]] == [made.path], query


def test_a_repo_with_manifests_can_be_imported_again(alice: Client, clone: Path, made: Manifest):
    assert import_(alice, "new", bundle_of(clone)).status_code == 201
    assert alice.get("/v1/repo/new/log?path=runs/").json["commits"][0]["files"][0]["path"] == made.path


def test_an_import_with_a_manifest_that_no_run_wrote_is_refused(alice: Client, clone: Path, made: Manifest):
    forged = {**made.document(), "inputs": {"kind": "rollout", "config": {}}}
    commit(clone, {made.path: canonical_yaml.dump(forged).decode()})
    assert_refused(alice, bundle_of(clone), f"{made.path}: its key is not the SHA-256 of its inputs")


def test_an_import_with_folders_in_the_folder_of_a_target_is_refused(alice: Client, clone: Path):
    path = clone / "runs/a/deeper/notes.txt"
    path.parent.mkdir()
    commit(clone, {"runs/a/deeper/notes.txt": "mine"})
    tree = git(clone, "rev-parse", "HEAD^{tree}").strip()
    assert_refused(alice, bundle_of(clone), f"runs/: it has folders in its folders in the tree {tree}")


def test_files_in_the_folders_of_targets_count(alice: Client, clone: Path):
    """500 folders with the same 500 files are one small tree each."""
    document = canonical_yaml.dump(manifest().document())
    blob = git(clone, "hash-object", "-w", "--stdin", stdin=document.decode()).strip()
    files = git(clone, "mktree", stdin="".join(f"100644 blob {blob}\tf{n}\n" for n in range(500))).strip()
    runs = git(clone, "mktree", stdin="".join(f"040000 tree {files}\td{n}\n" for n in range(500))).strip()
    kept = [line for line in git(clone, "ls-tree", "HEAD").splitlines() if not line.endswith("\truns")]
    root = git(clone, "mktree", stdin="\n".join([*kept, f"040000 tree {runs}\truns", ""])).strip()
    last = git(clone, "-c", "user.name=H", "-c", "user.email=h@h", "commit-tree", root, "-m", "Many", "-p", "HEAD")
    git(clone, "update-ref", "refs/heads/main", last.strip())
    assert_refused(alice, bundle_of(clone), f"the tree {root} has 25")
