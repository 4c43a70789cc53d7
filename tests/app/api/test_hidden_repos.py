"""A list for a guest opens no repo that is hidden from the guest, so its time tells nothing of hidden repos."""

import shutil
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.settings import Settings
from storage.repository import Repository
from storage.store import Store
from tests.app.api.helpers import new_user
from tests.client import Client, assert_error
from tests.server import MASTER_KEY

AS_ALICE = {"X_User_Id": "alice"}
HIDDEN = 5


@pytest.fixture
def bob(master: Client) -> Client:
    return new_user(master, "bob")


@pytest.fixture
def data_dir(app: Flask, alice: Client) -> Path:
    """A data directory in which alice has some repos more."""
    for number in range(HIDDEN):
        alice.post("/v1/repo", {"repo_name": f"hidden-{number}"})
    path: Path = app.extensions["bakehouse"].settings.data_dir
    return path


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the repos that are opened from now on."""
    names: list[str] = []
    open_ = Store.open

    def note(store: Store, name: str) -> Repository:
        names.append(name)
        return open_(store, name)

    monkeypatch.setattr(Store, "open", note)
    return names


def repos(opened: list[str]) -> list[str]:
    found = [name for name in opened if name != "accounts"]
    opened.clear()
    return found


@pytest.mark.usefixtures("data_dir")
def test_a_strangers_list_opens_no_repo(bob: Client, opened: list[str]):
    for query in ("", "?include_metadata=true"):
        refused = bob.get(f"/v1/repo{query}", **AS_ALICE)
        assert_error(refused, 403, "FORBIDDEN", "'alice' has shared no repo with you")
        nobody = bob.get(f"/v1/repo{query}", X_User_Id="nobody")
        assert refused.json["message"].replace("alice", "nobody") == nobody.json["message"]
    assert repos(opened) == []


@pytest.mark.usefixtures("data_dir")
def test_a_guests_list_opens_only_what_is_or_was_shared(alice: Client, bob: Client, opened: list[str]):
    for name in ("demo", "hidden-1"):
        alice.put(f"/v1/repo/{name}/grants/bob", {"access": "read"})
    repos(opened)
    assert bob.get("/v1/repo", **AS_ALICE).json == {"repos": ["demo", "hidden-1"]}
    assert repos(opened) == ["alice/demo", "alice/hidden-1"]
    alice.delete("/v1/repo/demo/grants/bob")
    assert bob.get("/v1/repo", **AS_ALICE).json == {"repos": ["hidden-1"]}
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    assert bob.get("/v1/repo", **AS_ALICE).json == {"repos": ["demo", "hidden-1"]}


def test_repos_of_an_older_version_are_opened_once(data_dir: Path, alice: Client, bob: Client, opened: list[str]):
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    (data_dir / "repos/alice/.hints").unlink()
    repos(opened)
    assert bob.get("/v1/repo", **AS_ALICE).json == {"repos": ["demo"]}
    assert len(set(repos(opened))) == HIDDEN + 1
    assert bob.get("/v1/repo", **AS_ALICE).json == {"repos": ["demo"]}
    assert repos(opened) == ["alice/demo"]


def test_a_repo_that_was_copied_here_is_listed(data_dir: Path, alice: Client, bob: Client):
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    shutil.copytree(data_dir / "repos/alice/demo.git", data_dir / "repos/alice/copy.git")
    assert bob.get("/v1/repo", **AS_ALICE).json == {"repos": ["copy", "demo"]}


def test_another_process_sees_a_new_grant(data_dir: Path, alice: Client, bob: Client):
    other = Client(create_app(Settings(data_dir, master_key=MASTER_KEY)), bob.token)
    assert other.get("/v1/repo", **AS_ALICE).status_code == 403
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    assert other.get("/v1/repo", **AS_ALICE).json == {"repos": ["demo"]}


def test_a_line_that_a_power_loss_cut_off_hides_nothing(data_dir: Path, alice: Client, bob: Client):
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    hints = data_dir / "repos/alice/.hints"
    for left in (b"", b"\n", b"\nd", b"\ndemo", b"\ndemo "):  # of a line about a repo `demo-2`
        hints.unlink()
        hints.write_bytes(left)
        assert bob.get("/v1/repo", **AS_ALICE).json == {"repos": ["demo"]}, left
