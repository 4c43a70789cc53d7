"""`/v1/shared` and `/v1/me`: what others share with the caller, whose a repo is, and who calls."""

import shutil
from typing import Any

import pytest
from flask import Flask

from app.registry import documents
from app.registry.users.share_files import PATH_OF_NOTE
from app.registry.users.shares import MOST_OPENED
from storage.errors import StorageUnavailable
from storage.store import Store
from tests.app.api.helpers import Limited, new_user
from tests.client import Client, assert_error, assert_mistakes
from tests.seams import count_opened
from tests.storage.repositories import commit_files

SHARED = "/v1/shared"
BOB = "/v1/admin/users/bob/tokens"
NONE = {"repos": [], "next": None}


@pytest.fixture
def bob(master: Client) -> Client:
    return new_user(master, "bob")


def share(owner: Client, repo: str, access: str = "read", user: str = "bob") -> None:
    owner.post("/v1/repo", {"repo_name": repo})
    assert owner.put(f"/v1/repo/{repo}/grants/{user}", {"access": access}).status_code == 200


def names(client: Client, query: str = "", **headers: str) -> list[str]:
    answer = client.get(f"{SHARED}{query}", **headers)
    assert answer.status_code == 200, answer.text
    return [f"{repo['owner']}/{repo['repo_name']}" for repo in answer.json["repos"]]


def list_by_hand(app: Flask, listed: list[Any]) -> None:
    """Write bob's list of what was ever shared with him."""
    files = {"shares/bob.yml": documents.dump({"repos": listed})}
    Store(app.extensions["bakehouse"].settings.data_dir).open("accounts").transact(commit_files(files))


def test_a_guest_sees_whose_repos_are_shared_and_how_to_reach_them(master: Client, alice: Client, bob: Client):
    carol = new_user(master, "carol")
    assert bob.get(SHARED).json == NONE
    share(alice, "demo")
    carol.post("/v1/repo", {"repo_name": "z", "base_model": "Tiny"})
    share(carol, "z", "write")
    bob.post("/v1/repo", {"repo_name": "own"})
    shown = bob.get(SHARED).json
    assert shown == {
        "repos": [
            {
                "owner": "alice",
                "repo_name": "demo",
                "access": "read",
                "base_model": "Qwen/Qwen3-32B",
                "clone_url": "http://localhost/git/alice/demo.git",
            },
            {
                "owner": "carol",
                "repo_name": "z",
                "access": "write",
                "base_model": "Tiny",
                "clone_url": "http://localhost/git/carol/z.git",
            },
        ],
        "next": None,
    }
    for repo in shown["repos"]:
        answer = bob.get(f"/v1/repo/{repo['repo_name']}", X_User_Id=repo["owner"])
        assert (answer.json["clone_url"], answer.headers["Repo-Owner"]) == (repo["clone_url"], repo["owner"])
    assert alice.get(SHARED).json == carol.get(SHARED).json == NONE
    assert names(master, X_User_Id="bob") == ["alice/demo", "carol/z"]
    assert names(master) == []


def test_answers_about_repos_name_the_owner(alice: Client, bob: Client):
    share(alice, "demo")
    for path in ("/v1/repo", "/v1/repo?include_metadata=true", "/v1/repo/demo", "/v1/repo/demo/tree"):
        assert alice.get(path).headers["Repo-Owner"] == "alice"
        assert bob.get(path, X_User_Id="alice").headers["Repo-Owner"] == "alice"
    assert alice.post("/v1/repo", {"repo_name": "new"}).headers["Repo-Owner"] == "alice"
    assert alice.put("/v1/repo", {"repo_name": "new"}).headers["Repo-Owner"] == "alice"
    known = bob.get("/v1/repo", X_User_Id="alice").headers["ETag"]
    assert bob.get("/v1/repo", X_User_Id="alice", If_None_Match=known).headers["Repo-Owner"] == "alice"


def test_what_is_no_longer_shared_gone_or_damaged_is_passed_over(app: Flask, alice: Client, bob: Client):
    for repo in ("back", "broken", "gone", "kept"):
        share(alice, repo)
    assert names(bob) == ["alice/back", "alice/broken", "alice/gone", "alice/kept"]
    alice.delete("/v1/repo/back/grants/bob")
    folder = app.extensions["bakehouse"].settings.data_dir / "repos/alice"
    shutil.rmtree(folder / "gone.git")
    (folder / "broken.git/refs/heads/main").unlink(missing_ok=True)
    (folder / "broken.git/refs/heads/main").symlink_to("main")
    assert names(bob) == ["alice/kept"]


def test_a_token_sees_only_what_it_may_reach_and_do(master: Client, alice: Client, bob: Client):
    share(alice, "demo", "write")
    share(alice, "other", "write")
    made = {
        name: Client(bob.app, master.post(BOB, {"name": name, **limits}).json["api_key"])
        for name, limits in {
            "reader": {"access": "read"},
            "one": {"repos": ["alice/other", "bob/x"]},
            "own": {"repos": ["demo"]},
        }.items()
    }
    assert names(made["one"]) == ["alice/other"]
    assert names(made["own"]) == []
    assert [repo["access"] for repo in made["reader"].get(SHARED).json["repos"]] == ["read", "read"]
    assert [repo["access"] for repo in bob.get(SHARED).json["repos"]] == ["write", "write"]


