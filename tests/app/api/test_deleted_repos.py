"""Deleting repos, listing the deleted ones, and restoring them."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.registry import documents
from app.registry.life import deleted
from app.registry.messages import Origin
from app.settings import Settings
from storage.transaction import Transaction
from tests.app.api.helpers import PROMPTS, TARGETS, new_token, new_user
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import target
from tests.seams import count_parses, set_clock
from tests.server import MASTER_KEY
from tests.storage.repositories import git

REPO = "/v1/repo/demo"


def data_dir(app: Flask) -> Path:
    path: Path = app.extensions["bakehouse"].settings.data_dir
    return path


def listed(client: Client, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"/v1/deleted{query}")
    assert answer.status_code == 200, answer.text
    return answer.json["deleted"]


def accounts_log(app: Flask) -> list[str]:
    """Return the author and subject of each commit of the accounts, newest first."""
    return git(data_dir(app) / "accounts.git", "log", "--format=%an: %s").splitlines()


def test_a_deleted_repo_is_gone_and_can_be_restored_whole(app: Flask, alice: Client):
    made = alice.post(TARGETS, target("a", temperature=0.5))
    alice.post(f"{REPO}/tags", {"name": "v1"})
    answer = alice.delete(REPO, X_Change_Reason="No longer used")
    gone = answer.json
    assert gone["reason"] == "No longer used"
    assert answer.status_code == 200
    assert (gone["message"], gone["repo_name"], gone["deleted_by"]) == ("Repo 'demo' deleted", "demo", "alice")
    deleted_at, until = (datetime.fromisoformat(gone[name]) for name in ("deleted_at", "until"))
    assert until - deleted_at == timedelta(days=30)
    assert abs(datetime.now(UTC) - deleted_at) < timedelta(minutes=5)
    assert alice.get("/v1/repo").json == {"repos": []}
    for path in (REPO, TARGETS, f"{TARGETS}/a", f"{REPO}/log", PROMPTS):
        assert_error(alice.get(path), 404, "RESOURCE_NOT_FOUND", "'demo'")
    assert_error(alice.post(TARGETS, target("b")), 404, "RESOURCE_NOT_FOUND", "'demo'")
    assert_error(alice.delete(REPO), 404, "RESOURCE_NOT_FOUND", "'demo'")
    assert listed(alice) == [{name: gone[name] for name in gone if name != "message"}]

    back = alice.post(f"{REPO}/undelete", {})
    assert (back.status_code, back.json["repo_name"]) == (200, "demo")
    assert back.headers["Git-Commit"] == made.headers["Git-Commit"]
    assert alice.get(f"{TARGETS}/a").headers["ETag"] == made.headers["ETag"]
    assert alice.get(f"{TARGETS}/a?ref=v1").status_code == 200
    assert listed(alice) == []
    assert accounts_log(app)[:3] == [
        "Alice: Find alice/demo again",
        "Alice: Undelete repo alice/demo",
        "Alice: Delete repo alice/demo",
    ]


def test_the_name_is_free_meanwhile(alice: Client):
    alice.post(TARGETS, target("old"))
    alice.delete(REPO)
    assert alice.post("/v1/repo", {"repo_name": "demo"}).status_code == 201
    assert alice.get(TARGETS).json == {"targets": []}
    assert_error(alice.post(f"{REPO}/undelete", {}), 409, "RESOURCE_CONFLICT", "'demo'", "another name")
    assert len(listed(alice)) == 1
    back = alice.post(f"{REPO}/undelete", {"name": "former"})
    assert (back.status_code, back.json["repo_name"]) == (200, "former")
    assert alice.get("/v1/repo").json == {"repos": ["demo", "former"]}
    assert alice.get("/v1/repo/former/targets").json == {"targets": ["old"]}
    newest = alice.get("/v1/repo/former/log").json["commits"][0]
    assert newest["subject"] == "Undelete repo alice/demo as alice/former"


def test_of_several_deleted_repos_of_one_name_the_last_or_the_chosen_one_comes_back(
    alice: Client, monkeypatch: pytest.MonkeyPatch
):
    clock = set_clock(monkeypatch, 1_800_000_000)
    start = datetime(2027, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(deleted, "now", lambda: start + timedelta(seconds=clock.now - 1_800_000_000))
    ids = []
    for number in range(3):
        clock.now += 100
        alice.post("/v1/repo", {"repo_name": "demo"})
        alice.post(TARGETS, target(f"t{number}"))
        ids.append(alice.delete(REPO).json["id"])
    assert [each["id"] for each in listed(alice)] == ids[::-1]
    page = alice.get("/v1/deleted?offset=1&limit=1").json
    assert ([each["id"] for each in page["deleted"]], page["has_more"], page["total"]) == (ids[1:2], True, 3)
    assert alice.post(f"{REPO}/undelete", {"id": ids[0]}).status_code == 200
    assert alice.get(TARGETS).json == {"targets": ["t0"]}
    assert alice.post(f"{REPO}/undelete", {"name": "last"}).status_code == 200
    assert alice.get("/v1/repo/last/targets").json == {"targets": ["t2"]}
    assert_error(alice.post(f"{REPO}/undelete", {"id": ids[0]}), 404, "RESOURCE_NOT_FOUND", f"demo.{ids[0]}")


def test_mistakes_write_nothing(alice: Client):
    alice.delete(REPO)
    undelete = f"{REPO}/undelete"
    assert_mistakes(alice.post(undelete, {"name": "a b"}), (["body", "name"], "string_pattern_mismatch"))
    assert_mistakes(alice.post(undelete, {"name": "con"}), (["body", "name"], "string_pattern_mismatch"))
    assert_mistakes(alice.post(undelete, {"id": "../x"}), (["body", "id"], "string_pattern_mismatch"))
    assert_mistakes(alice.post(undelete, {"as": "x"}), (["body", "as"], "extra_forbidden"))
    assert_mistakes(alice.get("/v1/deleted?limit=0"), (["query", "limit"], "greater_than_equal"))
    assert_error(alice.post("/v1/repo/nope/undelete", {}), 404, "RESOURCE_NOT_FOUND", "Deleted repo 'nope'")
    assert_error(alice.delete("/v1/repo/nope"), 404, "RESOURCE_NOT_FOUND", "Repo 'nope'")
    assert_error(alice.delete(REPO, If_Match='"x"'), 400, "INVALID_INPUT", "If-Match")
    alice.post("/v1/repo", {"repo_name": "Taken"})
    assert_error(alice.post(undelete, {"name": "taken"}), 409, "RESOURCE_CONFLICT", "'Taken'")
    assert len(listed(alice)) == 1


def test_only_the_owner_and_the_master_key_delete_and_restore(master: Client, alice: Client):
    bob = new_user(master, "bob")
    alice.put(f"{REPO}/grants/bob", {"access": "write"})
    reading, other = new_token(master, name="r", access="read"), new_token(master, name="o", repos=["other"])
    for client in (reading, other):
        assert_error(client.delete(REPO), 403, "FORBIDDEN")
    assert_error(bob.delete(REPO, X_User_Id="alice"), 403, "FORBIDDEN", "Only 'alice'")
    limited = new_token(master, name="l", repos=["demo"])
    assert limited.delete(REPO).status_code == 200
    assert_error(bob.get("/v1/deleted", X_User_Id="alice"), 403, "FORBIDDEN", "Only 'alice'")
    assert (listed(bob), listed(other), len(listed(limited)), len(listed(reading))) == ([], [], 1, 1)
    assert listed(master, "?user_id=alice") == listed(alice)
    for client in (reading, other):
        assert_error(client.post(f"{REPO}/undelete", {}), 403, "FORBIDDEN")
    assert_error(limited.post(f"{REPO}/undelete", {"name": "free"}), 403, "FORBIDDEN", "'free'")
    assert_error(bob.post(f"{REPO}/undelete", {}, X_User_Id="alice"), 403, "FORBIDDEN")
    assert master.post(f"{REPO}/undelete?user_id=alice", {}).status_code == 200
    assert master.delete(REPO, X_User_Id="alice").json["deleted_by"] == "alice"


def test_guests_see_it_again_once_it_is_restored(master: Client, alice: Client):
    bob = new_user(master, "bob")
    alice.put(f"{REPO}/grants/bob", {"access": "read"})
    alice.delete(REPO)
    assert_error(bob.get(REPO, X_User_Id="alice"), 403, "FORBIDDEN")
    assert_error(bob.get("/v1/repo", X_User_Id="alice"), 403, "FORBIDDEN")
    alice.post("/v1/repo", {"repo_name": "demo"})
    assert_error(bob.get(REPO, X_User_Id="alice"), 403, "FORBIDDEN")
    alice.post(f"{REPO}/undelete", {"name": "back"})
    assert bob.get("/v1/repo", X_User_Id="alice").json == {"repos": ["back"]}
    assert bob.get("/v1/repo/back", X_User_Id="alice").status_code == 200


def test_a_repo_is_removed_for_good_after_its_days(
    app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """The next deletion removes it, and so does the next start of a server."""
    caplog.set_level("INFO")
    alice.post("/v1/repo", {"repo_name": "other"})
    alice.delete(REPO)
    then = datetime.now(UTC).replace(microsecond=0)
    monkeypatch.setattr(deleted, "now", lambda: then + timedelta(days=29))
    alice.delete("/v1/repo/other")
    assert [each["repo_name"] for each in listed(alice)] == ["demo", "other"]
    monkeypatch.setattr(deleted, "now", lambda: then + timedelta(days=31))
    create_app(app.extensions["bakehouse"].settings)
    assert [each["repo_name"] for each in listed(alice)] == ["other"]
    assert "Removed for good: alice/demo." in caplog.text
    assert accounts_log(app)[0].startswith("bakehouse: Remove for good alice/demo.")
    assert len(list((data_dir(app) / "repos/.deleted/alice").iterdir())) == 1
    assert_error(alice.post(f"{REPO}/undelete", {}), 404, "RESOURCE_NOT_FOUND", "'demo'")


def test_nothing_is_kept_where_the_operator_wants_so(tmp_path: Path):
    app = create_app(Settings(tmp_path / "data", master_key=MASTER_KEY, keep_deleted=0))
    master = Client(app, MASTER_KEY)
    master.post("/v1/repo", {"repo_name": "demo"})
    gone = master.delete(REPO).json
    assert gone["until"] == gone["deleted_at"]
    assert listed(master) == []
    assert list((tmp_path / "data/repos/.deleted/admin").iterdir()) == []


def test_a_damaged_repo_can_be_deleted_and_is_restored_as_it_was(app: Flask, alice: Client):
    path = data_dir(app) / "repos/alice/demo.git/HEAD"
    git(path.parent, "rev-parse", "main")
    path.write_text("nonsense\n")
    assert_error(alice.get(REPO), 503, "STORAGE_UNAVAILABLE", "damaged")
    assert alice.delete(REPO).status_code == 200
    assert alice.get("/v1/repo").json == {"repos": []}
    assert_error(alice.post(f"{REPO}/undelete", {}), 503, "STORAGE_UNAVAILABLE", "damaged")
    assert (alice.get("/v1/repo").json, listed(alice)) == ({"repos": ["demo"]}, [])


@pytest.mark.parametrize("call", ["rename", "fsync"])
def test_a_deletion_that_the_disk_refuses_changes_nothing(
    app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch, call: str
):
    """The accounts have a file about it, which counts for nothing, and goes with the next deletion of a later day."""
    original = getattr(os, call)
    folder = str(data_dir(app) / "repos/alice")

    def refuse(first, *rest, **options):
        named = str(Path(f"/proc/self/fd/{first}").readlink()) if call == "fsync" else str(first)
        if named in (folder, f"{folder}/demo.git"):
            raise OSError(5, "broken")
        return original(first, *rest, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        assert_error(alice.delete(REPO), 503, "STORAGE_UNAVAILABLE", "'demo'")
    assert (alice.get("/v1/repo").json, listed(alice)) == ({"repos": ["demo"]}, [])
    assert alice.post(TARGETS, target("a")).status_code == 201
    then = datetime.now(UTC)
    monkeypatch.setattr(deleted, "now", lambda: then + timedelta(hours=2))
    create_app(app.extensions["bakehouse"].settings)
    assert "deleted/" not in git(data_dir(app) / "accounts.git", "ls-tree", "-r", "--name-only", "main")


def test_the_deletions_of_one_user_do_not_slow_another(
    app: Flask, master: Client, alice: Client, monkeypatch: pytest.MonkeyPatch
):
    """Only the files of repos that are asked for, or whose time has come, are read."""
    bob = new_user(master, "bob")
    bob.post("/v1/repo", {"repo_name": "demo"})
    folder = data_dir(app) / "repos/.deleted/alice"
    moment = deleted.now()

    def fill(transaction: Transaction) -> None:
        for number in range(300):
            kept = f"n{number:03}.{int(moment.timestamp()):08x}{number:08x}"
            (folder / f"{kept}.git").mkdir(parents=True)
            document = {"repo": "alice/x", "time": moment.isoformat(), "user": "alice", "reason": None, "former": []}
            transaction.write(f"deleted/alice~{kept}.yml", documents.dump(document | {"reason": f"{number}"}))
        transaction.commit("Fill", Origin("alice").author)

    app.extensions["bakehouse"].accounts.use(lambda repository: repository.transact(fill))
    parses = count_parses(monkeypatch)
    page = alice.get("/v1/deleted?limit=2&offset=1").json
    assert [each["repo_name"] for each in page["deleted"]] == ["n001", "n002"]
    assert (page["total"], page["has_more"], page["deleted"][0]["reason"]) == (300, True, "1")
    assert bob.delete(REPO).status_code == 200
    assert bob.post(f"{REPO}/undelete", {}).status_code == 200
    assert_error(alice.post("/v1/repo/none/undelete", {}), 404, "RESOURCE_NOT_FOUND", "'none'")
    assert len(parses) < 30


def test_a_request_removes_a_bounded_number_for_good_and_a_start_the_rest(
    app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(deleted, "MOST_A_REQUEST", 2)
    for number in range(5):
        alice.post("/v1/repo", {"repo_name": f"r{number}"})
        alice.delete(f"/v1/repo/r{number}")
    then = deleted.now()
    monkeypatch.setattr(deleted, "now", lambda: then + timedelta(days=31))
    alice.delete(REPO)
    assert len(listed(alice)) == 4
    create_app(app.extensions["bakehouse"].settings)
    assert [each["repo_name"] for each in listed(alice)] == ["demo"]


def test_a_token_for_some_repos_brings_no_share_back(master: Client, alice: Client):
    """It may not share. So it may not put a repo in place that is shared, where one was that is not."""
    bob = new_user(master, "bob")
    alice.put(f"{REPO}/grants/bob", {"access": "write"})
    shared = alice.delete(REPO).json["id"]
    alice.post("/v1/repo", {"repo_name": "demo"})
    limited = new_token(master, name="l", repos=["demo"])
    own = limited.delete(REPO).json["id"]
    answer = limited.post(f"{REPO}/undelete", {"id": shared})
    assert_error(answer, 403, "FORBIDDEN", "'demo' is shared", "for all repos")
    assert_error(bob.get(REPO, X_User_Id="alice"), 403, "FORBIDDEN")
    assert len(listed(alice)) == 2
    assert limited.post(f"{REPO}/undelete", {"id": own}).status_code == 200
    limited.delete(REPO)
    assert alice.post(f"{REPO}/undelete", {"id": shared}).status_code == 200
    assert bob.get(REPO, X_User_Id="alice").status_code == 200
