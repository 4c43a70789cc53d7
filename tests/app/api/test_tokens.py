"""`/v1/admin/users/{user_id}/tokens`: what a token lets its user do, and for how long."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app import create_app
from app.domain.tokens import TokenRequest
from app.registry import documents
from app.registry.messages import Origin
from app.registry.users import accounts, user_tokens
from storage.store import Store
from tests.app.api.helpers import TOKENS, new_token, new_user
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import target
from tests.storage.repositories import git, settle

TARGETS = "/v1/repo/demo/targets"


@pytest.mark.usefixtures("alice")
def test_tokens_are_created_listed_and_never_shown_again(master: Client):
    limits = {"access": "read", "repos": ["demo", "bob/x"], "expires_at": "2999-01-31T12:00:00+02:00"}
    made = master.post(TOKENS, {"name": "ci", **limits})
    assert made.status_code == 201
    token = dict(made.json)
    secret = token.pop("api_key")
    assert datetime.fromisoformat(token["created_at"]).tzinfo is UTC
    expected = {"name": "ci", **limits, "created_at": token["created_at"], "made_with": None}
    assert token == {**expected, "expires_at": "2999-01-31T10:00:00+00:00"}
    listed = master.get(TOKENS)
    assert listed.json["tokens"][1] == token
    assert [token["name"] for token in listed.json["tokens"]] == ["initial", "ci"]
    first = listed.json["tokens"][0]
    assert (first["access"], first["repos"], first["expires_at"]) == ("write", None, None)
    assert secret not in listed.text
    assert "sha256" not in listed.text
    assert_error(
        master.post(TOKENS, {"name": "ci"}), 409, "RESOURCE_CONFLICT", "'alice'", "'ci'", f"{TOKENS}/ci/rotate"
    )


def test_several_tokens_work_until_they_are_revoked(app: Flask, master: Client, alice: Client):
    one, two = new_token(master, name="one"), new_token(master, name="two")
    other_process = create_app(app.extensions["bakehouse"].settings)
    assert Client(other_process, one.token).get("/v1/repo").status_code == 200
    revoked = master.delete(f"{TOKENS}/one")
    assert revoked.json == {"message": "Token 'one' of user 'alice' revoked"}
    for application in (app, other_process):
        assert_error(Client(application, one.token).get("/v1/repo"), 401, "UNAUTHORIZED", "revoked")
        assert Client(application, two.token).get("/v1/repo").status_code == 200
    assert alice.get("/v1/repo").status_code == 200
    assert_error(master.delete(f"{TOKENS}/one"), 404, "RESOURCE_NOT_FOUND", "Token 'one'")
    data_dir = app.extensions["bakehouse"].settings.data_dir
    history = git(data_dir / "accounts.git", "log", "--format=%s|%b")
    assert "Revoke token one of user alice" in history
    assert "Create token two of user alice" in history


def test_a_token_whose_answer_was_lost_is_rotated(app: Flask, master: Client):
    body = {"user_id": "alice"}
    lost = Client(app, master.post("/v1/admin/users", body).json["api_key"])
    again = master.post("/v1/admin/users", body)
    assert_error(again, 409, "RESOURCE_CONFLICT", f"POST {TOKENS}/initial/rotate", "users tokens rotate alice initial")
    rotated = master.post(f"{TOKENS}/initial/rotate", None)
    assert rotated.status_code == 200
    assert_error(lost.get("/v1/repo"), 401, "UNAUTHORIZED")
    assert Client(app, rotated.json["api_key"]).get("/v1/repo").status_code == 200


def test_a_rotated_token_keeps_its_limits(app: Flask, master: Client, alice: Client):
    limits = {"access": "read", "repos": ["demo"], "expires_at": "2999-01-31T10:00:00+00:00"}
    old = new_token(master, **limits)
    new_token(master, name="other")
    rotated = dict(master.post(f"{TOKENS}/ci/rotate", None).json)
    new = Client(app, rotated.pop("api_key"))
    assert rotated == {"name": "ci", **limits, "created_at": rotated["created_at"], "made_with": None}
    assert [token["name"] for token in master.get(TOKENS).json["tokens"]] == ["initial", "ci", "other"]
    assert_error(old.get("/v1/repo"), 401, "UNAUTHORIZED")
    assert new.get("/v1/repo").json == alice.get("/v1/repo").json
    history = git(app.extensions["bakehouse"].settings.data_dir / "accounts.git", "log", "-1", "--format=%s")
    assert history == "Rotate token ci of user alice\n"


def test_what_cannot_be_rotated(app: Flask, master: Client, alice: Client):
    request = TokenRequest("old", expires=datetime(2026, 1, 31, tzinfo=UTC))
    user_tokens.create(app.extensions["bakehouse"].accounts, Origin("operator"), "alice", request)
    assert_error(master.post(f"{TOKENS}/old/rotate", None), 409, "RESOURCE_CONFLICT", "has expired")
    assert_error(master.post(f"{TOKENS}/nope/rotate", None), 404, "RESOURCE_NOT_FOUND", "Token 'nope'")
    path = "/v1/admin/users/nobody/tokens/initial/rotate"
    assert_error(master.post(path, None), 404, "RESOURCE_NOT_FOUND", "User 'nobody'")
    assert_error(alice.post(f"{TOKENS}/initial/rotate", None), 403, "FORBIDDEN")


def test_only_the_master_key_manages_tokens(master: Client, alice: Client):
    bob = new_user(master, "bob")
    for client in (alice, bob):
        assert_error(client.get(TOKENS), 403, "FORBIDDEN")
        assert_error(client.post(TOKENS, {"name": "mine"}), 403, "FORBIDDEN")
        assert_error(client.delete(f"{TOKENS}/initial"), 403, "FORBIDDEN")
    for response in (
        master.get("/v1/admin/users/nobody/tokens"),
        master.post("/v1/admin/users/nobody/tokens", {"name": "x"}),
        master.delete("/v1/admin/users/nobody/tokens/x"),
    ):
        assert_error(response, 404, "RESOURCE_NOT_FOUND", "User 'nobody'")


@pytest.mark.parametrize(
    ("fields", "location", "kind"),
    [
        ({"name": "../x"}, ["name"], "string_pattern_mismatch"),
        ({"access": "admin"}, ["access"], "literal_error"),
        ({"access": None}, ["access"], "string_type"),
        ({"repos": []}, ["repos"], "too_short"),
        ({"repos": "demo"}, ["repos"], "list_type"),
        ({"repos": ["a/b/c"]}, ["repos", 0], "string_pattern_mismatch"),
        ({"repos": ["/b"]}, ["repos", 0], "string_pattern_mismatch"),
        ({"repos": ["demo", "alice/"]}, ["repos", 1], "string_pattern_mismatch"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, ["expires_at"], "datetime_future"),
        ({"expires_at": "2999-01-01"}, ["expires_at"], "datetime_parsing"),
        ({"expires_at": "2999-01-01T00:00:00"}, ["expires_at"], "datetime_parsing"),
        ({"expires_at": "2999-02-30T00:00:00Z"}, ["expires_at"], "datetime_parsing"),
        ({"expires_at": "9999-12-31T23:59:59-23:59"}, ["expires_at"], "datetime_parsing"),
        ({"expires_at": 5}, ["expires_at"], "string_type"),
        ({"expires_at": "2020-01-01t00:00:00z"}, ["expires_at"], "datetime_future"),
        ({"api_key": "mine"}, ["api_key"], "extra_forbidden"),
    ],
)
@pytest.mark.usefixtures("alice")
def test_wrong_bodies_of_a_token_are_refused(master: Client, fields, location, kind):
    assert_mistakes(master.post(TOKENS, {"name": "ci", **fields}), (["body", *location], kind))
    assert len(master.get(TOKENS).json["tokens"]) == 1


def test_an_expired_token_is_answered_401(app: Flask, master: Client, alice: Client):
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert new_token(master, expires_at=later).get("/v1/repo").status_code == 200
    past = datetime(2026, 1, 31, tzinfo=UTC)
    request = TokenRequest("old", expires=past)
    _, secret = user_tokens.create(app.extensions["bakehouse"].accounts, Origin("operator"), "alice", request)
    response = Client(app, secret).get("/v1/repo")
    assert_error(response, 401, "UNAUTHORIZED", "expired at 2026-01-31T00:00:00+00:00")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert alice.get("/v1/repo").status_code == 200


def test_a_read_only_token_may_read_and_not_write(master: Client, alice: Client):
    alice.post(TARGETS, target("a"))
    reader = new_token(master, access="read")
    for path in ("/v1/repo", "/v1/repo/demo", TARGETS, f"{TARGETS}/a", "/v1/repo/demo/defaults/target"):
        assert reader.get(path).json == alice.get(path).json
    for response in (
        reader.post("/v1/repo", {"repo_name": "new"}),
        reader.post("/v1/repo", {"repo_name": "demo"}),
        reader.post(TARGETS, target("b")),
        reader.put(f"{TARGETS}/a", {"template": "default"}),
        reader.delete(f"{TARGETS}/a"),
        reader.post(f"{TARGETS}/batch", {"targets": []}),
        reader.put("/v1/repo/demo/grants/bob", {"access": "read"}),
        reader.put("/v1/repo/demo/defaults/target", {"config": {}}),
    ):
        assert_error(response, 403, "FORBIDDEN", "'ci'", "reading only")
    assert alice.get("/v1/repo").json == {"repos": ["demo"]}
    assert alice.get(TARGETS).json == {"targets": ["a"]}


def test_a_token_limited_to_repos_reaches_no_others(master: Client, alice: Client):
    alice.post("/v1/repo", {"repo_name": "secret"})
    limited = new_token(master, repos=["demo", "alice/planned"])
    assert limited.get("/v1/repo").json == {"repos": ["demo"]}
    page = limited.get("/v1/repo?include_metadata=true").json
    assert (page["total"], [repo["repo_name"] for repo in page["repos"]]) == (1, ["demo"])
    assert limited.post(TARGETS, target("a")).status_code == 201
    for path in ("/v1/repo/secret", "/v1/repo/secret/targets", "/v1/repo/nowhere", "/v1/repo/.bad"):
        assert_error(limited.get(path), 403, "FORBIDDEN", "'ci'")
    assert_error(limited.post("/v1/repo", {"repo_name": "more"}), 403, "FORBIDDEN", "'ci'", "'more'")
    assert_error(limited.post("/v1/repo", {"repo_name": "secret"}), 403, "FORBIDDEN", "'secret'")
    assert limited.post("/v1/repo", {"repo_name": "planned"}).status_code == 201


def files_that_change_with_use(app: Flask, master: Client, alice: Client) -> list[str]:
    """Use tokens, and return the names of the files of the data directory that are not as before."""
    alice.post(TARGETS, target("a"))
    reader = new_token(master, access="read")
    data_dir: Path = app.extensions["bakehouse"].settings.data_dir

    def state() -> dict[Path, bytes | int]:
        return {path: path.stat().st_mtime_ns if path.is_dir() else path.read_bytes() for path in data_dir.rglob("*")}

    settle(data_dir)
    before = state()
    for client in (reader, alice):
        assert client.get(f"{TARGETS}/a").status_code == 200
    assert_error(reader.post(TARGETS, target("b")), 403, "FORBIDDEN")
    after = state()
    return [path.name for path in before | after if before.get(path) != after.get(path)]


def test_using_a_token_writes_nothing(app: Flask, master: Client, alice: Client):
    assert files_that_change_with_use(app, master, alice) == []


def test_using_a_token_is_counted_where_there_is_a_rate_limit(app: Flask, master: Client, alice: Client):
    settings = replace(app.extensions["bakehouse"].settings, rate_limit=1000)
    limited = create_app(settings)
    master, alice = (Client(limited, client.token) for client in (master, alice))
    assert files_that_change_with_use(limited, master, alice) == ["rates"]


def rewrite_user(app: Flask, **changes: Any) -> None:
    """Change alice's file by hand."""

    def change(transaction):
        document = documents.read(transaction, "users/alice.yml")[0]
        transaction.write("users/alice.yml", documents.dump({**document, **changes}))
        transaction.commit("By hand", Origin("operator").author)

    data_dir = app.extensions["bakehouse"].settings.data_dir
    Store(data_dir).open(accounts.REPOSITORY).transact(change)


