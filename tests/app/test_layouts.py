"""A repository in a layout that this version does not know is refused, by the server and by commands."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from app import create_app
from app.cli import main
from app.settings import Settings, SettingsError
from storage.errors import LayoutUnknown
from storage.ids import CommitId
from storage.repository import Repository
from storage.snapshot import File, Snapshot
from storage.store import Store
from tests.app.api.helpers import new_user
from tests.client import Client, assert_error
from tests.payloads import target
from tests.server import MASTER_KEY
from tests.storage.repositories import put

DEMO = "/v1/repo/demo"
VERSIONS = "its layout is 2, and this Bakehouse knows 1"


def change_layout(repository: Repository) -> CommitId:
    """Do what a later version of Bakehouse might do."""
    file = repository.head().read("repo.yml")
    data = b"layout: 1\n" if file is None else file.data
    return CommitId(repository.transact(put("repo.yml", data.replace(b"layout: 1", b"layout: 2"))))


@pytest.fixture
def data_dir(app: Flask) -> Path:
    path: Path = app.extensions["bakehouse"].settings.data_dir
    return path


@pytest.fixture
def before(alice: Client, data_dir: Path) -> str:
    """The commit before the repo `demo` of alice went to another layout, while the server has it open."""
    commit = alice.post(f"{DEMO}/targets", target("a")).headers["Git-Commit"]
    change_layout(Store(data_dir / "repos").open("alice/demo"))
    return str(commit)


def run(data_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"BAKEHOUSE_DATA_DIR": str(data_dir)})


def test_requests_to_a_repo_of_another_layout_are_refused(master: Client, alice: Client, before: str):
    new_user(master, "bob")
    for path in ("", "/targets", "/targets/a", f"/targets/a?ref={before}", "/log", "/tags", "/defaults/target"):
        assert_error(alice.get(DEMO + path), 503, "STORAGE_UNAVAILABLE", "'demo'", VERSIONS)
    for answer in (
        alice.post(f"{DEMO}/targets", target("b")),
        alice.put(f"{DEMO}/grants/bob", {"access": "read"}),
        alice.post(f"{DEMO}/tags", {"name": "v1"}),
        alice.delete(f"{DEMO}/targets/a"),
        alice.post("/v1/repo", {"repo_name": "demo"}),
        alice.get("/git/alice/demo.git/info/refs?service=git-upload-pack"),
    ):
        assert_error(answer, 503, "STORAGE_UNAVAILABLE", "'demo'", VERSIONS)


@pytest.mark.usefixtures("before")
def test_other_repos_go_on_beside_one_of_another_layout(alice: Client):
    alice.post("/v1/repo", {"repo_name": "other"})
    assert alice.post("/v1/repo/other/targets", target("a")).status_code == 201
    page = alice.get("/v1/repo?include_metadata=true").json["repos"]
    assert [(repo["repo_name"], repo["base_model"] is None) for repo in page] == [("demo", True), ("other", False)]


def test_a_change_is_refused_where_the_layout_changed_after_the_request_looked(app: Flask, alice: Client):
    alice.get(DEMO)
    services = app.extensions["bakehouse"]
    repository = services.store.open("alice/demo")
    change_layout(Store(services.settings.data_dir / "repos").open("alice/demo"))
    with pytest.raises(LayoutUnknown, match=VERSIONS):
        repository.transact(put("targets/a.yml", b"x"))


@pytest.mark.usefixtures("before")
def test_commands_refuse_a_repo_of_another_layout(data_dir: Path):
    assert f"alice/demo: repo.yml: {VERSIONS}\n" == run(data_dir, "verify", "--repo", "alice/demo").stdout
    maintained = run(data_dir, "maintain", "--all")
    assert (maintained.exit_code, VERSIONS in maintained.stderr) == (1, True)
    assert "alice/demo" not in maintained.stdout


def test_accounts_of_another_layout_stop_the_server_and_commands(alice: Client, data_dir: Path):
    change_layout(Store(data_dir).open("accounts"))
    assert_error(alice.get(DEMO), 503, "STORAGE_UNAVAILABLE", VERSIONS)
    for command in (("users", "list"), ("users", "create", "bob")):
        refused = run(data_dir, *command)
        assert (refused.exit_code, VERSIONS in refused.stderr) == (1, True)
    with pytest.raises(SettingsError, match=VERSIONS):
        create_app(Settings(data_dir, master_key=MASTER_KEY))


def test_a_known_layout_is_not_read_again(alice: Client, monkeypatch: pytest.MonkeyPatch):
    alice.get(f"{DEMO}/targets")
    paths = []
    read = Snapshot.read

    def note(self: Snapshot, path: str) -> File | None:
        paths.append(path)
        return read(self, path)

    monkeypatch.setattr(Snapshot, "read", note)
    for number in range(5):
        assert alice.post(f"{DEMO}/targets", target(f"t{number}")).status_code == 201
        assert alice.get(f"{DEMO}/targets/t{number}").status_code == 200
    assert "targets/t0.yml" in paths
    assert "repo.yml" not in paths
