"""`/v1/repo/{repo_name}/grants`: sharing a repo, and what a guest may do there."""

import shutil

import pytest
import yaml
from flask import Flask

from app import create_app
from app.registry.messages import Origin
from app.registry.users.share_files import FOLDER, PATH_OF_NOTE
from storage.repository import Repository
from storage.signatures import Person
from storage.transaction import Transaction
from tests.app.api.helpers import TARGETS, demo, log, new_user, show
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import target
from tests.seams import count_opened
from tests.storage.repositories import git, settle

GRANTS = "/v1/repo/demo/grants"
AS_ALICE = {"X_User_Id": "alice"}


@pytest.fixture
def bob(master: Client) -> Client:
    return new_user(master, "bob")


@pytest.mark.usefixtures("bob")
def test_grants_are_given_listed_and_revoked(app: Flask, master: Client, alice: Client):
    new_user(master, "ann")
    assert alice.get(GRANTS).json == {"grants": []}
    given = alice.put(f"{GRANTS}/bob", {"access": "read"})
    assert (given.status_code, given.json) == (200, {"user_id": "bob", "access": "read"})
    assert master.put(f"{GRANTS}/ann", {"access": "write"}, **AS_ALICE).status_code == 200
    assert alice.get(GRANTS).json == {
        "grants": [{"user_id": "ann", "access": "write"}, {"user_id": "bob", "access": "read"}]
    }
    assert yaml.safe_load(show(app, "repo.yml"))["grants"] == {"ann": "write", "bob": "read"}
    assert alice.put(f"{GRANTS}/bob", {"access": "write"}).json["access"] == "write"
    commits = log(app, "--format=%H")
    assert alice.put(f"{GRANTS}/bob", {"access": "write"}).status_code == 200
    assert log(app, "--format=%H") == commits
    taken = alice.delete(f"{GRANTS}/bob")
    assert (taken.status_code, taken.json["message"]) == (200, "Repo 'demo' is no longer shared with 'bob'")
    assert_error(alice.delete(f"{GRANTS}/bob"), 404, "RESOURCE_NOT_FOUND", "Grant 'bob'")
    alice.delete(f"{GRANTS}/ann")
    assert "grants" not in yaml.safe_load(show(app, "repo.yml"))
    assert log(app, "--format=%an: %s", "--", "repo.yml").splitlines() == [
        "Alice: Take access back from ann",
        "Alice: Take access back from bob",
        "Alice: Grant bob write access",
        "Alice: Grant ann write access",
        "Alice: Grant bob read access",
        "Alice: Create repo demo",
    ]
    assert 'bob: "read" → "write"' in log(app, "--format=%B")


@pytest.mark.usefixtures("bob")
def test_wrong_grants_are_refused(alice: Client):
    assert_error(alice.put(f"{GRANTS}/nobody", {"access": "read"}), 404, "RESOURCE_NOT_FOUND", "'nobody'")
    assert_error(alice.put(f"{GRANTS}/alice", {"access": "read"}), 409, "RESOURCE_CONFLICT", "'alice' owns")
    missing = alice.put("/v1/repo/nope/grants/bob", {"access": "read"})
    assert_error(missing, 404, "RESOURCE_NOT_FOUND", "Repo 'nope'")
    assert_mistakes(
        alice.put(f"{GRANTS}/.bob", {"access": "own"}),
        (["path", "user_id"], "string_pattern_mismatch"),
        (["body", "access"], "literal_error"),
    )
    assert alice.get(GRANTS).json == {"grants": []}


def test_a_reader_may_read_and_not_write(alice: Client, bob: Client):
    alice.post(TARGETS, target("a"))
    alice.post("/v1/repo/demo/prompts", {"prompt_name": "p", "messages": []})
    alice.put(f"{GRANTS}/bob", {"access": "read"})
    for path in ("/v1/repo/demo", TARGETS, f"{TARGETS}/a", "/v1/repo/demo/prompts/p"):
        assert bob.get(path, **AS_ALICE).json == alice.get(path).json
        assert bob.get(f"{path}?user_id=alice").json == alice.get(path).json
        assert_error(bob.get(path), 404, "RESOURCE_NOT_FOUND", "'demo'")
    for response in (
        bob.post(TARGETS, target("b"), **AS_ALICE),
        bob.put(f"{TARGETS}/a", {"template": "default"}, **AS_ALICE),
        bob.delete(f"{TARGETS}/a", **AS_ALICE),
        bob.put("/v1/repo/demo/defaults/target", {"config": {}}, **AS_ALICE),
    ):
        assert_error(response, 403, "FORBIDDEN", "'alice'", "'demo'", "reading only")
    assert alice.get(TARGETS).json == {"targets": ["a"]}


def test_a_writer_is_the_author_of_their_commits(app: Flask, alice: Client, bob: Client):
    alice.put(f"{GRANTS}/bob", {"access": "write"})
    assert bob.post(TARGETS, target("b"), **AS_ALICE).status_code == 201
    assert alice.get(TARGETS).json == {"targets": ["b"]}
    text = log(app, "-1", "--format=%an <%ae>%n%B")
    assert text.startswith("bob <bob@bakehouse.invalid>\nCreate b from default: ")
    assert "On-Behalf-Of" not in text
    assert bob.delete(f"{TARGETS}/b", **AS_ALICE).status_code == 200