def test_a_token_stored_without_limits_has_none(app: Flask, alice: Client):
    """An older version stored tokens without limits: such a token may do everything."""
    (token,) = app.extensions["bakehouse"].accounts.get("alice").tokens
    old = {name: token.document()[name] for name in ("name", "sha256", "created")}
    rewrite_user(app, tokens=[old])
    assert alice.post(TARGETS, target("a")).status_code == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"alias": 5},
        {"tokens": [{}]},
        {"tokens": "x"},
        {"tokens": [{"name": "a", "sha256": [1], "created": "2026-01-01T00:00:00Z"}]},
        {"tokens": [{"name": "a", "sha256": "b", "created": "yesterday"}]},
    ],
)
def test_a_damaged_user_file_affects_that_user_only(
    app: Flask, master: Client, alice: Client, caplog: pytest.LogCaptureFixture, changes
):
    bob = new_user(master, "bob")
    whole = app.extensions["bakehouse"].accounts.get("alice").document()
    rewrite_user(app, **changes)
    answer = alice.get("/v1/repo")
    assert_error(answer, 503, "STORAGE_UNAVAILABLE", "the file of a user cannot be read")
    assert "alice" not in answer.text
    assert bob.get("/v1/repo").status_code == 200
    assert master.get("/v1/repo/demo", X_User_Id="alice").status_code == 200
    assert_error(master.get("/v1/admin/users/alice/tokens"), 503, "STORAGE_UNAVAILABLE")
    assert "users/alice.yml" in caplog.text
    rewrite_user(app, **whole)
    assert alice.get("/v1/repo").status_code == 200
