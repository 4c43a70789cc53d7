"""`bakehouse repos`: what becomes of whole repos, from the command line of the server."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from app.cli import main
from storage.journal.checkpointer import Checkpointer
from tests.app.cli.verifying import HAND
from tests.client import Client, assert_error
from tests.payloads import target
from tests.storage.repositories import git

TARGETS = "/v1/repo/demo/targets"


@pytest.fixture
def run(app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch):
    """Return what runs `bakehouse repos` on the data directory of alice, while her server runs."""
    alice.post(TARGETS, target("a"))
    monkeypatch.setenv("BAKEHOUSE_DATA_DIR", str(app.extensions["bakehouse"].settings.data_dir))

    def run(*arguments: str, status: int = 0) -> Result:
        result = CliRunner().invoke(main, ["repos", *arguments])
        assert result.exit_code == status, result.output
        return result

    return run


def data_dir(app: Flask) -> Path:
    path: Path = app.extensions["bakehouse"].settings.data_dir
    return path


def test_repos_are_listed_deleted_and_restored_beside_a_server(alice: Client, run):
    commit = alice.get("/v1/repo/demo").headers["Git-Commit"]
    assert run("list").output == f"alice/demo\tQwen/Qwen3-32B\t{commit}\n"
    assert run("list", "bob").output == ""
    told = run("delete", "alice/demo", "--reason", "No longer used").output
    assert told.startswith("Deleted alice/demo. Its id is ")
    assert_error(alice.get(TARGETS), 404, "RESOURCE_NOT_FOUND", "'demo'")
    name, id_, deleted_at, user, until = run("deleted", "alice").output.rstrip("\n").split("\t")
    assert (name, user) == ("alice/demo", "operator")
    assert deleted_at < until
    (listed,) = alice.get("/v1/deleted").json["deleted"]
    assert (listed["id"], listed["deleted_by"], listed["until"]) == (id_, "operator", until)
    assert listed["reason"] == "No longer used"
    assert run("undelete", "alice/demo", "--as", "back", "--id", id_).output == "Restored alice/back.\n"
    assert alice.get("/v1/repo/back/targets").json == {"targets": ["a"]}
    assert run("deleted", "alice").output == ""


def test_repos_are_renamed_and_transferred(app: Flask, master: Client, alice: Client, run):
    master.post("/v1/admin/users", {"user_id": "bob"})
    assert run("rename", "alice/demo", "nightly").output == "Renamed alice/demo to alice/nightly.\n"
    assert alice.get(TARGETS).headers["Location"] == "/v1/repo/nightly/targets"
    assert run("transfer", "alice/nightly", "bob").output == "Transferred alice/nightly to bob/nightly.\n"
    assert alice.get("/v1/repo").json == {"repos": []}
    log = git(data_dir(app) / "repos/bob/nightly.git", "log", "--format=%an: %s")
    assert log.splitlines()[0] == "Operator (command line): Rename repo alice/demo to alice/nightly"


def test_a_deleted_repo_of_a_removed_user_is_imported_for_another_one(app: Flask, master: Client, alice: Client, run):
    """Nobody could reach it under the name of the removed user."""
    master.post("/v1/admin/users", {"user_id": "bob"})
    id_ = alice.delete("/v1/repo/demo").json["id"]
    assert master.delete("/v1/admin/users/alice").status_code == 200
    assert "User 'alice' not found" in run("undelete", "alice/demo", status=1).output
    assert run("list").output == ""
    assert run("deleted", "alice").output.startswith(f"alice/demo\t{id_}\t")
    run("import", "bob/demo", str(data_dir(app) / f"repos/.deleted/alice/demo.{id_}.git"))
    assert master.get(TARGETS, X_User_Id="bob").json == {"targets": ["a"]}


def test_a_bundle_goes_out_and_comes_in(alice: Client, run, tmp_path: Path):
    bundle = tmp_path / "demo.bundle"
    assert run("export", "alice/demo", str(bundle)).output == f"Exported alice/demo to {bundle}.\n"
    assert "there is a file" in run("export", "alice/demo", str(bundle), status=2).output
    run("import", "alice/copy", str(bundle), "--reason", "From the backup")
    assert alice.get("/v1/repo/copy/targets/a").json == alice.get(f"{TARGETS}/a").json
    assert alice.get("/v1/repo/copy/log").json["commits"][0]["reason"] == "From the backup"
    assert "'alice/copy' already" in run("import", "alice/copy", str(bundle), status=1).output
    assert "'nobody'" in run("import", "nobody/copy", str(bundle), status=1).output


def test_a_clone_or_a_folder_of_another_server_comes_in(
    app: Flask, alice: Client, run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    source = data_dir(app) / "repos/alice/demo.git"
    git(tmp_path, "clone", "--quiet", str(source), "clone")
    run("import", "alice/from-clone", str(tmp_path / "clone"))
    with monkeypatch.context() as patch:
        patch.setattr(Checkpointer, "schedule", lambda *_: None)
        alice.post(TARGETS, target("in-the-journal"))
        shutil.copytree(source, tmp_path / "copy.git")
    run("import", "alice/from-copy", str(tmp_path / "copy.git"))
    assert alice.get("/v1/repo/from-clone/targets").json == {"targets": ["a"]}
    assert alice.get("/v1/repo/from-copy/targets").json == {"targets": ["a", "in-the-journal"]}


def test_each_finding_is_printed_and_nothing_is_made(app: Flask, alice: Client, run, tmp_path: Path):
    git(tmp_path, "clone", "--quiet", str(data_dir(app) / "repos/alice/demo.git"), "clone")
    for name in ("one.txt", "two.txt"):
        (tmp_path / "clone" / name).write_text("x")
    git(tmp_path / "clone", "add", ".")
    git(tmp_path / "clone", *HAND, "commit", "--quiet", "-m", "Mine")
    output = run("import", "alice/new", str(tmp_path / "clone"), status=1).output
    assert output.splitlines()[:2] == [f"{name}: Bakehouse puts nothing there" for name in ("one.txt", "two.txt")]
    assert "was not imported" in output
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{data_dir(app) / 'repos/alice/demo.git'}", "shallow")
    assert "shallow" in run("import", "alice/new", str(tmp_path / "shallow"), status=1).output
    run("import", "alice/new", str(tmp_path), status=1)
    assert alice.get("/v1/repo").json == {"repos": ["demo"]}


@pytest.mark.parametrize(
    "arguments",
    [
        ("delete", "demo"),
        ("delete", "alice/../x"),
        ("rename", "alice/demo", "a b"),
        ("undelete", "alice/demo", "--as", "x.git"),
        ("delete", "alice/demo", "--reason", "two\nlines"),
    ],
)
def test_a_name_or_a_reason_that_is_none_is_refused(alice: Client, run, arguments: tuple[str, ...]):
    assert "it must" in run(*arguments, status=2).output
    assert alice.get("/v1/repo").json == {"repos": ["demo"]}


def test_what_is_not_there_is_told_in_a_sentence(run):
    assert "Repo 'nope' not found" in run("delete", "alice/nope", status=1).output
    assert "Deleted repo 'nope' not found" in run("undelete", "alice/nope", status=1).output
    assert "'nobody' not found" in run("transfer", "alice/demo", "nobody", status=1).output
