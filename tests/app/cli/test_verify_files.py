"""`bakehouse verify` on `templates/` and README.md: files of the API are in order, others are findings."""

from pathlib import Path

import pytest

from app.registry import repos
from storage.store import Store
from tests.app.cli.verifying import assert_found, commit, delete_without_files, put_without_owners, verify
from tests.client import Client
from tests.payloads import asking, made, target
from tests.storage.repositories import commit_files, git, settle

TARGETS = "/v1/repo/demo/targets"
ASKED, ASKED_BY_DEFAULT = "templates/asking_target-0.txt", "templates/default-0.txt"
NOBODYS = "no target, and no default, brought this content"


def put(alice: Client, name: str, content: str, **overrides: object) -> None:
    response = alice.put(f"{TARGETS}/{name}", made(generators=asking(content), **overrides))
    assert response.status_code == 200, response.text


def write(clone: Path, path: str, content: str) -> None:
    (clone / path).write_text(content)
    commit(clone)


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        (ASKED, ["targets/asking_target.yml"]),
        (ASKED_BY_DEFAULT, ["defaults/target.yml"]),
        ("templates/added.txt", []),
    ],
)
def test_verify_finds_a_question_template_that_no_target_brought(clone: Path, path: str, owners: list[str]):
    write(clone, path, "Ask something else:\n")
    of_owners = [f"{clone}: {owner}: {path} is at …, and not at" for owner in owners]
    assert_found(verify(clone), *of_owners, f"{clone}: {path}: {NOBODYS}")


def test_verify_takes_no_question_template_from_an_unreadable_document(clone: Path):
    (clone / ASKED).write_text("Ask something else:\n")
    version = git(clone, "hash-object", ASKED).strip()
    write(clone, "targets/broken.yml", f"files: {{{ASKED}: {version}")
    assert_found(
        verify(clone),
        f"{clone}: targets/asking_target.yml: {ASKED} is at {version}, and not at",
        f"{clone}: targets/broken.yml is not a document",
        f"{clone}: {ASKED}: {NOBODYS}",
    )


def test_verify_finds_a_question_template_under_another_name(clone: Path):
    write(clone, "templates/copy.txt", (clone / ASKED).read_text())
    assert_found(verify(clone), f"{clone}: templates/copy.txt: {NOBODYS}")


@pytest.mark.parametrize(
    ("path", "place"), [(ASKED, "targets/asking_target.yml"), (ASKED_BY_DEFAULT, "defaults/target.yml")]
)
def test_verify_reports_a_removed_question_template_at_its_target(clone: Path, path: str, place: str):
    (clone / path).unlink()
    commit(clone)
    assert_found(verify(clone), f"{clone}: {place}: {path}, which came with it, is missing")


def test_verify_accepts_question_templates_of_deleted_targets(data_dir: Path, alice: Client):
    put(alice, "deleted", "1\n")
    delete_without_files(data_dir, "deleted")
    batch = [{**target(name), "overrides": {"generators": asking(name, name)}} for name in ("a", "b")]
    assert alice.put(f"{TARGETS}/batch", {"targets": batch}).status_code == 200
    alice.delete(f"{TARGETS}/a")
    assert_found(verify(data_dir=data_dir))


def test_verify_finds_each_owner_whose_file_was_replaced_by_an_older_version(data_dir: Path, alice: Client):
    put_without_owners(data_dir, "first", "1\n")
    put_without_owners(data_dir, "second", "2\n")
    found = "alice/demo: targets/first.yml: templates/ask.txt is at …, and not at"
    assert_found(verify(data_dir=data_dir), found)
    alice.put("/v1/repo/demo/defaults/target", {"config": {"generators": asking("2\n")}})
    put_without_owners(data_dir, "second", "3\n")
    of_default = "alice/demo: defaults/target.yml: templates/ask.txt is at …, and not at"
    assert_found(verify(data_dir=data_dir), of_default, found)
    alice.put("/v1/repo/demo/defaults/target", {"config": {}})
    assert_found(verify(data_dir=data_dir), found)
    assert alice.put(f"{TARGETS}/first", made(generators=asking("1\n"))).status_code == 409
    put(alice, "first", "3\n")
    assert_found(verify(data_dir=data_dir))


@pytest.mark.parametrize("how", ["put", "revert"])
def test_verify_accepts_a_question_template_restored_alone(data_dir: Path, alice: Client, how: str):
    """The commit that restored the file changed no document, and no document names the file any more."""
    put(alice, "first", "1\n")
    repository = Store(data_dir / "repos").open("alice/demo")
    before = repository.head().commit
    repository.transact(commit_files({"templates/ask.txt": None}))
    if how == "put":
        put(alice, "first", "1\n")
    else:
        alice.post(f"{TARGETS}/first/revert", {"to": before})
    files = git(data_dir / "repos/alice/demo.git", "show", "--name-only", "--format=", "main")
    assert files.split() == ["templates/ask.txt"]
    delete_without_files(data_dir, "first")
    assert_found(verify(data_dir=data_dir))


def test_verify_finds_a_question_template_restored_by_hand(clone: Path, alice: Client):
    put(alice, "changing", "1\n")
    put(alice, "changing", "2\n")
    settle(clone.parent)
    git(clone, "pull", "--quiet")
    write(clone, "templates/ask.txt", "1\n")
    assert_found(
        verify(clone),
        f"{clone}: targets/changing.yml: templates/ask.txt is at …, and not at",
        f"{clone}: templates/ask.txt: {NOBODYS}",
    )


def test_verify_finds_a_rewritten_readme(clone: Path):
    write(clone, "README.md", "# demo\n")
    assert_found(verify(clone), f"{clone}: README.md: it is not what the first commit has")


@pytest.mark.parametrize("content", [None, "# ours\n* -text\n*.yml diff\n"])
def test_verify_accepts_missing_attributes_and_those_of_an_operator(clone: Path, content: str | None):
    if content is None:
        (clone / ".gitattributes").unlink()
        commit(clone)
    else:
        write(clone, ".gitattributes", content)
    assert_found(verify(clone))


def test_verify_finds_attributes_that_let_a_clone_change_line_ends(clone: Path):
    write(clone, ".gitattributes", "* text=auto\n")
    assert_found(verify(clone), f"{clone}: .gitattributes: it has no line '* -text'")


def test_verify_accepts_the_readme_of_another_version(data_dir: Path, alice: Client, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        patch.setattr(repos, "README", "# {name}, as it will be\n")
        alice.post("/v1/repo", {"repo_name": "later"})
    alice.put("/v1/repo/later/targets/a", made(temperature=0.5))
    assert_found(verify(data_dir=data_dir))


def test_verify_accepts_a_question_template_named_by_a_later_target(clone: Path):
    asking_target = clone / "targets/asking_target.yml"
    write(clone, "templates/by-hand.txt", "Ask by hand:\n")
    version = git(clone, "rev-parse", "HEAD:templates/by-hand.txt").strip()
    head, config, rest = asking_target.read_text().partition("\nconfig:")
    assert head.splitlines()[-1].startswith(f"  {ASKED}: ")
    asking_target.write_text(f"{head}\n  templates/by-hand.txt: {version}{config}{rest}")
    commit(clone)
    assert_found(verify(clone))
