"""`bakehouse verify` on a data directory: users, refs, and findings after something that cannot be read."""

import errno
from pathlib import Path

import pytest

from app.registry import documents
from app.registry.messages import Origin
from storage.store import Store
from storage.transaction import Transaction
from tests.app.cli.verifying import HAND, assert_found, commit, verify
from tests.client import Client
from tests.seams import refuse
from tests.storage.repositories import commit_files, git, settle

ALICE = "users/alice.yml"


@pytest.fixture
def accounts(data_dir: Path, tmp_path: Path) -> Path:
    """A clone of the accounts, to be pushed from."""
    git(tmp_path, "clone", "--quiet", str(data_dir / "accounts.git"), "accounts")
    return tmp_path / "accounts"


def push(accounts: Path) -> None:
    commit(accounts)
    git(accounts, "push", "--quiet")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("tokens:\n", "tokens: none\nrest:\n", " has no tokens"),
        ("alias: Alice", "alias: 5", " has an alias or email that is no text"),
        ("  access: write", "  access: all", " has a token that Bakehouse did not write"),
        ("alias: Alice", "alias:  Alice", ": it is not written as Bakehouse writes it"),
        ("alias: Alice", "role: admin\nalias: Alice", ": it is not written as Bakehouse writes it"),
        ("  access: write", "  access: write\n  role: admin", ": it is not written as Bakehouse writes it"),
    ],
)
def test_verify_finds_a_user_file_changed_by_hand(data_dir: Path, accounts: Path, old: str, new: str, problem: str):
    text = (accounts / ALICE).read_text()
    assert old in text
    (accounts / ALICE).write_text(text.replace(old, new))
    push(accounts)
    assert_found(verify(data_dir=data_dir), f"accounts: {ALICE}{problem}")


def test_verify_accepts_a_user_file_of_an_older_version(data_dir: Path):
    def write_less(transaction: Transaction) -> None:
        document = documents.read(transaction, ALICE)[0]
        tokens = [{field: token[field] for field in ("name", "sha256", "created")} for token in document["tokens"]]
        transaction.write(ALICE, documents.dump({**document, "tokens": tokens}))
        transaction.commit("Create user alice", Origin("operator").author)

    Store(data_dir).open("accounts").transact(write_less)
    assert_found(verify(data_dir=data_dir))


def test_verify_accepts_the_file_of_a_removed_user_and_finds_tokens_in_it(data_dir: Path, master: Client):
    master.delete("/v1/admin/users/bob")
    assert_found(verify(data_dir=data_dir))
    accounts = Store(data_dir).open("accounts")
    document = {**documents.read(accounts.head(), ALICE)[0], "alias": None, "email": None, "removed": True}
    accounts.transact(commit_files({"users/bob.yml": documents.dump(document)}))
    assert_found(verify(data_dir=data_dir), "accounts: users/bob.yml: the user was removed and has tokens")
    accounts.transact(commit_files({"users/bob.yml": documents.dump({**document, "removed": "yes", "tokens": []})}))
    assert_found(
        verify(data_dir=data_dir),
        "accounts: users/bob.yml: it is not written as Bakehouse writes it",
        "alice/demo: lists of 'bob' lack it",
    )


def test_verify_accepts_tokens_that_tokens_made(data_dir: Path, alice: Client):
    assert alice.post("/v1/tokens", {"name": "ci"}).status_code == 201
    assert_found(verify(data_dir=data_dir))


def test_verify_finds_what_lists_of_guests_lack_and_sharing_again_mends_it(
    data_dir: Path, master: Client, alice: Client
):
    """As after the accounts alone were put back from an older backup, or a repo was copied in by hand."""
    bob = Client(alice.app, master.post("/v1/admin/users/bob/tokens", {"name": "ci"}).json["api_key"])
    accounts = Store(data_dir).open("accounts")
    accounts.transact(commit_files({"shares/bob.yml": None}))
    assert bob.get("/v1/shared").json["repos"] == []
    found = verify(data_dir=data_dir)
    assert_found(found, "alice/demo: lists of 'bob' lack it, though it is shared: share it again, with the same access")
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    assert [repo["repo_name"] for repo in bob.get("/v1/shared").json["repos"]] == ["demo"]
    assert_found(verify(data_dir=data_dir))
    accounts.transact(commit_files({"shares/bob.yml": None, "shares/README.md": None}))
    assert_found(verify(data_dir=data_dir))  # as older versions left it: the lists are made when somebody asks