@pytest.mark.parametrize("access", ["read", "write"])
def test_a_guest_may_only_read_or_write_targets_and_prompts(alice: Client, bob: Client, access: str):
    alice.post("/v1/repo", {"repo_name": "other"})
    alice.put(f"{GRANTS}/bob", {"access": access})
    for method, path, body in (
        ("GET", GRANTS, None),
        ("PUT", f"{GRANTS}/bob", {"access": "write"}),
        ("DELETE", f"{GRANTS}/bob", None),
        ("POST", "/v1/repo", {"repo_name": "new"}),
        ("POST", "/v1/repo", {"repo_name": "demo"}),
        ("PUT", "/v1/repo", {"repo_name": "demo"}),
        ("GET", "/v1/repo/other", None),
        ("GET", "/v1/repo/other/targets", None),
        ("GET", "/v1/repo/.bad", None),
        ("POST", "/v1/repo/other/targets", target("a")),
        ("GET", "/v1/repo/nowhere", None),
        ("GET", "/v1/admin/users/bob/tokens", None),
    ):
        assert_error(bob.request(method, path, body, **AS_ALICE), 403, "FORBIDDEN")
    assert alice.get("/v1/repo").json == {"repos": ["demo", "other"]}
    assert alice.get(GRANTS).json["grants"] == [{"user_id": "bob", "access": access}]


@pytest.mark.usefixtures("alice")
def test_an_unshared_repo_and_an_unknown_one_are_answered_alike(bob: Client):
    there, nowhere = (bob.get(f"/v1/repo/{name}", **AS_ALICE) for name in ("demo", "nope"))
    assert_error(there, 403, "FORBIDDEN", "'alice'", "'demo'")
    assert there.text == nowhere.text.replace("nope", "demo")
    stranger = bob.get("/v1/repo/demo", X_User_Id="nobody")
    assert there.text == stranger.text.replace("nobody", "alice")
    listed, unknown = (bob.get("/v1/repo", X_User_Id=name) for name in ("alice", "nobody"))
    assert_error(listed, 403, "FORBIDDEN", "'alice'")
    assert listed.text == unknown.text.replace("nobody", "alice")


def test_a_guest_lists_only_the_repos_that_are_shared(alice: Client, bob: Client):
    for name in ("b", "c", "d"):
        alice.post("/v1/repo", {"repo_name": name})
    alice.put("/v1/repo/d/grants/bob", {"access": "read"})
    alice.put("/v1/repo/b/grants/bob", {"access": "write"})
    assert bob.get("/v1/repo?user_id=alice").json == {"repos": ["b", "d"]}
    page = bob.get("/v1/repo?user_id=alice&include_metadata=true&limit=1&offset=1").json
    assert (page["total"], page["repos"][0]["repo_name"], page["has_more"]) == (2, "d", False)
    assert bob.get("/v1/repo").json == {"repos": []}


def test_the_list_of_a_guest_opens_no_repo_that_was_never_shared(
    alice: Client, bob: Client, monkeypatch: pytest.MonkeyPatch
):
    for number in range(30):
        alice.post("/v1/repo", {"repo_name": f"hidden-{number}"})
    opened = count_opened(monkeypatch)
    assert_error(bob.get("/v1/repo", **AS_ALICE), 403, "FORBIDDEN")
    assert_error(bob.get("/v1/repo", X_User_Id="nobody"), 403, "FORBIDDEN")
    assert set(opened) == {"accounts"}
    for name in ("hidden-3", "hidden-7"):
        alice.put(f"/v1/repo/{name}/grants/bob", {"access": "read"})
    alice.delete("/v1/repo/hidden-7/grants/bob")
    opened.clear()
    assert bob.get("/v1/repo", **AS_ALICE).json == {"repos": ["hidden-3"]}
    assert set(opened) == {"accounts", "alice/hidden-3", "alice/hidden-7"}


@pytest.mark.usefixtures("bob")
def test_a_refused_grant_is_not_listed(app: Flask, alice: Client):
    accounts = app.extensions["bakehouse"].accounts
    before = accounts.use(Repository.head).commit
    assert_error(alice.put(f"{GRANTS}/bob", {"access": "read"}, If_Match='"other"'), 412, "PRECONDITION_FAILED")
    assert_error(alice.put(f"{GRANTS}/alice", {"access": "read"}), 409, "RESOURCE_CONFLICT")
    assert accounts.use(Repository.head).commit == before
    alice.put(f"{GRANTS}/bob", {"access": "read"})
    assert accounts.use(Repository.head).commit != before


