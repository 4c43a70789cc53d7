"""`/v1/tokens`: users make, list, rotate and revoke their own tokens, and none that may do more."""

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from app import create_app
from app.domain.errors import NotFound, NotPermitted
from app.domain.tokens import TokenRequest
from app.registry.messages import Origin
from app.registry.users import user_tokens
from tests.app.api.helpers import TARGETS, Limited, new_token, new_user
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import target
from tests.storage.repositories import git

OWN = "/v1/tokens"
SOON, LATER, LATEST = (f"{year}-01-01T00:00:00+00:00" for year in (2997, 2998, 2999))


def made(client: Client, name: str, **limits: Any) -> Client:
    """Have a token make another one, and return a client that uses it."""
    answer = client.post(OWN, {"name": name, **limits})
    assert answer.status_code == 201, answer.text
    return Client(client.app, answer.json["api_key"])


def names(client: Client) -> list[str]:
    return [token["name"] for token in client.get(OWN).json["tokens"]]


def accounts_log(app: Flask, *arguments: str) -> str:
    return git(app.extensions["bakehouse"].settings.data_dir / "accounts.git", "log", *arguments)


def test_a_user_makes_lists_rotates_and_revokes_tokens(app: Flask, alice: Client):
    answer = alice.post(OWN, {"name": "ci", "access": "read", "repos": ["demo"], "expires_at": SOON})
    token = dict(answer.json)
    ci = Client(app, token.pop("api_key"))
    limits = {"access": "read", "repos": ["demo"], "expires_at": SOON}
    assert token == {"name": "ci", **limits, "created_at": token["created_at"], "made_with": "initial"}
    listed = alice.get(OWN)
    assert listed.json["tokens"][1] == token
    assert ci.token not in listed.text
    assert ci.get(TARGETS).status_code == 200
    assert_error(ci.post(TARGETS, target("a")), 403, "FORBIDDEN", "reading only")

    rotated = alice.post(f"{OWN}/ci/rotate", None)
    assert {**rotated.json, "api_key": "", "created_at": ""} == {**token, "api_key": "", "created_at": ""}
    assert_error(ci.get(TARGETS), 401, "UNAUTHORIZED", "revoked")
    ci = Client(app, rotated.json["api_key"])
    assert ci.get(TARGETS).status_code == 200

    assert alice.delete(f"{OWN}/ci").json == {"message": "Token 'ci' of user 'alice' revoked"}
    for application in (app, create_app(app.extensions["bakehouse"].settings)):
        assert_error(Client(application, ci.token).get(TARGETS), 401, "UNAUTHORIZED", "revoked")
    for answer in (listed, rotated, alice.delete(f"{OWN}/ci")):
        assert answer.headers["Cache-Control"] == "no-store"
    trace = accounts_log(app, "-3", "--format=%an: %s, %(trailers:key=User,key=Token,valueonly,separator=%x2C)")
    assert trace.splitlines() == [
        "Alice: Revoke token ci of user alice, alice,initial",
        "Alice: Rotate token ci of user alice, alice,initial",
        "Alice: Create token ci of user alice, alice,initial",
    ]
    assert 'made_with: (unset) → "initial"' in accounts_log(app, "-3", "--format=%b")


def test_what_is_there_not_or_there_already(app: Flask, alice: Client):
    assert_error(alice.post(OWN, {"name": "initial"}), 409, "RESOURCE_CONFLICT", "'initial'", f"{OWN}/initial/rotate")
    assert_error(alice.post(f"{OWN}/nope/rotate", None), 404, "RESOURCE_NOT_FOUND", "Token 'nope'")
    assert_error(alice.delete(f"{OWN}/nope"), 404, "RESOURCE_NOT_FOUND", "Token 'nope'")
    assert_mistakes(
        alice.post(OWN, {"name": "../x", "access": "all", "user_id": "bob"}),
        (["body", "name"], "string_pattern_mismatch"),
        (["body", "access"], "literal_error"),
        (["body", "user_id"], "extra_forbidden"),
    )
    request = TokenRequest("old", expires=datetime(2026, 1, 31, tzinfo=UTC))
    user_tokens.create(app.extensions["bakehouse"].accounts, Origin("operator"), "alice", request)
    assert_error(alice.post(f"{OWN}/old/rotate", None), 409, "RESOURCE_CONFLICT", "has expired")
    assert names(alice) == ["initial", "old"]


