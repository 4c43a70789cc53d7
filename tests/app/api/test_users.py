"""`/v1/admin/users`: list, read, change and remove users, each change with its trace."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app import create_app
from app.registry import documents
from app.registry.documents import Source
from app.registry.messages import Origin
from app.registry.users import user_files
from app.registry.users.user_files import User
from tests.app.api.helpers import TARGETS, Limited, log, new_token, new_user
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import made
from tests.storage.repositories import commit_files, git, settle, unpack
from tests.timeline import commits, put_target

USERS = "/v1/admin/users"
AS_ALICE, AS_BOB = {"X_User_Id": "alice"}, {"X_User_Id": "bob"}
ALICE = {"user_id": "alice", "user_alias": "Alice", "user_email": "alice@example.org", "tokens": 1}


@pytest.fixture
def bob(master: Client) -> Client:
    return new_user(master, "bob")


def patch(client: Client, user_id: str, **headers: str) -> Callable[..., TestResponse]:
    """Return a function that changes fields of a user."""

    def send(**fields: Any) -> TestResponse:
        return client.request("PATCH", f"{USERS}/{user_id}", fields, **headers)

    return send


def accounts_log(app: Flask, *arguments: str) -> str:
    return git(app.extensions["bakehouse"].settings.data_dir / "accounts.git", "log", *arguments)


def ids(client: Client, query: str = "") -> list[str]:
    return [user["user_id"] for user in client.get(f"{USERS}{query}").json["users"]]


@pytest.mark.usefixtures("alice", "bob")
def test_users_are_listed_in_pages(master: Client):
    new_token(master, name="ci")
    for number in range(3):
        new_user(master, f"u{number}")
    nameless = {"user_alias": None, "user_email": None, "tokens": 1}
    first = master.get(f"{USERS}?limit=2")
    assert first.json == {
        "users": [{**ALICE, "tokens": 2}, {"user_id": "bob", **nameless}],
        "offset": 0,
        "limit": 2,
        "has_more": True,
        "total": 5,
    }
    assert first.headers["Cache-Control"] == "no-store"
    assert ids(master, "?limit=2&offset=4") == ["u2"]
    assert not master.get(f"{USERS}?limit=2&offset=4").json["has_more"]
    assert ids(master, "?offset=5") == []
    assert ids(master) == ["alice", "bob", "u0", "u1", "u2"]
    assert "bakehouse_" not in first.text
    assert "sha256" not in first.text
    for query in ("limit=0", "limit=1001", "offset=-1", "limit=x"):
        assert master.get(f"{USERS}?{query}").status_code == 422


@pytest.mark.usefixtures("alice", "bob")
def test_users_are_found_by_a_part_of_id_alias_or_email_in_any_case(master: Client):
    master.post(USERS, {"user_id": "zoe", "user_alias": "Zoë Ångström", "user_email": "Z.A@example.ORG"})
    for text, found in (
        ("EXAMPLE.org", ["alice", "zoe"]),
        ("lic", ["alice"]),
        ("B", ["bob"]),
        ("ångst", ["zoe"]),
        ("A\u030angst", ["zoe"]),
        ("nobody", []),
        ("", ["alice", "bob", "zoe"]),
        (".*", []),
    ):
        answer = master.get(f"{USERS}?q={quote(text)}").json
        assert ([user["user_id"] for user in answer["users"]], answer["total"]) == (found, len(found)), text


def test_a_page_of_users_is_bounded_in_bytes(limited: Limited):
    master = limited(max_page=3000)
    for number in range(5):
        master.post(USERS, {"user_id": f"u{number}", "user_alias": "x" * 1000})
    page = master.get(USERS).json
    assert (len(page["users"]), page["has_more"], page["total"]) == (2, True, 5)
    assert ids(master, "?offset=4") == ["u4"]


@pytest.mark.usefixtures("alice", "bob")
def test_a_user_whose_file_is_damaged_is_listed(app: Flask, master: Client):
    data_dir = app.extensions["bakehouse"].settings.data_dir
    settle(data_dir)
    unpack(data_dir / "accounts.git", "users/alice.yml").unlink()
    other = Client(create_app(app.extensions["bakehouse"].settings), master.token)
    damaged, whole = other.get(USERS).json["users"]
    assert damaged == {"user_id": "alice", "user_alias": None, "user_email": None, "tokens": None}
    assert (whole["user_id"], whole["tokens"]) == ("bob", 1)
    for answer in (other.get(f"{USERS}/alice"), patch(other, "alice")(user_alias="A"), other.delete(f"{USERS}/alice")):
        assert_error(answer, 503, "STORAGE_UNAVAILABLE", "'accounts' is damaged")


def test_only_the_master_key_sees_and_changes_users(app: Flask, alice: Client, bob: Client):
    before = accounts_log(app, "--format=%H")
    for answer in (
        alice.get(USERS),
        alice.get(f"{USERS}/alice"),
        patch(alice, "alice")(user_alias="A"),
        alice.delete(f"{USERS}/alice"),
        bob.delete(f"{USERS}/bob", **AS_BOB),
    ):
        assert_error(answer, 403, "FORBIDDEN", "master key")
    assert accounts_log(app, "--format=%H") == before


@pytest.mark.usefixtures("alice")
def test_a_user_is_read_and_changed_in_a_version(app: Flask, master: Client):
    seen = master.get(f"{USERS}/alice")
    assert (seen.status_code, seen.json) == (200, ALICE)
    changed = patch(master, "alice", If_Match=seen.headers["ETag"])(user_alias="Alicia")
    assert changed.json == {**ALICE, "user_alias": "Alicia", "warnings": []}
    assert master.get(f"{USERS}/alice").headers["ETag"] == changed.headers["ETag"] != seen.headers["ETag"]
    late = patch(master, "alice", If_Match=seen.headers["ETag"])(user_email=None)
    assert_error(late, 412, "PRECONDITION_FAILED", "'alice'", changed.headers["ETag"])
    assert_error(master.delete(f"{USERS}/alice", If_Match=seen.headers["ETag"]), 412, "PRECONDITION_FAILED")
    assert patch(master, "alice", If_Match=changed.headers["ETag"])(user_email=None).json["user_email"] is None
    again = patch(master, "alice", **AS_ALICE)(user_alias="Alicia")
    assert again.status_code == 200
    assert accounts_log(app, "-2", "--format=%an: %s%n%b").count('alias: "Alice" → "Alicia"') == 1
    assert 'Update user alice\n\nemail: "alice@example.org" → null\n' in accounts_log(app, "-1", "--format=%B")


@pytest.mark.usefixtures("alice")
def test_wrong_changes_of_a_user_are_refused(app: Flask, master: Client):
    before = accounts_log(app, "--format=%H")
    assert_mistakes(patch(master, "alice")(), (["body"], "missing"))
    assert_mistakes(
        patch(master, "alice")(user_alias=5, tokens=[]),
        (["body", "user_alias"], "string_type"),
        (["body", "tokens"], "extra_forbidden"),
    )
    for answer in (
        master.get(f"{USERS}/nobody"),
        patch(master, "nobody")(user_alias="N"),
        master.delete(f"{USERS}/nobody"),
    ):
        assert_error(answer, 404, "RESOURCE_NOT_FOUND", "User 'nobody'")
    assert accounts_log(app, "--format=%H") == before


@pytest.mark.usefixtures("alice")
def test_a_change_that_makes_two_users_look_alike_is_warned_of(master: Client, bob: Client):
    (warning,) = patch(master, "bob")(user_alias="alice", user_email="ALICE@example.org").json["warnings"]
    assert "'bob' and 'alice'" in warning
    assert bob.get("/v1/repo").status_code == 200


def test_commits_before_and_after_a_change_are_found_by_the_id(app: Flask, master: Client, alice: Client):
    before = put_target(alice, "a", temperature=0.5)
    patch(master, "alice")(user_alias="Alicia", user_email="alicia@example.org")
    after = put_target(alice, "a", temperature=0.6)
    assert log(app, "-2", "--format=%an <%ae>").splitlines() == [
        "Alicia <alicia@example.org>",
        "Alice <alice@example.org>",
    ]
    assert commits(alice, "author=alice")[:2] == [after, before]
    assert commits(alice, "author=Alicia") == [after]
    assert commits(alice, "author=alice@example.org")[0] == before


def test_a_removed_user_is_out_at_once_in_every_process(app: Flask, master: Client, alice: Client, bob: Client):
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    ci = Client(app, bob.post("/v1/tokens", {"name": "ci"}).json["api_key"])
    other = create_app(app.extensions["bakehouse"].settings)
    assert Client(other, ci.token).get(TARGETS, **AS_ALICE).status_code == 200
    removed = master.delete(f"{USERS}/bob", **AS_ALICE)
    assert removed.json == {"message": "User 'bob' removed, and 2 tokens revoked"}
    for application in (app, other):
        for token in (bob.token, ci.token):
            assert_error(Client(application, token).get(TARGETS, **AS_ALICE), 401, "UNAUTHORIZED", "revoked")
    assert ids(master) == ["alice"]
    for answer in (
        master.get(f"{USERS}/bob"),
        patch(master, "bob")(user_alias="B"),
        master.delete(f"{USERS}/bob"),
        master.get(f"{USERS}/bob/tokens"),
        master.post(f"{USERS}/bob/tokens", {"name": "again"}),
        master.post(f"{USERS}/bob/tokens/initial/rotate", None),
        alice.put("/v1/repo/demo/grants/bob", {"access": "read"}),
    ):
        assert_error(answer, 404, "RESOURCE_NOT_FOUND", "User 'bob'")
    assert accounts_log(app, "-1", "--format=%an|%s|%(trailers:key=On-Behalf-Of,valueonly)") == (
        "Alice|Remove user bob|alice\n\n"
    )
    assert accounts_log(app, "-1", "--name-status", "--format=").split() == [
        "D",
        "shares/bob.yml",
        "M",
        "users/bob.yml",
    ]


@pytest.mark.usefixtures("bob")
def test_the_id_of_a_removed_user_is_not_given_again(master: Client, alice: Client):
    """Otherwise the new user would have the grants of the old one, and commits would name both."""
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    master.delete(f"{USERS}/bob")
    assert_error(master.post(USERS, {"user_id": "bob"}), 409, "RESOURCE_CONFLICT", "'bob' was removed", "another one")
    assert_error(master.post(USERS, {"user_id": "Bob"}), 409, "RESOURCE_CONFLICT", "only in case")
    assert alice.get("/v1/repo/demo/grants").json["grants"] == [{"user_id": "bob", "access": "write"}]
    assert alice.delete("/v1/repo/demo/grants/bob").status_code == 200


def test_commits_of_a_removed_user_are_found_by_the_id(master: Client, alice: Client):
    answer = master.post(USERS, {"user_id": "bob", "user_alias": "Robert", "user_email": "r@example.org"})
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    his = Client(alice.app, answer.json["api_key"]).put(f"{TARGETS}/a", made(temperature=0.5), **AS_ALICE)
    master.delete(f"{USERS}/bob")
    assert commits(alice, "author=bob") == [his.headers["Git-Commit"]]


def test_a_user_with_repos_is_not_removed(app: Flask, master: Client, alice: Client):
    alice.post("/v1/repo", {"repo_name": "other"})
    before = accounts_log(app, "--format=%H")
    answer = master.delete(f"{USERS}/alice")
    assert_error(answer, 409, "RESOURCE_CONFLICT", "'alice' has repos: 'demo', 'other'", "Transfer or delete")
    assert accounts_log(app, "--format=%H") == before
    assert alice.get("/v1/repo").json["repos"] == ["demo", "other"]


@pytest.mark.usefixtures("bob")
def test_the_master_key_does_not_act_as_a_removed_user(app: Flask, master: Client):
    master.delete(f"{USERS}/bob")
    for answer in (
        master.get("/v1/repo", **AS_BOB),
        master.post("/v1/repo", {"repo_name": "new"}, **AS_BOB),
        master.post(f"{USERS}", {"user_id": "eve"}, **AS_BOB),
        master.get("/v1/tokens?user_id=bob"),
    ):
        assert_error(answer, 403, "FORBIDDEN", "'bob' was removed")
    new_user(master, "admin")
    assert master.delete(f"{USERS}/admin").status_code == 200
    assert master.get("/v1/repo").status_code == 200  # without a name the master key is `admin`
    assert not (app.extensions["bakehouse"].settings.data_dir / "repos/bob").exists()


@pytest.mark.usefixtures("bob")
def test_tokens_in_the_file_of_a_removed_user_let_nobody_in(app: Flask, master: Client):
    """An older version would add tokens there: it takes the file for that of a user."""
    services = app.extensions["bakehouse"]
    his = services.accounts.get("bob")
    master.delete(f"{USERS}/bob")
    document = {**replace(his, is_removed=True).document()}
    services.accounts.use(
        lambda repository: repository.transact(commit_files({"users/bob.yml": documents.dump(document)}))
    )
    assert services.accounts.find("bob") is None
    assert ids(master) == []


def test_a_change_of_one_user_reads_no_file_of_another(app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch):
    """Any user may cause a change with a token, so its cost must not grow with the number of users."""
    for number in range(30):
        app.extensions["bakehouse"].accounts.create(Origin("operator"), f"u{number}", None, None)
    other = create_app(app.extensions["bakehouse"].settings)
    for application in (app, other):
        assert Client(application, alice.token).get("/v1/repo").status_code == 200
    read, original = [], user_files.read

    def count(source: Source, user_id: str) -> User:
        read.append(user_id)
        return original(source, user_id)

    monkeypatch.setattr(user_files, "read", count)
    secret = alice.post("/v1/tokens", {"name": "ci"}).json["api_key"]
    for application in (app, other):
        assert Client(application, secret).get("/v1/repo").status_code == 200
    assert set(read) == {"alice"}


def test_each_change_of_a_user_tells_its_reason(app: Flask, master: Client, bob: Client):
    why = {"X_Change_Reason": "Ticket 7"}
    for change in (
        lambda: patch(master, "bob", **why)(user_alias="Robert"),
        lambda: bob.post("/v1/tokens", {"name": "ci"}, **why),
        lambda: bob.post("/v1/tokens/ci/rotate", None, **why),
        lambda: bob.delete("/v1/tokens/ci", **why),
        lambda: master.delete(f"{USERS}/bob", **why),
    ):
        assert change().status_code in (200, 201)
        assert accounts_log(app, "-1", "--format=%b").startswith("Ticket 7\n")


def test_a_user_whose_repos_were_transferred_and_deleted_can_be_removed(master: Client, alice: Client, bob: Client):
    alice.post("/v1/repo", {"repo_name": "old"})
    new_user(master, "carol")
    alice.put("/v1/repo/demo/grants/carol", {"access": "read"})
    assert alice.delete("/v1/repo/old").status_code == 200
    assert_error(master.delete(f"{USERS}/alice"), 409, "RESOURCE_CONFLICT", "'demo'.")
    assert master.post("/v1/repo/demo/transfer", {"user_id": "bob"}, **AS_ALICE).status_code == 200
    assert master.delete(f"{USERS}/alice").status_code == 200
    assert bob.get("/v1/repo").json == {"repos": ["demo"]}
    assert_error(master.post("/v1/repo/demo/transfer", {"user_id": "alice"}, **AS_BOB), 404, "RESOURCE_NOT_FOUND")
    assert_error(master.post("/v1/repo/old/undelete", {}, **AS_ALICE), 403, "FORBIDDEN", "'alice' was removed")