def test_repos_that_an_older_version_shared_are_listed(app: Flask, alice: Client, bob: Client):
    alice.post("/v1/repo", {"repo_name": "hidden"})
    alice.put(f"{GRANTS}/bob", {"access": "read"})

    def forget(transaction: Transaction) -> None:
        for path in (FOLDER.path("bob"), PATH_OF_NOTE):
            transaction.remove(path)
        transaction.commit("As an older version had it", Person("A", "a@b"))

    app.extensions["bakehouse"].accounts.use(lambda repository: repository.transact(forget))
    for _ in range(2):  # the first one lists them
        assert bob.get("/v1/repo", **AS_ALICE).json == {"repos": ["demo"]}
    settle(app.extensions["bakehouse"].settings.data_dir)
    accounts = app.extensions["bakehouse"].settings.data_dir / "accounts.git"
    assert git(accounts, "show", f"main:{FOLDER.path('bob')}") == "repos:\n- alice/demo\n"
    assert PATH_OF_NOTE in git(accounts, "ls-tree", "-r", "--name-only", "main")


def test_a_revoked_grant_ends_at_once_in_every_process(app: Flask, alice: Client, bob: Client):
    other_process = create_app(app.extensions["bakehouse"].settings)
    alice.put(f"{GRANTS}/bob", {"access": "write"})
    clients = [bob, Client(other_process, bob.token)]
    assert [client.get(TARGETS, **AS_ALICE).status_code for client in clients] == [200, 200]
    alice.delete(f"{GRANTS}/bob")
    for client in clients:
        assert_error(client.get(TARGETS, **AS_ALICE), 403, "FORBIDDEN", "'alice'")
        assert_error(client.post(TARGETS, target(), **AS_ALICE), 403, "FORBIDDEN", "'alice'")


def test_a_guests_token_keeps_its_own_limits(master: Client, alice: Client, bob: Client):
    alice.put(f"{GRANTS}/bob", {"access": "write"})
    tokens = "/v1/admin/users/bob/tokens"
    clients = {
        name: Client(master.app, master.post(tokens, {"name": name, **fields}).json["api_key"])
        for name, fields in {
            "reader": {"access": "read"},
            "own": {"repos": ["demo"]},
            "shared": {"repos": ["alice/demo"]},
        }.items()
    }
    assert clients["reader"].get(TARGETS, **AS_ALICE).status_code == 200
    assert_error(clients["reader"].post(TARGETS, target(), **AS_ALICE), 403, "FORBIDDEN", "'reader'")
    assert_error(clients["own"].get(TARGETS, **AS_ALICE), 403, "FORBIDDEN", "'own'", "'demo' of 'alice'")
    assert clients["own"].get("/v1/repo", **AS_ALICE).json == {"repos": []}
    assert clients["shared"].post(TARGETS, target(), **AS_ALICE).status_code == 201
    bob.post("/v1/repo", {"repo_name": "demo"})
    assert_error(clients["shared"].get(TARGETS), 403, "FORBIDDEN", "'shared'")
    assert clients["own"].get(TARGETS).json == {"targets": []}


def test_a_token_limited_to_repos_cannot_share_them(master: Client, alice: Client, bob: Client):
    made = master.post("/v1/admin/users/alice/tokens", {"name": "ci", "repos": ["demo"]})
    limited = Client(alice.app, made.json["api_key"])
    assert_error(limited.put(f"{GRANTS}/bob", {"access": "write"}), 403, "FORBIDDEN", "'ci'")
    assert_error(bob.get(TARGETS, **AS_ALICE), 403, "FORBIDDEN")


def test_a_damaged_repo_is_not_revealed_to_strangers(app: Flask, alice: Client, bob: Client):
    alice.post("/v1/repo", {"repo_name": "shared"})
    alice.put("/v1/repo/shared/grants/bob", {"access": "read"})
    folder = app.extensions["bakehouse"].settings.data_dir / "repos/alice/demo.git"
    unknown = bob.get("/v1/repo/nope", **AS_ALICE).text
    (folder / "refs/heads/main").unlink()
    (folder / "refs/heads/main").symlink_to("main")
    assert bob.get("/v1/repo/demo", **AS_ALICE).text == unknown.replace("nope", "demo")
    assert bob.get("/v1/repo", **AS_ALICE).json == {"repos": ["shared"]}
    shutil.rmtree(folder)
    assert bob.get("/v1/repo/demo", **AS_ALICE).text == unknown.replace("nope", "demo")
    assert_error(alice.get("/v1/repo/demo/targets"), 404, "RESOURCE_NOT_FOUND", "Repo 'demo' not found")


def test_a_malformed_grant_written_by_hand_is_damage(app: Flask, alice: Client, bob: Client):
    repository = app.extensions["bakehouse"].store.open("alice/demo")

    def spoil(transaction):
        content = transaction.read("repo.yml").data
        transaction.write("repo.yml", content + b"grants:\n  bob: everything\n")
        transaction.commit("Spoil", Origin("operator").author)

    repository.transact(spoil)
    assert demo(app, "log", "-1", "--format=%s") == "Spoil\n"
    assert_error(alice.get(GRANTS), 503, "STORAGE_UNAVAILABLE", "'demo'", "grant")
    assert_error(bob.get(TARGETS, **AS_ALICE), 403, "FORBIDDEN", "'alice'")