@pytest.mark.parametrize(
    ("limits", "less", "more", "reason"),
    [
        ({"repos": ["demo", "bob/x"]}, {"repos": ["alice/demo"]}, {"repos": ["demo", "other"]}, "some repos only"),
        ({"repos": ["demo", "bob/x"]}, {"repos": ["bob/x", "demo"]}, {}, "some repos only"),
        ({"repos": ["demo"]}, {"repos": ["demo"]}, {"repos": ["bob/demo"]}, "some repos only"),
        ({"expires_at": LATER}, {"expires_at": SOON}, {"expires_at": LATEST}, LATER),
        ({"expires_at": LATER}, {"expires_at": LATER}, {}, LATER),
    ],
)
def test_a_token_manages_none_that_may_do_more(app: Flask, master: Client, alice: Client, limits, less, more, reason):
    ci = new_token(master, **limits)
    alice.post(OWN, {"name": "more", **more})
    before = accounts_log(app, "--format=%H")
    for answer in (
        ci.post(OWN, {"name": "new", **more}),
        ci.post(f"{OWN}/more/rotate", None),
        ci.delete(f"{OWN}/more"),
        ci.delete(f"{OWN}/initial"),
        ci.post(f"{OWN}/initial/rotate", None),
    ):
        assert_error(answer, 403, "FORBIDDEN", "'ci'", reason)
    assert accounts_log(app, "--format=%H") == before
    weaker = made(ci, "weaker", **less)
    made(weaker, "weakest", **less)
    rotated = ci.post(f"{OWN}/weakest/rotate", None)
    assert (rotated.status_code, rotated.json["made_with"]) == (200, "ci")
    assert ci.delete(f"{OWN}/weakest").status_code == 200
    assert weaker.get(TARGETS).status_code == 200


def test_a_token_for_reading_manages_itself_only(app: Flask, master: Client, alice: Client):
    reader = new_token(master, access="read")
    alice.post(OWN, {"name": "other", "access": "read"})
    for answer in (
        reader.post(OWN, {"name": "new", "access": "read"}),
        reader.post(f"{OWN}/other/rotate", None),
        reader.delete(f"{OWN}/other"),
    ):
        assert_error(answer, 403, "FORBIDDEN", "'ci'", "reading only", "itself")
    rotated = reader.post(f"{OWN}/ci/rotate", None)
    assert (rotated.status_code, rotated.json["access"]) == (200, "read")
    assert_error(reader.get(OWN), 401, "UNAUTHORIZED")
    reader = Client(app, rotated.json["api_key"])
    assert names(reader) == ["initial", "ci", "other"]
    assert "which sent this request" in reader.delete(f"{OWN}/ci").json["message"]
    assert_error(reader.get(OWN), 401, "UNAUTHORIZED")


def test_a_token_for_some_repos_sees_no_names_of_others(master: Client, alice: Client):
    alice.post(OWN, {"name": "secret", "repos": ["secret-plans"]})
    alice.post(OWN, {"name": "same", "repos": ["alice/demo"]})
    ci = new_token(master, repos=["demo", "bob/x"])
    assert names(ci) == ["same", "ci"]
    assert "secret-plans" not in ci.post(f"{OWN}/secret/rotate", None).text
    assert names(alice) == ["initial", "secret", "same", "ci"]


def test_the_last_token_may_be_revoked_and_the_answer_says_so(master: Client, alice: Client):
    made(alice, "ci")
    assert "last" not in alice.delete(f"{OWN}/ci").json["message"]
    message = alice.delete(f"{OWN}/initial").json["message"]
    assert "which sent this request" in message
    assert "the last one: ask the operator" in message
    assert_error(alice.get(OWN), 401, "UNAUTHORIZED")
    again = master.post("/v1/admin/users/alice/tokens", {"name": "again"})
    assert names(Client(alice.app, again.json["api_key"])) == ["again"]


def test_a_token_that_was_revoked_while_it_asked_makes_nothing(app: Flask, alice: Client):
    """Two requests at once: the one has been let in, and the other revokes the token before the first one writes."""
    accounts = app.extensions["bakehouse"].accounts
    for end in (
        lambda: user_tokens.rotate(accounts, Origin("operator"), "alice", "initial"),
        lambda: user_tokens.revoke_all(accounts, Origin("operator"), "alice"),
    ):
        by = accounts.get("alice").tokens[0]
        end()
        before = accounts.get("alice")
        for ask in (
            lambda by=by: user_tokens.create(accounts, Origin("alice"), "alice", TokenRequest("mine"), by),
            lambda by=by: user_tokens.rotate(accounts, Origin("alice"), "alice", "initial", by),
            lambda by=by: user_tokens.revoke(accounts, Origin("alice"), "alice", "initial", by),
        ):
            with pytest.raises((NotPermitted, NotFound)):
                ask()
        assert accounts.get("alice") == before
    assert_error(alice.get(OWN), 401, "UNAUTHORIZED")