def test_shared_repos_come_in_pages(alice: Client, bob: Client):
    for repo in ("a", "b", "c"):
        share(alice, repo)
    first = bob.get(f"{SHARED}?limit=2").json
    assert ([repo["repo_name"] for repo in first["repos"]], first["next"]) == (["a", "b"], "alice/b")
    assert bob.get(f"{SHARED}?limit=2&after=alice/b").json["next"] is None
    assert names(bob, "?limit=2&after=alice/b") == ["alice/c"]
    assert names(bob, "?after=alice/aa") == ["alice/b", "alice/c"]
    assert bob.get(f"{SHARED}?limit=3").json["next"] is None
    assert bob.get(f"{SHARED}?after=zoe/z").json == NONE
    for query, place, kind in (
        ("limit=0", "limit", "greater_than_equal"),
        ("limit=101", "limit", "less_than_equal"),
        ("after=demo", "after", "string_pattern_mismatch"),
    ):
        assert_mistakes(bob.get(f"{SHARED}?{query}"), (["query", place], kind))


def test_a_page_of_shared_repos_is_bounded_in_bytes(limited: Limited):
    master = limited(max_page=2500)
    alice, bob = (new_user(master, name) for name in ("alice", "bob"))
    for repo in ("a", "b", "c"):
        alice.post("/v1/repo", {"repo_name": repo, "base_model": "x" * 1000})
        share(alice, repo)
    assert names(bob) == ["alice/a", "alice/b"]
    assert names(bob, f"?after={bob.get(SHARED).json['next']}") == ["alice/c"]


def test_a_page_opens_a_bounded_number_of_repos(
    app: Flask, alice: Client, bob: Client, monkeypatch: pytest.MonkeyPatch
):
    """A user with whom many repos were shared once must not keep a thread busy for long."""
    share(alice, "z-last")
    former = [f"alice/r{number:04}" for number in range(MOST_OPENED + 20)]
    list_by_hand(app, [*former, "alice/z-last"])
    opened = count_opened(monkeypatch)
    first = bob.get(SHARED).json
    assert first == {"repos": [], "next": former[MOST_OPENED - 1]}
    assert len([name for name in opened if name != "accounts"]) <= MOST_OPENED + 1
    assert names(bob, f"?after={first['next']}") == ["alice/z-last"]


def test_a_list_changed_by_hand_reveals_nothing_and_is_damage_where_it_cannot_be_read(
    app: Flask, alice: Client, bob: Client
):
    alice.post("/v1/repo", {"repo_name": "secret"})
    list_by_hand(app, ["../accounts", "alice/secret", "alice", "/", "alice/../x", "bob/nothing"])
    assert names(bob) == []
    list_by_hand(app, [5])
    assert_error(bob.get(SHARED), 503, "STORAGE_UNAVAILABLE", "'accounts' is damaged")
    assert_error(bob.get("/v1/repo", X_User_Id="alice"), 503, "STORAGE_UNAVAILABLE", "'accounts' is damaged")


def test_after_an_upgrade_everything_that_is_shared_is_listed(
    app: Flask, alice: Client, bob: Client, monkeypatch: pytest.MonkeyPatch
):
    """Older versions kept no lists. Where they cannot be made now, an empty answer would be wrong."""
    share(alice, "demo")
    accounts = Store(app.extensions["bakehouse"].settings.data_dir).open("accounts")
    accounts.transact(commit_files({PATH_OF_NOTE: None, "shares/bob.yml": None}))

    def unavailable(*_: object) -> list[str]:
        raise StorageUnavailable("alice", "the disk does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "folders", unavailable)
        assert_error(bob.get(SHARED), 503, "STORAGE_UNAVAILABLE", "cannot be listed now")
    assert names(bob) == ["alice/demo"]


def test_nobody_sees_what_is_shared_with_another_user(app: Flask, alice: Client, bob: Client):
    share(alice, "demo")
    for path in (SHARED, "/v1/me"):
        assert_error(bob.get(path, X_User_Id="alice"), 403, "FORBIDDEN", "'bob'", "X-User-Id")
        assert_error(alice.get(f"{path}?user_id=bob"), 403, "FORBIDDEN", "'alice'")
        assert_error(Client(app, None).get(path), 401, "UNAUTHORIZED")


def test_me_tells_the_user_and_what_the_token_may_do(master: Client, alice: Client):
    token = alice.get("/v1/tokens").json["tokens"][0]
    told = {"user_id": "alice", "user_alias": "Alice", "user_email": "alice@example.org"}
    answer = alice.get("/v1/me")
    assert (answer.json, answer.headers["Cache-Control"]) == ({**told, "token": token}, "no-store")
    limits = {"access": "read", "repos": ["demo"], "expires_at": "2999-01-31T10:00:00+00:00"}
    made = alice.post("/v1/tokens", {"name": "ci", **limits}).json
    ci = Client(alice.app, made.pop("api_key"))
    assert ci.get("/v1/me").json == {**told, "token": made}
    assert master.get("/v1/me", X_User_Id="alice").json == {**told, "token": None}
    assert master.get("/v1/me").json == {"user_id": "admin", "user_alias": None, "user_email": None, "token": None}


def test_a_shared_repo_is_listed_where_it_is_now(master: Client, alice: Client, bob: Client):
    new_user(master, "carol")
    share(alice, "demo")
    assert alice.post("/v1/repo/demo/rename", {"name": "bread"}).status_code == 200
    assert names(bob) == ["alice/bread"]
    moved = master.post("/v1/repo/bread/transfer", {"user_id": "carol"}, X_User_Id="alice")
    assert (moved.status_code, moved.headers["Repo-Owner"]) == (200, "carol")
    assert names(bob) == ["carol/bread"]
    assert master.delete("/v1/repo/bread", X_User_Id="carol").status_code == 200
    assert names(bob) == []
    assert master.post("/v1/repo/bread/undelete", {}, X_User_Id="carol").status_code == 200
    assert names(bob) == ["carol/bread"]
