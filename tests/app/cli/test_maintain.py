"""`bakehouse maintain`: repositories with many packs are packed, and the others are left alone."""

import errno
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from app import create_app
from app.cli import main
from app.runs.ledger.runs import NewRun
from app.runs.services import Runs
from storage import field_index, identity, maintenance
from storage.block_file import NAME
from storage.roll_up import pack_sizes
from tests.client import Client
from tests.payloads import target
from tests.seams import count_parses, refuse
from tests.storage.repositories import settle


@pytest.fixture
def data_dir(app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with one repo of many packs, and one of few."""
    monkeypatch.setattr(maintenance, "ROLL_UP_ABOVE", 5)
    monkeypatch.setattr(maintenance.Maintenance, "consider", lambda *_: None)
    path: Path = app.extensions["bakehouse"].settings.data_dir
    alice.post("/v1/repo", {"repo_name": "few"})
    for number in range(6):
        alice.post("/v1/repo/demo/targets", target(f"t{number}"))
        settle(path)
    return path


def maintain(data_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["maintain", *arguments], env={"BAKEHOUSE_DATA_DIR": str(data_dir)})


def names(result: Result) -> list[str]:
    """Return the names of the repositories that were maintained."""
    return [line.partition(":")[0] for line in result.stdout.splitlines()]


def test_maintain_packs_repositories_that_need_it(data_dir: Path, alice: Client):
    result = maintain(data_dir)
    assert result.exit_code == 0
    line, summary = result.output.splitlines()
    told = re.fullmatch(r"alice/demo: (\d+) bytes before, (\d+) after", line)
    assert int(told[1]) > int(told[2]) > 0
    assert summary == f"Maintained 1 repository: {told[1]} bytes before, {told[2]} after."
    assert len(pack_sizes(data_dir / "repos/alice/demo.git")) == 1
    assert maintain(data_dir).output == "Nothing to do: no repository needs maintenance.\n"
    assert alice.get("/v1/repo/demo/targets/t5").status_code == 200


def test_maintain_all_packs_every_repository(data_dir: Path):
    result = maintain(data_dir, "--all")
    assert names(result) == ["accounts", "alice/demo", "alice/few"]
    assert "Maintained 3 repositories: " in result.stderr


def test_maintain_makes_the_field_index_and_servers_read_it(
    app: Flask, data_dir: Path, alice: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(field_index, "COMMITS", 3)
    maintain(data_dir)
    count = len(alice.get("/v1/repo/demo/log").json["commits"])
    (data_dir / "repos/alice/demo.git" / NAME).unlink()
    result = maintain(data_dir)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"alice/demo: the fields of {count // 3 * 3} commits indexed\n"
    assert maintain(data_dir).output == "Nothing to do: no repository needs maintenance.\n"
    server = Client(create_app(app.extensions["bakehouse"].settings), alice.token)
    sizes = count_parses(monkeypatch)
    assert server.get("/v1/repo/demo/log?field=nothing").json == {"commits": [], "next": None}
    assert len(sizes) <= 2 * (count % 3) + 2  # the newest commits, and an account


def test_maintain_indexes_fields_nowhere_if_the_disk_refuses(data_dir: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(field_index, "COMMITS", 3)
    maintain(data_dir)
    path = data_dir / "repos/alice/demo.git" / NAME
    path.unlink()
    path.mkdir()  # SQLite cannot open it
    result = maintain(data_dir)
    assert (result.exit_code, result.output) == (0, "Nothing to do: no repository needs maintenance.\n")


def test_maintain_goes_on_after_a_damaged_repository(data_dir: Path):
    (data_dir / "repos/alice/demo.git/HEAD").unlink()
    result = maintain(data_dir, "--all")
    assert (result.exit_code, names(result)) == (1, ["accounts", "alice/few"])
    assert "alice/demo: Repository 'demo' is damaged" in result.stderr


def test_maintain_goes_on_after_an_unreadable_folder(data_dir: Path, master: Client, monkeypatch: pytest.MonkeyPatch):
    master.post("/v1/repo", {"repo_name": "his"}, X_User_Id="bob")
    refuse(monkeypatch, "listdir", data_dir / "repos/alice", errno.EIO)
    result = maintain(data_dir, "--all")
    assert (result.exit_code, names(result)) == (1, ["accounts", "bob/his"])
    assert "alice: " in result.stderr


def test_maintain_of_an_empty_data_directory_does_nothing(tmp_path: Path):
    (tmp_path / "repos").mkdir()
    assert maintain(tmp_path).exit_code == 0
    result = maintain(tmp_path / "none")
    assert (result.exit_code, "There is no data directory" in result.stderr) == (2, True)


def test_prune_runs_deletes_those_of_repos_that_are_gone_for_good(app: Flask, alice: Client, data_dir: Path):
    runs: Runs = app.extensions["bakehouse"].runs
    for repo in ("few", "demo"):
        alice.put(f"/v1/repo/{repo}/prompts/p", {"messages": []})
        generators = [{"type": "hardcoded", "questions": ["Why?", "How?"]}]
        overrides = {"teacher_prompt": "p", "student_prompt": "", "generators": generators}
        alice.put(f"/v1/repo/{repo}/targets/asks", {"template": "default", "overrides": overrides})
        assert alice.post(f"/v1/repo/{repo}/targets/asks/stim", None).json["status"] == "complete"
    alice.delete("/v1/repo/few")
    assert "ledger: 0 runs of 0 removed repos deleted, with 0 rows" in maintain(data_dir, "--prune-runs").output
    assert alice.post("/v1/repo/few/undelete", {}).status_code == 200
    assert len(runs.deletions.repos()) == 2
    shutil.rmtree(data_dir / "repos/alice/few.git")
    assert "ledger:" not in maintain(data_dir).output
    assert "ledger: 1 runs of 1 removed repos deleted, with 2 rows" in maintain(data_dir, "--prune-runs").output
    assert alice.get("/v1/repo/demo/targets/asks/stim/output").json["lines"] == 2


def test_prune_runs_deletes_nothing_where_a_repo_cannot_be_read(app: Flask, data_dir: Path):
    runs: Runs = app.extensions["bakehouse"].runs
    runs.table.start(NewRun("f" * 32, "alice/gone", "t", "stim", "k" * 64, "c" * 40, {}, {}, {}, {}, 1))
    (data_dir / "repos/alice/few.git" / identity.FILE).write_text("damaged")
    result = maintain(data_dir, "--prune-runs")
    assert result.exit_code == 1
    assert "No runs were deleted." in result.stderr
    assert runs.deletions.repos() == {"f" * 32}