def test_a_token_whose_repo_was_renamed_while_it_asked_makes_none_for_the_next_repo_of_the_old_name(
    app: Flask, master: Client, alice: Client
):
    new_token(master, repos=["demo"])
    accounts = app.extensions["bakehouse"].accounts
    by = accounts.get("alice").tokens[1]
    alice.post("/v1/repo/demo/rename", {"name": "bread"})
    alice.post("/v1/repo", {"repo_name": "demo"})
    with pytest.raises(NotPermitted, match="some repos only"):
        user_tokens.create(accounts, Origin("alice"), "alice", TokenRequest("new", repos=("demo",)), by)
    user_tokens.create(accounts, Origin("alice"), "alice", TokenRequest("new", repos=("bread",)), by)


def test_nobody_manages_the_tokens_of_another_user(app: Flask, master: Client, alice: Client):
    bob = new_user(master, "bob")
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    before = accounts_log(app, "--format=%H")
    for answer in (
        bob.get(OWN, X_User_Id="alice"),
        bob.get(f"{OWN}?user_id=alice"),
        bob.post(OWN, {"name": "mine"}, X_User_Id="alice"),
        bob.post(f"{OWN}/initial/rotate", None, X_User_Id="alice"),
        bob.delete(f"{OWN}/initial", X_User_Id="alice"),
    ):
        assert_error(answer, 403, "FORBIDDEN", "'bob'", "X-User-Id")
    assert accounts_log(app, "--format=%H") == before
    assert names(bob) == ["initial"]
    assert bob.get(OWN, X_User_Id="bob").status_code == 200
    assert_error(Client(app, None).get(OWN), 401, "UNAUTHORIZED")


@pytest.mark.usefixtures("alice")
def test_the_master_key_acts_for_the_user_that_it_names(app: Flask, master: Client):
    answer = master.post(OWN, {"name": "ci"}, X_User_Id="alice")
    assert (answer.status_code, answer.json["made_with"]) == (201, None)
    assert "On-Behalf-Of: alice" in accounts_log(app, "-1", "--format=%b")
    assert [token["name"] for token in master.get(f"{OWN}?user_id=alice").json["tokens"]] == ["initial", "ci"]
    assert master.post(f"{OWN}/ci/rotate", None, X_User_Id="alice").status_code == 200
    assert master.delete(f"{OWN}/ci", X_User_Id="alice").status_code == 200
    for answer in (master.get(OWN), master.post(OWN, {"name": "ci"}), master.delete(f"{OWN}/ci")):
        assert_error(answer, 404, "RESOURCE_NOT_FOUND", "User 'admin'")


def test_a_user_makes_no_more_than_a_hundred_tokens(app: Flask, master: Client, alice: Client):
    accounts = app.extensions["bakehouse"].accounts
    for number in range(99):
        user_tokens.create(accounts, Origin("operator"), "alice", TokenRequest(f"t{number}"))
    assert_error(alice.post(OWN, {"name": "one-more"}), 409, "RESOURCE_CONFLICT", "100 tokens", "revoke one")
    assert master.post("/v1/admin/users/alice/tokens", {"name": "by-the-operator"}).status_code == 201
    assert alice.delete(f"{OWN}/t0").status_code == 200
    assert alice.delete(f"{OWN}/t1").status_code == 200
    assert alice.post(OWN, {"name": "one-more"}).status_code == 201


def test_made_and_rotated_tokens_share_one_rate(limited: Limited):
    """Otherwise a user could go beyond the limit with more tokens."""
    app = limited(rate_limit=6).app
    master = Client(limited().app, limited().token)
    alice = Client(app, master.post("/v1/admin/users", {"user_id": "alice"}).json["api_key"])
    first = made(alice, "first")
    second = made(first, "second")
    rotated = Client(app, second.post(f"{OWN}/second/rotate", None).json["api_key"])
    clients = [alice, first, rotated, rotated]
    assert [client.get(OWN).status_code for client in clients] == [200, 200, 200, 429]
    other = Client(app, master.post("/v1/admin/users/alice/tokens", {"name": "other"}).json["api_key"])
    assert other.get(OWN).status_code == 200
