"""Exporting a repo as a bundle, and making a repo of one: whole, or refused with every finding."""

from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.settings import Settings
from tests.app.api.bundles import TYPE, assert_refused, bundle_of, commit, data_dir, import_
from tests.app.api.helpers import TARGETS, new_token, new_user, put
from tests.app.cli.verifying import assert_found, verify
from tests.client import Client, assert_error, assert_mistakes
from tests.contracts import hold_to_contracts
from tests.server import MASTER_KEY
from tests.storage.repositories import HAND, git

REPO = "/v1/repo/demo"


def test_a_bundle_has_the_whole_repo_and_can_be_cloned(alice: Client, clone: Path, tmp_path: Path):
    answer = alice.get(f"{REPO}/bundle")
    assert (answer.status_code, answer.mimetype) == (200, TYPE)
    (tmp_path / "demo.bundle").write_bytes(answer.data)
    git(tmp_path, "clone", "--quiet", "demo.bundle", "again")
    for command in (("log", "--format=%H %an %B"), ("for-each-ref", "refs/tags"), ("ls-tree", "-r", "HEAD")):
        assert git(tmp_path / "again", *command) == git(clone, *command)


@pytest.mark.usefixtures("clone")
def test_a_bundle_has_what_was_written_just_before(alice: Client, tmp_path: Path):
    newest = put(alice, "just-now")
    (tmp_path / "demo.bundle").write_bytes(alice.get(f"{REPO}/bundle").data)
    assert git(tmp_path, "ls-remote", "demo.bundle", "refs/heads/main").split()[0] == newest


@pytest.mark.usefixtures("clone")
def test_an_imported_bundle_is_the_same_repo_under_its_new_name(alice: Client, master: Client, app: Flask):
    bob = new_user(master, "bob")
    alice.put(f"{REPO}/grants/bob", {"access": "write"})
    exported = alice.get(f"{REPO}/bundle").data
    answer = import_(alice, "copy", exported)
    assert (answer.status_code, answer.headers["Location"]) == (201, "/v1/repo/copy"), answer.text
    assert answer.json["repo_name"] == "copy"
    for path in ("targets/a", "targets/a/explain", "targets/b", "prompts/p", "tags/v1", "labels/production"):
        assert alice.get(f"/v1/repo/copy/{path}").json == alice.get(f"{REPO}/{path}").json
    old, new = (alice.get(f"/v1/repo/{name}/log?limit=100").json["commits"] for name in ("demo", "copy"))
    assert new[1:] == old
    assert (new[0]["subject"], new[0]["author"]["user"]) == ("Import repo alice/copy", "alice")
    assert alice.get("/v1/repo/copy/grants").json == {"grants": []}
    assert_error(bob.get("/v1/repo/copy", X_User_Id="alice"), 403, "FORBIDDEN")
    made = data_dir(app) / "repos/alice/copy.git"
    assert git(made, "rev-parse", "production") == git(made, "rev-parse", "v1^{commit}")
    assert put(alice, "c")
    assert_found(verify(data_dir=data_dir(app)))
    subjects = git(data_dir(app) / "accounts.git", "log", "--format=%an: %s").splitlines()
    assert subjects[0] == "Alice: Import repo alice/copy"


@pytest.mark.usefixtures("clone")
def test_a_repo_goes_to_another_server_and_back(alice: Client, tmp_path: Path):
    there = Client(hold_to_contracts(create_app(Settings(tmp_path / "there", master_key=MASTER_KEY))), MASTER_KEY)
    assert import_(there, "demo", alice.get(f"{REPO}/bundle").data).status_code == 201
    there.put(f"{TARGETS}/a", {"template": "a", "overrides": {"temperature": 1.0}})
    alice.delete(REPO)
    assert import_(alice, "demo", there.get(f"{REPO}/bundle").data).status_code == 201
    assert alice.get(f"{TARGETS}/a").json["config"]["temperature"] == 1.0


def test_what_bakehouse_did_not_write_is_refused_with_every_finding(alice: Client, clone: Path):
    text = (clone / "targets/a.yml").read_text()
    commit(
        clone,
        {
            "targets/a.yml": text.replace("temperature: 0.75", "temperature: 0.1", 1),
            "prompts/q.yml": "messages: none\n",
            "notes.txt": "mine",
            "README.md": "# demo\n\nMine.\n",
        },
    )
    assert_refused(
        alice,
        bundle_of(clone),
        "targets/a.yml: ",
        "prompts/q.yml",
        "notes.txt: Bakehouse puts nothing there",
        "README.md: it is not what the first commit has",
    )


def test_a_history_that_is_no_line_is_refused(alice: Client, clone: Path):
    git(clone, "checkout", "--quiet", "-b", "side", "HEAD~1")
    git(clone, *HAND, "commit", "--quiet", "--allow-empty", "-m", "Side")
    git(clone, "checkout", "--quiet", "main")
    git(clone, *HAND, "merge", "--quiet", "--no-edit", "side")
    assert_refused(alice, bundle_of(clone), "1 commits have several parents")


@pytest.mark.parametrize("path", [".git/config", "targets/.GIT/x"])
def test_trees_that_would_harm_a_clone_are_refused(alice: Client, clone: Path, path: str):
    blob = git(clone, "hash-object", "-w", "README.md").strip()
    tree = ""
    for name in reversed(path.split("/")):
        line = f"100644 blob {blob}\t{name}" if not tree else f"040000 tree {tree}\t{name}"
        tree = git(clone, "mktree", stdin=f"{line}\n").strip()
    made = git(clone, *HAND, "commit-tree", tree, "-m", "Evil", "-p", "HEAD").strip()
    git(clone, "update-ref", "refs/heads/main", made)
    assert_refused(alice, bundle_of(clone), "hasDotgit")


