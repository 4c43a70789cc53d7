"""Renames and restores that a crash cut short, and what comes next under one of the two names.

A token for some repos only must never reach the next repo of the old name, whatever comes first.
"""

import shutil
import threading
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.registry.life import unfinished
from app.registry.users.accounts import Accounts
from tests.app.api.helpers import new_token, new_user
from tests.client import Client, assert_error
from tests.contracts import hold_to_contracts
from tests.seams import lock_waiters, wait_until
from tests.server import MASTER_KEY
from tests.storage.repositories import git

OLD, NEW = "/v1/repo/demo", "/v1/repo/nightly"


class Killed(BaseException):
    """Stands for the death of the process: nothing behind it runs."""


def die(*_: object) -> None:
    raise Killed


def data_dir(app: Flask) -> Path:
    path: Path = app.extensions["bakehouse"].settings.data_dir
    return path


def cut_short(monkeypatch: pytest.MonkeyPatch, client: Client, path: str, body: dict[str, str]) -> None:
    """Let the process die when the folder was renamed."""
    with monkeypatch.context() as patch:
        patch.setattr(unfinished, "complete", die)
        with pytest.raises(Killed):
            client.post(path, body)


def location(client: Client, path: str) -> str | None:
    return client.get(path).headers.get("Location")


def repos_of(token: Client) -> list[str]:
    repos: list[str] = token.get("/v1/me").json["token"]["repos"]
    return repos


