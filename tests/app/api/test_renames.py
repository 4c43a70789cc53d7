"""Renaming a repo and giving it to another user: what leads from the old name to the new one, and for whom."""

import os
from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app import create_app
from app.registry.life import unfinished
from app.settings import Settings
from storage.store import Store
from tests.app.api.helpers import MESSAGES, TARGETS, new_token, new_user, put
from tests.app.cli.verifying import assert_found, verify
from tests.client import Client, assert_error, assert_mistakes
from tests.contracts import hold_to_contracts
from tests.payloads import target
from tests.server import MASTER_KEY
from tests.storage.repositories import git

REPO = "/v1/repo/demo"
NEW = "/v1/repo/nightly"


def data_dir(app: Flask) -> Path:
    path: Path = app.extensions["bakehouse"].settings.data_dir
    return path


def rename(client: Client, old: str, new: str, **headers: str) -> TestResponse:
    return client.post(f"/v1/repo/{old}/rename", {"name": new}, **headers)


def assert_moved(answer: TestResponse, location: str, status: int = 301) -> None:
    assert (answer.status_code, answer.headers["Location"]) == (status, location), answer.text
    assert answer.json["code"] == "REPO_MOVED"
    assert answer.headers["Cache-Control"] == "no-cache"


def test_a_renamed_repo_has_its_whole_history_under_the_new_name(app: Flask, alice: Client):
    before = alice.post(TARGETS, target("a", temperature=0.5))
    answer = rename(alice, "demo", "nightly")
    assert (answer.status_code, answer.json["repo_name"]) == (200, "nightly")
    assert answer.json["clone_url"].endswith("/git/alice/nightly.git")
    assert alice.get("/v1/repo").json == {"repos": ["nightly"]}
    assert alice.get(f"{NEW}/targets/a").headers["ETag"] == before.headers["ETag"]
    log = alice.get(f"{NEW}/log").json["commits"]
    subjects = [commit["subject"] for commit in log]
    assert (subjects[0], subjects[-1], len(subjects)) == (
        "Rename repo alice/demo to alice/nightly",
        "Create repo demo",
        3,
    )
    assert log[0]["commit"] == answer.headers["Git-Commit"]
    assert log[0]["author"]["user"] == "alice"
    assert git(data_dir(app) / "repos/alice/nightly.git", "show", "main:README.md").startswith("# nightly\n\nTarget")
    subjects = git(data_dir(app) / "accounts.git", "log", "--format=%an: %s").splitlines()[:2]
    assert subjects == [
        "Alice: Lead alice/demo to alice/nightly",
        "Alice: Rename repo alice/demo to alice/nightly",
    ]
    assert_found(verify(data_dir=data_dir(app)))


def test_reads_of_the_old_name_lead_to_the_new_one(alice: Client):
    put(alice, "a")
    rename(alice, "demo", "nightly")
    for path in ("", "/targets", "/targets/a", "/targets/a/explain?full=true", "/log?limit=1&path=targets%2Fa.yml"):
        answer = alice.get(f"{REPO}{path}")
        assert_moved(answer, f"{NEW}{path}")
        assert alice.get(answer.headers["Location"]).status_code == 200
    assert alice.request("HEAD", TARGETS).status_code == 301
    preview = {"template": "a", "overrides": {}}
    assert_moved(alice.post(f"{TARGETS}/preview", preview), f"{NEW}/targets/preview", 308)


def test_writes_to_the_old_name_are_refused_and_name_the_new_one(alice: Client):
    put(alice, "a")
    rename(alice, "demo", "nightly")
    newest = alice.get(f"{NEW}/log").json
    for answer in (
        alice.post(TARGETS, target("b")),
        alice.put(f"{TARGETS}/a", {"template": "default"}),
        alice.delete(f"{TARGETS}/a"),
        alice.put(f"{REPO}/prompts/p", {"messages": MESSAGES}),
        alice.post(f"{REPO}/tags", {"name": "v1"}),
        alice.put(f"{REPO}/grants/bob", {"access": "read"}),
        alice.delete(REPO),
        rename(alice, "demo", "other"),
    ):
        assert_error(answer, 409, "RESOURCE_CONFLICT", "Repo 'demo' is now 'nightly'", "Nothing was changed")
        assert answer.headers["X-Should-Retry"] == "false"
    assert alice.get(f"{NEW}/log").json == newest