def test_links_and_submodules_are_refused(alice: Client, clone: Path):
    (clone / "targets/link.yml").symlink_to("/etc/passwd")
    git(clone, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},prompts/sub.yml")
    git(clone, "add", "targets/link.yml")
    git(clone, *HAND, "commit", "--quiet", "-m", "Links")
    assert_refused(alice, bundle_of(clone), "targets/link.yml", "prompts/sub.yml")


def test_what_is_no_bundle_or_not_a_whole_one_is_refused(alice: Client, clone: Path):
    whole = bundle_of(clone)
    assert_refused(alice, b"no bundle")
    assert_refused(alice, b"")
    assert_refused(alice, whole[:-100])
    assert_refused(alice, whole[:-30] + bytes([whole[-30] ^ 1]) + whole[-29:])
    git(clone, "branch", "--quiet", "other")
    assert_refused(alice, bundle_of(clone, "other"), "no branch main")
    assert_refused(alice, bundle_of(clone, "main~1..main"))


def test_what_is_too_large_is_refused_before_it_is_read(tmp_path: Path, clone: Path):
    settings = Settings(tmp_path / "small", master_key=MASTER_KEY, max_import=200_000, max_document=4096)
    small = Client(hold_to_contracts(create_app(settings)), MASTER_KEY)
    assert import_(small, "fits", bundle_of(clone)).status_code == 201
    commit(clone, {"targets/big.yml": "a" * 100_000})
    assert_refused(small, bundle_of(clone), "this blob has 100000 bytes, and 4096 are allowed")
    assert_error(import_(small, "new", bytes(200_001)), 413, "PAYLOAD_TOO_LARGE")
    assert_error(small.get("/v1/repo/new"), 404, "RESOURCE_NOT_FOUND")


def test_a_bundle_may_be_larger_than_other_bodies(tmp_path: Path, clone: Path):
    settings = Settings(tmp_path / "small", master_key=MASTER_KEY, max_body=1024)
    small = Client(hold_to_contracts(create_app(settings)), MASTER_KEY)
    data = bundle_of(clone)
    assert len(data) > 3000
    assert import_(small, "fits", data).status_code == 201


def test_names_that_are_taken_and_other_mistakes(alice: Client, clone: Path):
    data = bundle_of(clone)
    assert_error(import_(alice, "demo", data), 409, "RESOURCE_CONFLICT", "'alice/demo'")
    assert_error(import_(alice, "Demo", data), 409, "RESOURCE_CONFLICT", "'demo'", "only in case")
    assert_mistakes(import_(alice, "con", data), (["path", "repo_name"], "string_pattern_mismatch"))
    assert_mistakes(import_(alice, "-x", data), (["path", "repo_name"], "string_pattern_mismatch"))
    assert_mistakes(import_(alice, "new", data, Content_Type="text/plain"), (["body"], "import_refused"))
    assert_error(import_(alice, "new", data, If_Match='"x"'), 400, "INVALID_INPUT", "If-Match")
    assert_error(alice.get("/v1/repo/nope/bundle"), 404, "RESOURCE_NOT_FOUND", "'nope'")
    assert alice.get("/v1/repo").json == {"repos": ["demo"]}


@pytest.mark.usefixtures("clone")
def test_who_may_export_and_import(master: Client, alice: Client):
    bob, carol = new_user(master, "bob"), new_user(master, "carol")
    alice.put(f"{REPO}/grants/bob", {"access": "read"})
    reading, other = new_token(master, name="r", access="read"), new_token(master, name="o", repos=["other"])
    data = reading.get(f"{REPO}/bundle").data
    assert bob.get(f"{REPO}/bundle", X_User_Id="alice").status_code == 200
    for client, headers in ((carol, {"X_User_Id": "alice"}), (other, {})):
        assert_error(client.get(f"{REPO}/bundle", **headers), 403, "FORBIDDEN")
    assert_error(import_(reading, "new", data), 403, "FORBIDDEN", "reading only")
    assert_error(import_(other, "new", data), 403, "FORBIDDEN", "'new'")
    assert_error(import_(bob, "new", data, X_User_Id="alice"), 403, "FORBIDDEN", "alice")
    assert import_(other, "other", data).status_code == 201
    assert import_(master, "new", data, X_User_Id="alice").status_code == 201


def test_the_former_name_of_another_repo_is_free_for_an_import(alice: Client, clone: Path):
    alice.post(f"{REPO}/rename", {"name": "nightly"})
    assert import_(alice, "demo", bundle_of(clone)).status_code == 201
    assert alice.get(REPO).json["repo_name"] == "demo"


def test_a_hook_of_the_bundle_or_the_machine_is_never_run(alice: Client, clone: Path):
    """A bundle cannot bring a hook or a configuration; git would run those of a template folder."""
    assert import_(alice, "new", bundle_of(clone)).status_code == 201
    made = data_dir(alice.app) / "repos/alice/new.git"
    assert not (made / "hooks").exists()
    listed = git(made, "config", "--list", "--local")
    assert {line.partition(".")[0] for line in listed.splitlines()} == {"core"}