@pytest.fixture(params=["mended", "not mended"])
def cut(request: pytest.FixtureRequest, master: Client, alice: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Cut the rename of `demo` to `nightly` short, and return a client with a token for `demo` only.

    It is not mended where the process dies just after the next request looked for what is to be mended.
    """
    token = new_token(master, name="ci", repos=["demo"])
    cut_short(monkeypatch, alice, f"{OLD}/rename", {"name": "nightly"})
    if request.param == "not mended":
        monkeypatch.setattr(unfinished, "mend", lambda _: None)
    return token


def assert_never_reaches_the_next(alice: Client, token: Client) -> None:
    assert alice.post("/v1/repo", {"repo_name": "demo"}).status_code == 201
    assert_error(token.get(OLD), 403, "FORBIDDEN", "'demo'")
    assert_error(token.put(f"{OLD}/targets/x", {"template": "default"}), 403, "FORBIDDEN", "'demo'")


def test_the_next_repo_of_the_old_name_is_another_one(alice: Client, cut: Client):
    assert_never_reaches_the_next(alice, cut)
    assert cut.get(NEW).status_code == 200
    assert repos_of(cut) == ["nightly"]


def test_a_deletion_of_the_new_name_takes_all_along(alice: Client, cut: Client):
    gone = alice.delete(NEW).json["id"]
    assert repos_of(cut) == ["nightly"]
    assert alice.post("/v1/repo", {"repo_name": "nightly"}).status_code == 201
    assert location(alice, OLD) is None
    assert [commit["subject"] for commit in alice.get(f"{NEW}/log").json["commits"]] == ["Create repo nightly"]
    alice.delete(NEW)
    assert alice.post(f"{NEW}/undelete", {"id": gone}).status_code == 200
    assert location(alice, OLD) == NEW
    assert_never_reaches_the_next(alice, cut)


def test_another_rename_leads_on(alice: Client, cut: Client):
    assert alice.post(f"{NEW}/rename", {"name": "third"}).status_code == 200
    assert (location(alice, OLD), location(alice, NEW)) == ("/v1/repo/third", "/v1/repo/third")
    assert repos_of(cut) == ["third"]
    assert_never_reaches_the_next(alice, cut)


def test_a_rename_to_the_old_name_is_another_repo(alice: Client, cut: Client):
    alice.post("/v1/repo", {"repo_name": "other"})
    assert alice.post("/v1/repo/other/rename", {"name": "demo"}).status_code == 200
    assert_error(cut.get(OLD), 403, "FORBIDDEN", "'demo'")
    assert repos_of(cut) == ["nightly"]


def test_a_restore_under_the_old_name_is_another_repo(master: Client, alice: Client, monkeypatch: pytest.MonkeyPatch):
    alice.post("/v1/repo", {"repo_name": "other"})
    alice.delete("/v1/repo/other")
    token = new_token(master, name="ci", repos=["demo"])
    cut_short(monkeypatch, alice, f"{OLD}/rename", {"name": "nightly"})
    monkeypatch.setattr(unfinished, "mend", lambda _: None)
    assert alice.post("/v1/repo/other/undelete", {"name": "demo"}).status_code == 200
    assert_error(token.get(OLD), 403, "FORBIDDEN", "'demo'")
    assert repos_of(token) == ["nightly"]


def test_an_import_under_the_old_name_is_another_repo(master: Client, alice: Client, monkeypatch: pytest.MonkeyPatch):
    token = new_token(master, name="ci", repos=["demo"])
    bundle = alice.get(f"{OLD}/bundle").data
    cut_short(monkeypatch, alice, f"{OLD}/rename", {"name": "nightly"})
    answer = alice.request("POST", f"{OLD}/import", bundle, Content_Type="application/x-git-bundle")
    assert answer.status_code == 201
    assert_error(token.get(OLD), 403, "FORBIDDEN", "'demo'")
    assert repos_of(token) == ["nightly"]


def test_a_deletion_waits_until_a_rename_is_complete(
    app: Flask, master: Client, alice: Client, monkeypatch: pytest.MonkeyPatch
):
    token = new_token(master, name="ci", repos=["demo"])
    original, answers = unfinished.complete, []
    deletion = threading.Thread(target=lambda: answers.append(alice.delete(NEW).status_code))

    def complete(*arguments):
        monkeypatch.setattr(unfinished, "complete", original)
        monkeypatch.setattr(unfinished, "mend", lambda _: None)
        deletion.start()
        wait_until(lambda: lock_waiters(data_dir(app) / "repos/alice"))
        original(*arguments)

    monkeypatch.setattr(unfinished, "complete", complete)
    assert alice.post(f"{OLD}/rename", {"name": "nightly"}).status_code in (200, 404)  # it may be deleted by now
    deletion.join()
    assert answers == [200]
    assert alice.post(f"{NEW}/undelete", {}).status_code == 200
    assert location(alice, OLD) == NEW
    assert repos_of(token) == ["nightly"]
    subjects = [commit["subject"] for commit in alice.get(f"{NEW}/log").json["commits"]]
    assert subjects[0] == "Rename repo alice/demo to alice/nightly"


def restart_from_backup(app: Flask, tmp_path: Path, client: Client) -> Client:
    """Return a client of a server on a copy of the data directory, where no inode is the same."""
    shutil.copytree(data_dir(app), tmp_path / "restored")
    restored = create_app(app.extensions["bakehouse"].settings.__class__(tmp_path / "restored", master_key=MASTER_KEY))
    return Client(hold_to_contracts(restored), client.token)


def test_a_rename_is_mended_after_a_restore_from_a_backup(
    app: Flask, alice: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    cut_short(monkeypatch, alice, f"{OLD}/rename", {"name": "nightly"})
    alice = restart_from_backup(app, tmp_path, alice)
    assert location(alice, OLD) == NEW


def test_another_repo_at_the_new_name_is_not_taken_for_the_renamed_one(
    app: Flask, alice: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Somebody moved folders by hand when the server had died."""
    alice.post("/v1/repo", {"repo_name": "other"})
    cut_short(monkeypatch, alice, f"{OLD}/rename", {"name": "nightly"})
    repos = data_dir(app) / "repos/alice"
    (repos / "nightly.git").rename(tmp_path / "away.git")
    (repos / "other.git").rename(repos / "nightly.git")
    alice = restart_from_backup(app, tmp_path, alice)
    assert location(alice, OLD) is None
    assert alice.get(f"{NEW}/log").json["commits"][0]["subject"] == "Create repo other"


@pytest.mark.parametrize("mended_by", ["start", "read", "rename"])
def test_a_restore_that_was_cut_short_is_finished(
    app: Flask, master: Client, alice: Client, monkeypatch: pytest.MonkeyPatch, mended_by: str
):
    bob = new_user(master, "bob")
    alice.post(f"{OLD}/rename", {"name": "nightly"})
    alice.put(f"{NEW}/grants/bob", {"access": "read"})
    alice.delete(NEW)
    cut_short(monkeypatch, alice, f"{NEW}/undelete", {"name": "back"})
    if mended_by == "start":
        restarted = hold_to_contracts(create_app(app.extensions["bakehouse"].settings))
        alice, bob = Client(restarted, alice.token), Client(restarted, bob.token)
    elif mended_by == "rename":
        alice.post("/v1/repo", {"repo_name": "x"})
        alice.post("/v1/repo/x/rename", {"name": "y"})
    assert location(alice, OLD) == "/v1/repo/back"
    assert alice.get("/v1/repo/back/log").json["commits"][0]["subject"] == "Undelete repo alice/nightly as alice/back"
    assert [repo["repo_name"] for repo in bob.get("/v1/shared").json["repos"]] == ["back"]
    assert alice.get("/v1/deleted").json["deleted"] == []
    files = git(data_dir(app) / "accounts.git", "ls-tree", "-r", "--name-only", "main")
    assert "restoring/" not in files
    assert "deleted/" not in files


def test_a_deletion_after_a_restore_that_was_cut_short_keeps_the_former_names(
    alice: Client, monkeypatch: pytest.MonkeyPatch
):
    alice.post(f"{OLD}/rename", {"name": "nightly"})
    alice.delete(NEW)
    cut_short(monkeypatch, alice, f"{NEW}/undelete", {})
    with monkeypatch.context() as patch:
        patch.setattr(unfinished, "mend", lambda _: None)
        alice.delete(NEW)
    assert alice.post(f"{NEW}/undelete", {}).status_code == 200
    assert location(alice, OLD) == NEW


def test_a_former_name_that_leads_to_another_repo_stays_with_it(alice: Client):
    alice.post(f"{OLD}/rename", {"name": "nightly"})
    alice.delete(NEW)
    alice.post("/v1/repo", {"repo_name": "demo"})
    alice.post(f"{OLD}/rename", {"name": "third"})
    assert alice.post(f"{NEW}/undelete", {}).status_code == 200
    assert location(alice, OLD) == "/v1/repo/third"


def test_a_deletion_leaves_a_former_name_that_differs_in_case(alice: Client):
    alice.post("/v1/repo", {"repo_name": "Foo"})
    alice.post("/v1/repo/Foo/rename", {"name": "bar"})
    alice.post("/v1/repo", {"repo_name": "foo"})
    assert location(alice, "/v1/repo/Foo") == "/v1/repo/bar"
    alice.delete("/v1/repo/foo")
    assert location(alice, "/v1/repo/Foo") == "/v1/repo/bar"


def test_a_repo_is_not_given_to_a_user_who_is_removed_meanwhile(
    master: Client, alice: Client, monkeypatch: pytest.MonkeyPatch
):
    new_user(master, "bob")
    original = Accounts.get

    def get(self, user_id):
        found = original(self, user_id)
        monkeypatch.setattr(Accounts, "get", original)
        assert master.delete("/v1/admin/users/bob").status_code == 200
        return found

    monkeypatch.setattr(Accounts, "get", get)
    answer = master.post(f"{OLD}/transfer", {"user_id": "bob"}, X_User_Id="alice")
    assert_error(answer, 404, "RESOURCE_NOT_FOUND", "User 'bob'")
    assert alice.get(OLD).status_code == 200


def test_a_user_is_not_removed_while_a_repo_is_given_to_them(
    master: Client, alice: Client, monkeypatch: pytest.MonkeyPatch
):
    bob = new_user(master, "bob")
    answers, original = [], Path.rename

    def rename(self, target):
        if self.name == "demo.git":
            monkeypatch.setattr(Path, "rename", original)
            answers.append(master.delete("/v1/admin/users/bob"))
        return original(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    assert master.post(f"{OLD}/transfer", {"user_id": "bob"}, X_User_Id="alice").status_code == 200
    assert bob.get(OLD).status_code == 200
    assert_error(alice.get(OLD), 404, "RESOURCE_NOT_FOUND")
    assert_error(answers[0], 409, "RESOURCE_CONFLICT", "'bob'", "alice/demo", "again")
    assert_error(master.delete("/v1/admin/users/bob"), 409, "RESOURCE_CONFLICT", "demo")