def test_a_prefix_stays_in_the_address(tmp_path: Path):
    settings = Settings(tmp_path, master_key=MASTER_KEY, public_url="https://example.org/bake")
    master = Client(hold_to_contracts(create_app(settings)), MASTER_KEY)
    master.post("/v1/repo", {"repo_name": "demo"})
    rename(master, "demo", "nightly")
    assert_moved(master.get(f"{TARGETS}?ref=main"), "/bake/v1/repo/nightly/targets?ref=main")


def test_git_goes_to_the_new_name(alice: Client):
    rename(alice, "demo", "nightly")
    basic = {"Authorization": f"Basic {b64encode(f'alice:{alice.token}'.encode()).decode()}"}
    query = "info/refs?service=git-upload-pack"
    for old, new in (("demo.git", "nightly.git"), ("demo", "nightly")):
        answer = alice.get(f"/git/alice/{old}/{query}", **basic)
        assert (answer.status_code, answer.headers["Location"]) == (301, f"/git/alice/{new}/{query}")
    answer = alice.request("POST", "/git/alice/demo.git/git-upload-pack", b"", **basic)
    assert (answer.status_code, answer.headers["Location"]) == (308, "/git/alice/nightly.git/git-upload-pack")
    assert_error(alice.request("POST", "/git/alice/demo.git/git-receive-pack", b"", **basic), 403, "FORBIDDEN")


def test_nobody_else_learns_where_it_is(master: Client, alice: Client):
    bob, carol = new_user(master, "bob"), new_user(master, "carol")
    alice.put(f"{REPO}/grants/bob", {"access": "read"})
    other = new_token(master, name="other", repos=["else"])
    rename(alice, "demo", "nightly")
    assert_moved(bob.get(f"{TARGETS}?user_id=alice&ref=main"), f"{NEW}/targets?user_id=alice&ref=main")
    assert_moved(bob.get(TARGETS, X_User_Id="alice"), f"{NEW}/targets")
    assert_error(bob.post(TARGETS, target("x"), X_User_Id="alice"), 403, "FORBIDDEN")
    for path in (REPO, TARGETS):
        there, nowhere = carol.get(path, X_User_Id="alice"), carol.get(path.replace("demo", "none"), X_User_Id="alice")
        assert_error(there, 403, "FORBIDDEN")
        assert there.text == nowhere.text.replace("none", "demo")
    assert_error(other.get(REPO), 403, "FORBIDDEN", "'demo'")
    basic = {"Authorization": f"Basic {b64encode(f'carol:{carol.token}'.encode()).decode()}"}
    assert carol.get("/git/alice/demo.git/info/refs?service=git-upload-pack", **basic).status_code == 404
    assert bob.get("/v1/repo", X_User_Id="alice").json == {"repos": ["nightly"]}


def test_names_follow_through_several_renames_and_back(alice: Client):
    rename(alice, "demo", "b")
    rename(alice, "b", "c")
    assert_moved(alice.get(REPO), "/v1/repo/c")
    assert_moved(alice.get("/v1/repo/b"), "/v1/repo/c")
    rename(alice, "c", "demo")
    assert alice.get(REPO).status_code == 200
    for old in ("b", "c"):
        assert_moved(alice.get(f"/v1/repo/{old}"), REPO)
    rename(alice, "demo", "Demo")
    assert_moved(alice.get("/v1/repo/b"), "/v1/repo/Demo")
    assert alice.get("/v1/repo/Demo").status_code == 200
    assert_error(alice.get(REPO), 404, "RESOURCE_NOT_FOUND")  # one file keeps both, and the repo's own name wins