def test_verify_notes_grants_to_nobody_and_finds_repos_of_removed_users(data_dir: Path, master: Client):
    Store(data_dir).open("accounts").transact(commit_files({"users/bob.yml": None, "shares/bob.yml": None}))
    result = verify(data_dir=data_dir)
    assert_found(result)
    assert "note: alice/demo: it is shared with 'bob', who is no user" in result.stderr
    *_, last = verify("--strict", data_dir=data_dir).stdout.splitlines()
    assert last.startswith("alice/demo: it is shared with 'bob', who is no user")
    master.post("/v1/admin/users", {"user_id": "bob"})
    master.delete("/v1/admin/users/bob")
    settle(data_dir)
    (data_dir / "repos/alice").rename(data_dir / "repos/bob")
    assert_found(
        verify(data_dir=data_dir), "bob/demo: its owner was removed: transfer it to another user, or delete it"
    )


def test_verify_finds_files_that_do_not_belong_in_accounts(data_dir: Path, accounts: Path):
    for path in ("README.md", "notes.txt", "users/note.txt", "users/a..b.yml"):
        (accounts / path).write_text("hm\n")
    (accounts / "users/deep").mkdir()
    (accounts / "users/deep/er.yml").write_text("hm\n")
    push(accounts)
    assert_found(
        verify(data_dir=data_dir),
        "accounts: README.md: it is not what the first commit has",
        "accounts: notes.txt: Bakehouse puts nothing there",
        "accounts: users/a..b.yml: its name must not",
        "accounts: users/deep: …no plain file",
        "accounts: users/note.txt: its name does not end in '.yml'",
    )


def test_verify_finds_a_head_on_another_branch_on_the_server_only(data_dir: Path, clone: Path):
    repository = data_dir / "repos/alice/demo.git"
    git(repository, "branch", "other")
    (repository / "HEAD").write_text("ref: refs/heads/other\n")
    assert_found(verify(data_dir=data_dir), "alice/demo: HEAD: it does not name refs/heads/main")
    git(clone, "checkout", "--quiet", "-b", "mine")
    assert_found(verify(clone))


def test_verify_finds_a_tag_under_another_name(data_dir: Path, clone: Path):
    repository = data_dir / "repos/alice/demo.git"
    for path in (repository, clone):
        git(path, *HAND, "tag", "-a", "-m", "Released", "release-1")
        git(path, "tag", "light")
        git(path, "update-ref", "refs/tags/release-2", git(path, "rev-parse", "release-1").strip())
    problem = "refs/tags/release-2: it leads to a tag that is called 'release-1'"
    assert_found(verify(data_dir=data_dir), f"alice/demo: {problem}")
    assert_found(verify(clone), f"{clone}: {problem}")


def test_verify_goes_on_after_an_unreadable_tag(data_dir: Path, accounts: Path):
    (accounts / "notes.txt").write_text("hm\n")
    push(accounts)
    (data_dir / "accounts.git/refs/tags").mkdir(exist_ok=True)
    (data_dir / "accounts.git/refs/tags/astray").write_text("f" * 40 + "\n")
    found = verify(data_dir=data_dir).stdout
    assert "accounts: git fsck: error: refs/tags/astray" in found
    assert "accounts: notes.txt: Bakehouse puts nothing there" in found


def test_verify_finds_missing_accounts(data_dir: Path):
    git(data_dir / "accounts.git", "rev-parse", "main")  # waits for the checkpoint
    (data_dir / "accounts.git").rename(data_dir / "away")
    assert_found(verify(data_dir=data_dir), "accounts: Repo 'accounts' not found")


def test_verify_goes_on_after_an_unreadable_git_config(data_dir: Path, alice: Client):
    alice.post("/v1/repo", {"repo_name": "broken"})
    settle(data_dir)
    (data_dir / "repos/alice/broken.git/config").write_text("core]\n")
    (data_dir / "repos/alice/demo.git/HEAD").write_text("ref: refs/heads/mine\n")
    found = verify(data_dir=data_dir).stdout
    assert "alice/broken: its config cannot be read" in found
    assert "alice/demo: HEAD: it does not name refs/heads/main" in found


@pytest.mark.parametrize(
    ("call", "path", "place"),
    [
        ("open", "alice/broken.git/bakehouse-journal", "alice/broken: "),
        ("open", "alice/broken.git/objects", "alice/broken: "),
        ("stat", "alice/broken.git", "alice/broken: "),
        ("listdir", "bob", "bob: "),
    ],
)
def test_verify_goes_on_after_a_read_that_the_system_refuses(
    data_dir: Path, master: Client, alice: Client, monkeypatch: pytest.MonkeyPatch, call, path, place
):
    alice.post("/v1/repo", {"repo_name": "broken"})
    master.post("/v1/repo", {"repo_name": "his"}, X_User_Id="bob")
    assert_found(verify(data_dir=data_dir))
    (data_dir / "repos/alice/demo.git/HEAD").write_text("ref: refs/heads/mine\n")
    refuse(monkeypatch, call, data_dir / "repos" / path, errno.EIO)
    found = verify(data_dir=data_dir).stdout
    assert place in found
    assert "Input/output error" in found
    assert "alice/demo: HEAD: it does not name refs/heads/main" in found
