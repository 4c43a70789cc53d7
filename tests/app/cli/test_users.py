"""`bakehouse users`: rename and remove, beside a server or without one."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from tests.client import Client, assert_error
from tests.storage.repositories import git, settle
from tests.timeline import commits, put_target

Users = Callable[..., Result]


@pytest.fixture
def users(data_dir: Path) -> Users:
    """Return a function that runs `bakehouse users` on the data directory of alice and bob."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["users", *arguments], env={"BAKEHOUSE_DATA_DIR": str(data_dir)})

    return run


def log(data_dir: Path) -> str:
    settle(data_dir)
    return git(data_dir / "accounts.git", "log", "-1", "--format=%an <%ae>%n%B%(trailers:key=User)")


def test_rename_changes_what_later_commits_show(users: Users, data_dir: Path, alice: Client):
    before = put_target(alice, "a", temperature=0.5)
    renamed = users("rename", "alice", "--alias", "Alicia", "--email", "a@b.example")
    assert (renamed.exit_code, renamed.stdout, renamed.stderr) == (0, "alice\tAlicia\ta@b.example\t1\n", "")
    after = put_target(alice, "a", temperature=0.6)
    assert commits(alice, "author=alice")[:2] == [after, before]
    assert commits(alice, "author=Alicia") == [after]
    told = log(data_dir)
    assert told.startswith("Operator (command line) <operator@bakehouse.invalid>\nUpdate user alice\n")
    assert 'alias: "Alice" → "Alicia"\nemail: "alice@example.org" → "a@b.example"' in told
    assert users("rename", "alice", "--alias", "").stdout == "alice\t-\ta@b.example\t1\n"
    assert 'alias: "Alicia" → null' in log(data_dir)


def test_rename_warns_of_namesakes(users: Users):
    renamed = users("rename", "bob", "--alias", "Alice", "--email", "alice@example.org")
    assert renamed.exit_code == 0
    assert "'bob' and 'alice'" in renamed.stderr


def test_what_rename_and_remove_refuse(users: Users, data_dir: Path):
    before = log(data_dir)
    for arguments, status, told in (
        (("rename", "bob"), 2, "Give --alias, --email, or both."),
        (("rename", "nobody", "--alias", "N"), 1, "User 'nobody' not found"),
        (("remove", "nobody"), 1, "User 'nobody' not found"),
        (("remove", "alice"), 1, "User 'alice' has repos: 'demo'. Transfer or delete them first"),
    ):
        refused = users(*arguments)
        assert (refused.exit_code, told in refused.stderr) == (status, True), refused.output
    assert log(data_dir) == before


def test_remove_ends_all_tokens_and_keeps_the_id(users: Users, data_dir: Path, master: Client):
    bob = Client(master.app, master.post("/v1/admin/users/bob/tokens", {"name": "ci"}).json["api_key"])
    assert bob.get("/v1/repo").status_code == 200
    assert users("remove", "bob").stdout == "Removed bob, and revoked 2 tokens.\n"
    assert_error(bob.get("/v1/repo"), 401, "UNAUTHORIZED")
    assert log(data_dir).startswith("Operator (command line) <operator@bakehouse.invalid>\nRemove user bob\n")
    assert users("list").stdout == "alice\tAlice\talice@example.org\t1\n"
    again = users("create", "bob")
    assert (again.exit_code, again.stdout) == (1, "")
    assert "User 'bob' was removed. Ids are not given twice" in again.stderr
    assert "User 'bob' not found" in users("tokens", "create", "bob", "x").stderr


def test_each_change_tells_its_reason(users: Users, data_dir: Path):
    for arguments in (
        ("create", "carol"),
        ("rename", "carol", "--alias", "Carol"),
        ("tokens", "create", "carol", "ci"),
        ("tokens", "rotate", "carol", "ci"),
        ("tokens", "revoke", "carol", "ci"),
        ("revoke", "carol"),
        ("remove", "carol"),
    ):
        assert users(*arguments, "--reason", f"Ticket 7: {arguments[0]}").exit_code == 0
        subject, _, reason = log(data_dir).split("\n")[1:4]
        assert ("carol" in subject, reason) == (True, f"Ticket 7: {arguments[0]}")
    refused = users("create", "dave", "--reason", "a\nb")
    assert (refused.exit_code, "U+000A" in refused.stderr) == (2, True)
    assert users("create", "dave").exit_code == 0
    assert "Ticket" not in log(data_dir)