def test_the_next_repo_of_the_old_name_ends_the_redirect_for_good(alice: Client):
    rename(alice, "demo", "nightly")
    assert alice.post("/v1/repo", {"repo_name": "demo"}).status_code == 201
    assert alice.get(REPO).json["repo_name"] == "demo"
    assert alice.post(TARGETS, target("a")).status_code == 201
    alice.delete(REPO)
    assert_error(alice.get(REPO), 404, "RESOURCE_NOT_FOUND", "'demo'")


def test_former_names_of_a_deleted_repo_lead_nowhere_until_it_is_restored(alice: Client):
    rename(alice, "demo", "nightly")
    alice.delete(NEW)
    assert_error(alice.get(REPO), 404, "RESOURCE_NOT_FOUND", "'demo'")
    alice.post("/v1/repo", {"repo_name": "nightly"})  # another one, which was never called so
    assert_error(alice.get(REPO), 404, "RESOURCE_NOT_FOUND", "'demo'")
    alice.post(f"{NEW}/undelete", {"name": "back"})
    assert_moved(alice.get(REPO), "/v1/repo/back")


def test_a_name_that_is_taken_is_a_conflict_and_changes_nothing(app: Flask, alice: Client):
    alice.post("/v1/repo", {"repo_name": "taken"})
    log = git(data_dir(app) / "accounts.git", "log")
    assert_error(rename(alice, "demo", "taken"), 409, "RESOURCE_CONFLICT", "'alice/taken'", "another name")
    assert_error(rename(alice, "demo", "Taken"), 409, "RESOURCE_CONFLICT", "'taken'", "only in case")
    assert_error(rename(alice, "demo", "demo"), 409, "RESOURCE_CONFLICT", "already")
    assert_error(rename(alice, "nope", "new"), 404, "RESOURCE_NOT_FOUND", "Repo 'nope'")
    for name in ("a b", "con", "x.git", "..", "", "x" * 101):
        assert rename(alice, "demo", name).status_code == 422
    assert_mistakes(alice.post(f"{REPO}/rename", {}), (["body", "name"], "missing"))
    assert_error(rename(alice, "demo", "new", If_Match='"x"'), 400, "INVALID_INPUT", "If-Match")
    assert git(data_dir(app) / "accounts.git", "log") == log
    assert alice.get("/v1/repo").json == {"repos": ["demo", "taken"]}


def test_only_the_owner_and_the_master_key_rename(master: Client, alice: Client):
    bob = new_user(master, "bob")
    alice.put(f"{REPO}/grants/bob", {"access": "write"})
    assert_error(rename(bob, "demo", "x", X_User_Id="alice"), 403, "FORBIDDEN", "Only 'alice'")
    assert_error(rename(new_token(master, name="r", access="read"), "demo", "x"), 403, "FORBIDDEN")
    limited = new_token(master, name="l", repos=["demo", "y"])
    assert_error(rename(limited, "demo", "x"), 403, "FORBIDDEN", "'x'")
    assert rename(limited, "demo", "y").status_code == 200
    assert rename(master, "y", "z", X_User_Id="alice").status_code == 200


def token_repos(master: Client, user_id: str, name: str) -> list[str]:
    tokens = master.get(f"/v1/admin/users/{user_id}/tokens").json["tokens"]
    return next(token["repos"] for token in tokens if token["name"] == name)


