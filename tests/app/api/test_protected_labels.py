"""Protected labels: who may move them, and that nothing else moves them."""

import pytest
from flask import Flask

from tests.app.api.helpers import demo, new_token, new_user
from tests.client import Client, assert_error
from tests.timeline import put_target, refs, tip

LABELS = "/v1/repo/demo/labels"
LABEL = f"{LABELS}/production"
AS_OWNER = {"X_User_Id": "alice"}


@pytest.fixture
def bob(master: Client, alice: Client) -> Client:
    """Requests of a user who may write to alice's repo."""
    bob = new_user(master, "bob")
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    return bob


@pytest.fixture
def carol(master: Client, alice: Client) -> Client:
    """Requests of another user who may write to alice's repo."""
    carol = new_user(master, "carol")
    alice.put("/v1/repo/demo/grants/carol", {"access": "write"})
    return carol


def protected(client: Client) -> list[str] | None:
    return client.get(LABEL).json["protected"]


def test_every_writer_moves_a_label_that_is_not_protected(alice: Client, bob: Client):
    first = put_target(alice, "a")
    assert bob.put(LABEL, {"ref": first, "reason": "Mine"}, **AS_OWNER).status_code == 200
    second = put_target(alice, "b")
    answer = bob.put(LABEL, {"ref": second}, **AS_OWNER).json
    assert (answer["moved"]["author"]["user"], answer["protected"]) == ("bob", None)
    assert bob.delete(LABEL, **AS_OWNER).status_code == 200


def test_only_those_who_are_named_move_a_protected_label(
    app: Flask, master: Client, alice: Client, bob: Client, carol: Client
):
    first = put_target(alice, "a")
    alice.put(LABEL, {"ref": first, "protected": ["bob"]})
    assert demo(app, "show", "main:labels/production.yml").splitlines()[1:] == ["protected:", "- bob"]
    before = refs(app)
    for answer in (
        carol.put(LABEL, {"ref": "main"}, **AS_OWNER),
        carol.put(LABEL, {"ref": "production"}, **AS_OWNER),
        carol.put(LABEL, {"ref": "main", "dry_run": True}, **AS_OWNER),
        carol.delete(LABEL, **AS_OWNER),
    ):
        assert_error(answer, 403, "FORBIDDEN", "'production' is protected", "only 'alice'", "and 'bob' may move it")
    assert refs(app) == before
    second = put_target(alice, "b")
    assert bob.put(LABEL, {"ref": second}, **AS_OWNER).json["commit"] == second
    assert protected(alice) == ["bob"]
    assert alice.put(LABEL, {"ref": first}).status_code == 200
    assert master.put(LABEL, {"ref": second}, **AS_OWNER).status_code == 200
    assert bob.delete(LABEL, **AS_OWNER).status_code == 200


def test_only_the_owner_says_who_moves_a_label(app: Flask, master: Client, alice: Client, bob: Client):
    alice.put(LABEL, {"ref": "main", "protected": ["bob"]})
    before = refs(app)
    for users in (None, [], ["bob", "alice"]):
        answer = bob.put(LABEL, {"ref": "production", "protected": users}, **AS_OWNER)
        assert_error(answer, 403, "FORBIDDEN", "Only 'alice'", "'production'")
    assert_error(
        bob.put(f"{LABELS}/mine", {"ref": "main", "protected": ["bob"]}, **AS_OWNER), 403, "FORBIDDEN", "Only 'alice'"
    )
    assert refs(app) == before
    assert bob.put(LABEL, {"ref": "main", "protected": ["bob"]}, **AS_OWNER).status_code == 200
    changed = master.put(LABEL, {"ref": "production", "protected": ["bob", "alice", "bob"]}, **AS_OWNER)
    assert (changed.json["protected"], changed.json["moved"]["subject"]) == (
        ["alice", "bob"],
        "Protect label production",
    )
    assert alice.put(LABEL, {"ref": "production", "protected": []}).json["protected"] == []
    assert_error(bob.put(LABEL, {"ref": "main"}, **AS_OWNER), 403, "FORBIDDEN", "only 'alice', who owns the repo, may")
    opened = alice.put(LABEL, {"ref": "production", "protected": None}).json
    assert (opened["protected"], opened["moved"]["subject"]) == (None, "Unprotect label production")
    assert bob.put(LABEL, {"ref": "main"}, **AS_OWNER).status_code == 200


def test_a_label_is_protected_for_users_that_exist(app: Flask, alice: Client):
    before = refs(app)
    answer = alice.put(LABEL, {"ref": "main", "protected": ["nobody"]})
    assert_error(answer, 404, "RESOURCE_NOT_FOUND", "User 'nobody'")
    assert refs(app) == before


def test_reading_labels_and_moving_them_need_the_rights_of_other_resources(
    app: Flask, master: Client, alice: Client, bob: Client
):
    put_target(alice, "a")
    alice.put(LABEL, {"ref": "main"})
    reader, stranger = new_token(master, access="read"), new_user(master, "dave")
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    before = refs(app)
    paths = (LABELS, LABEL, f"{LABEL}/history", "/v1/repo/demo/targets/a/timeline?label=production")
    for path in paths:
        assert bob.get(path, **AS_OWNER).status_code == 200
        assert reader.get(path).status_code == 200
        assert_error(stranger.get(path, **AS_OWNER), 403, "FORBIDDEN", "'alice' has not shared")
        assert_error(Client(app, None).get(path), 401, "UNAUTHORIZED")
    for client, headers, words in (
        (bob, AS_OWNER, "reading only"),
        (reader, {}, "reading only"),
        (stranger, AS_OWNER, "has not shared"),
    ):
        assert_error(client.put(LABEL, {"ref": "main"}, **headers), 403, "FORBIDDEN", words)
        assert_error(client.delete(LABEL, **headers), 403, "FORBIDDEN", words)
    assert refs(app) == before


def test_nothing_else_moves_a_label(app: Flask, alice: Client):
    """The branch of a label and its file stay as they are, whatever else is written."""
    first = put_target(alice, "a", temperature=0.5)
    alice.put(LABEL, {"ref": first, "protected": []})
    label = demo(app, "rev-parse", "main:labels/production.yml")
    second = put_target(alice, "a", temperature=0.75)
    alice.post("/v1/repo/demo/targets/a/revert", {"to": first})
    alice.post("/v1/repo/demo/tags", {"name": "v1", "ref": second})
    alice.delete("/v1/repo/demo/targets/a")
    assert demo(app, "rev-parse", "main:labels/production.yml") == label
    assert demo(app, "rev-parse", "refs/heads/production").strip() == first != tip(app)