def test_a_token_for_the_repo_follows_it_and_reaches_no_other(master: Client, alice: Client):
    bob = new_user(master, "bob")
    alice.put(f"{REPO}/grants/bob", {"access": "write"})
    own = new_token(master, name="own", repos=["demo", "else"])
    full = new_token(master, name="full", repos=["alice/demo", "alice/nightly"])
    body = {"name": "guest", "repos": ["alice/demo", "demo"]}
    guest = Client(master.app, master.post("/v1/admin/users/bob/tokens", body).json["api_key"])
    rename(alice, "demo", "nightly")
    assert token_repos(master, "alice", "own") == ["nightly", "else"]
    assert token_repos(master, "alice", "full") == ["alice/nightly"]
    assert token_repos(master, "bob", "guest") == ["alice/nightly", "demo"]
    for client in (own, full):
        assert client.get(NEW).status_code == 200
        assert_moved(client.get(REPO), NEW)
    assert guest.get(NEW, X_User_Id="alice").status_code == 200
    alice.post("/v1/repo", {"repo_name": "demo"})
    alice.put(f"{REPO}/grants/bob", {"access": "write"})
    assert bob.get(REPO, X_User_Id="alice").status_code == 200
    for client, owner in ((own, "alice"), (full, "alice"), (guest, "alice")):
        assert_error(client.get(REPO, X_User_Id=owner), 403, "FORBIDDEN", "'demo'")


def transfer(client: Client, repo: str, user_id: str, **headers: str) -> TestResponse:
    return client.post(f"/v1/repo/{repo}/transfer", {"user_id": user_id}, **headers)


def test_a_repo_is_given_to_another_user(app: Flask, master: Client, alice: Client):
    bob, carol = new_user(master, "bob"), new_user(master, "carol")
    put(alice, "a")
    alice.put(f"{REPO}/grants/bob", {"access": "read"})
    alice.put(f"{REPO}/grants/carol", {"access": "read"})
    own = new_token(master, name="own", repos=["demo"])
    answer = transfer(master, "demo", "bob", X_User_Id="alice")
    assert (answer.status_code, answer.json["clone_url"]) == (200, "http://localhost/git/bob/demo.git")
    assert answer.headers["Repo-Owner"] == "bob"
    assert (bob.get("/v1/repo").json, alice.get("/v1/repo").json) == ({"repos": ["demo"]}, {"repos": []})
    assert bob.get(f"{REPO}/grants").json == {"grants": [{"user_id": "carol", "access": "read"}]}
    assert bob.post(TARGETS, target("b")).status_code == 201
    assert carol.get("/v1/repo", X_User_Id="bob").json == {"repos": ["demo"]}
    assert_error(carol.get("/v1/repo", X_User_Id="alice"), 403, "FORBIDDEN")
    assert_moved(carol.get(f"{TARGETS}?user_id=alice&ref=main"), f"{TARGETS}?ref=main&user_id=bob")
    assert_error(carol.get(TARGETS, X_User_Id="alice"), 409, "RESOURCE_CONFLICT", "user 'bob'", "X-User-Id: bob")
    assert_moved(master.get(f"{TARGETS}?user_id=alice"), f"{TARGETS}?user_id=bob")
    for client in (alice, own):
        assert client.get(REPO).status_code in (403, 404)
        assert_error(client.get(REPO, X_User_Id="bob"), 403, "FORBIDDEN")
    bob.put(f"{REPO}/grants/alice", {"access": "read"})
    for client in (alice, own):
        assert_moved(client.get(TARGETS), f"{TARGETS}?user_id=bob")
        assert client.get(f"{TARGETS}?user_id=bob").status_code == 200
    assert token_repos(master, "alice", "own") == ["bob/demo"]
    assert_error(alice.post(TARGETS, target("c")), 404, "RESOURCE_NOT_FOUND")
    alice.post("/v1/repo", {"repo_name": "demo"})
    assert_error(own.get(REPO), 403, "FORBIDDEN")
    assert_found(verify(data_dir=data_dir(app)))


def test_only_the_master_key_gives_repos_away_and_only_where_there_is_room(master: Client, alice: Client):
    bob = new_user(master, "bob")
    assert_error(transfer(alice, "demo", "bob"), 403, "FORBIDDEN", "master key")
    assert_error(transfer(bob, "demo", "bob", X_User_Id="alice"), 403, "FORBIDDEN", "alice")
    assert_error(transfer(master, "demo", "nobody", X_User_Id="alice"), 404, "RESOURCE_NOT_FOUND", "'nobody'")
    assert_error(transfer(master, "demo", "alice", X_User_Id="alice"), 409, "RESOURCE_CONFLICT", "already")
    assert_error(transfer(master, "nope", "bob", X_User_Id="alice"), 404, "RESOURCE_NOT_FOUND", "'nope'")
    bob.post("/v1/repo", {"repo_name": "demo"})
    assert_error(transfer(master, "demo", "bob", X_User_Id="alice"), 409, "RESOURCE_CONFLICT", "'bob/demo'")
    assert alice.get(REPO).status_code == 200


class Killed(BaseException):
    """Stands for the death of the process: nothing behind it runs."""


@pytest.mark.parametrize("is_renamed", [False, True])
@pytest.mark.parametrize("mended_by", ["start", "read", "rename"])
def test_a_crash_within_a_rename_is_mended(
    app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch, is_renamed: bool, mended_by: str
):
    """The folder is renamed or not when the process dies; each time the repo is at one name, with its trace."""
    put(alice, "a")
    with monkeypatch.context() as patch:
        if is_renamed:
            patch.setattr(unfinished, "complete", die)
        else:
            original = os.rename
            patch.setattr(os, "rename", lambda old, new: die() if str(old).endswith("demo.git") else original(old, new))
        with pytest.raises(Killed):
            rename(alice, "demo", "nightly")
    store = Store(data_dir(app) / "repos")
    assert store.list("alice") == (("nightly",) if is_renamed else ("demo",))
    if mended_by == "start":
        alice = Client(hold_to_contracts(create_app(app.extensions["bakehouse"].settings)), alice.token)
    elif mended_by == "rename":
        alice.post("/v1/repo", {"repo_name": "x"})
        rename(alice, "x", "y")
    if is_renamed:
        assert_moved(alice.get(TARGETS), f"{NEW}/targets")
        assert alice.get(f"{NEW}/log").json["commits"][0]["subject"] == "Rename repo alice/demo to alice/nightly"
    else:
        assert alice.get(TARGETS).json == {"targets": ["a"]}
        assert_error(alice.get(NEW), 404, "RESOURCE_NOT_FOUND")
        assert rename(alice, "demo", "nightly").status_code == 200
    assert "moving/" not in git(data_dir(app) / "accounts.git", "ls-tree", "-r", "--name-only", "main")


def die(*_: object) -> None:
    raise Killed


def test_a_rename_that_the_disk_refuses_changes_nothing(app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch):
    original = os.rename

    def refuse(old, new, **options):
        if str(old).endswith("demo.git"):
            raise OSError(28, "full")
        return original(old, new, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", refuse)
        assert_error(rename(alice, "demo", "nightly"), 503, "STORAGE_UNAVAILABLE", "'demo'")
    assert alice.post(TARGETS, target("a")).status_code == 201
    assert_error(alice.get(NEW), 404, "RESOURCE_NOT_FOUND")
    subjects = git(data_dir(app) / "accounts.git", "log", "--format=%s").splitlines()[:2]
    assert subjects == ["Repo alice/demo stays", "Rename repo alice/demo to alice/nightly"]


def test_a_rename_that_never_happened_is_dropped_when_it_cannot_be_under_way(
    app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch
):
    original = os.rename
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", lambda old, new: die() if str(old).endswith("demo.git") else original(old, new))
        with pytest.raises(Killed):
            rename(alice, "demo", "nightly")
    accounts = data_dir(app) / "accounts.git"
    create_app(app.extensions["bakehouse"].settings)
    assert "moving/" in git(accounts, "ls-tree", "-r", "--name-only", "main")
    later = unfinished.now() + timedelta(minutes=2)
    monkeypatch.setattr(unfinished, "now", lambda: later)
    create_app(app.extensions["bakehouse"].settings)
    assert "moving/" not in git(accounts, "ls-tree", "-r", "--name-only", "main")
    assert git(accounts, "log", "-1", "--format=%an: %s").strip() == "bakehouse: Repo alice/demo stays"
    assert alice.get(REPO).status_code == 200
