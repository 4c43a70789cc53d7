"""`bakehouse verify`: data that Bakehouse wrote is in order, and every change by hand is a finding."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from storage.store import Store
from tests.app.cli.verifying import assert_found, commit, verify
from tests.client import Client
from tests.server import environment
from tests.storage.repositories import git, put, unpack


def test_verify_finds_nothing_in_data_of_the_server(data_dir: Path):
    result = verify(data_dir=data_dir)
    assert_found(result)
    assert result.stderr.splitlines() == [
        "accounts",
        "alice/demo",
        "note: alice/demo: targets/calm_target.yml: template: there is no target 'coding_target' any more, "
        "so a rebase is not possible.",
        "Nothing found, and 1 note.",
    ]
    strict = verify("--strict", data_dir=data_dir)
    assert_found(strict, f"alice/demo: {CALM}: template: there is no target 'coding_target' any more")
    assert strict.stderr.splitlines()[-1] == "1 finding."


def test_verify_checks_one_repo_alone(data_dir: Path, alice: Client):
    alice.post("/v1/repo", {"repo_name": "other"})
    result = verify("--repo", "alice/demo", data_dir=data_dir)
    assert_found(result)
    assert "other" not in result.stderr


@pytest.mark.usefixtures("no_checkpoints")
def test_verify_checks_commits_that_are_only_in_the_journal(data_dir: Path):
    repository = Store(data_dir / "repos").open("alice/demo")
    written = repository.head().read(ASKING)
    repository.transact(put(ASKING, written.data.replace(b"  temperature: 0.5", b"  temperature: 0.6")))
    assert_found(verify(data_dir=data_dir), f"alice/demo: {ASKING}:…overrides come to: /temperature")


def test_verify_checks_a_clone_without_a_server(clone: Path, data_dir: Path):
    subprocess.run(["rm", "-r", str(data_dir)], check=True)
    assert_found(verify(clone))


def test_verify_writes_nothing(clone: Path):
    def state() -> dict[Path, tuple[int, bytes]]:
        files = [path for path in sorted(clone.rglob("*")) if path.is_file()]
        return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}

    before = state()
    verify(clone)
    assert state() == before


def test_verify_checks_a_bare_clone(clone: Path, tmp_path: Path):
    git(tmp_path, "clone", "--quiet", "--bare", str(clone), "bare.git")
    assert_found(verify(tmp_path / "bare.git"))


ASKING, CALM, TERSE = "targets/asking_target.yml", "targets/calm_target.yml", "prompts/terse.yml"
FILES = "files:\n  templates/asking_target-0.txt: "


@pytest.mark.parametrize(
    ("path", "old", "new", "problem"),
    [
        (ASKING, "  temperature: 0.5", "  temperature: 0.6", "overrides come to: /temperature"),
        (ASKING, "  temperature: 0.5", "  max_tokens: 1\n  temperature: 0.5", "come to: /max_tokens"),
        (ASKING, "overrides:\n", "overrides:\n  max_tokens: 1\n", "come to: /max_tokens"),
        (ASKING, "config:\n", "config:\n  temperature: 0.5\n", "it is not written as"),
        (ASKING, FILES, "files:\n  templates/x: ", "is no version that templates/x ever had"),
        (ASKING, FILES, "files:\n  x: 1 #", "has files that Bakehouse did not write"),
        (CALM, "template: ", "# hm\ntemplate: ", "it is not written as"),
        (CALM, "  temperature: 0.1\n", "  temperature: 0.10\n", "it is not written as"),
        (CALM, "template: ", "{template: ", "is not a document"),
        (CALM, "\nconfig:", "\nresult:", "has no config"),
        (CALM, "template_version: ", "template_version: x", f"is no version that {CALM} ever had"),
        (
            CALM,
            "template: calm_target",
            "template: ../../x",
            "is no version that targets/../../x.yml ever had",
        ),
        ("repo.yml", "layout: 1", "layout: 2", "its layout is 2, and this Bakehouse knows 1"),
        ("repo.yml", "base_model: ", "base: ", "has no base_model"),
        ("repo.yml", "bob: read", "bob: all", "has a grant that Bakehouse did not write"),
        ("repo.yml", "layout: 1", "layout:  1", "it is not written as"),
        (
            "defaults/target.yml",
            "config:\n",
            "config:\n  max_tokens: 1\n",
            "it is not written as",
        ),
        (TERSE, "- role: ", "- role:  ", "it is not written as"),
        (TERSE, "messages:\n", "messages:\n- x\n", "has a message or tool that Bakehouse did not write"),
    ],
)
def test_verify_finds_a_field_changed_by_hand(clone: Path, path: str, old: str, new: str, problem: str):
    text = (clone / path).read_text()
    assert old in text
    (clone / path).write_text(text.replace(old, new))
    commit(clone)
    result = verify(clone)
    assert result.exit_code == 1
    assert all(line.startswith(f"{clone}: {path}") for line in result.stdout.splitlines()), result.stdout
    assert problem in result.stdout


def test_verify_finds_a_template_version_of_another_file(clone: Path):
    other = git(clone, "rev-parse", f"HEAD:{ASKING}").strip()
    text = (clone / CALM).read_text()
    version = text.splitlines()[1].removeprefix("template_version: ")
    (clone / CALM).write_text(text.replace(version, other))
    commit(clone)
    assert f"its template_version {other} is no version that {CALM} ever had" in verify(clone).stdout


def test_verify_finds_a_target_made_from_a_forged_template(clone: Path):
    """The target follows from its template version, but that version itself was written by hand."""
    forged = (clone / ASKING).read_text().replace("temperature: 0.5", "temperature: 0.6")
    (clone / ASKING).write_text(forged)
    commit(clone)
    version = git(clone, "rev-parse", f"HEAD:{ASKING}").strip()
    config = forged.partition("\nconfig:\n")[2]
    made = f"template: asking_target\ntemplate_version: {version}\noverrides: {{}}\nconfig:\n{config}"
    (clone / "targets/made.yml").write_text(made)
    (clone / ASKING).unlink()
    commit(clone)
    assert_found(
        verify(clone),
        f"{clone}: targets/made.yml: its template {ASKING} at {version}: …come to: /temperature",
    )


def test_verify_finds_files_that_do_not_belong_in_a_repo(clone: Path):
    for path in ("notes/todo.txt", "notes.txt", "targets/sub/deep.yml", "templates/deep/er.txt"):
        (clone / path).parent.mkdir(exist_ok=True)
        (clone / path).write_text("hm\n")
    (clone / "targets/default.yml").write_text("template: default\n")
    (clone / "targets/note.txt").write_text("hm\n")
    (clone / "prompts/a..b.yml").write_text("messages: []\n")
    (clone / "prompts/link.yml").symlink_to("terse.yml")
    (clone / CALM).chmod(0o755)
    (clone / "README.md").unlink()
    commit(clone)
    assert_found(
        verify(clone),
        f"{clone}: README.md: it is missing",
        f"{clone}: notes.txt: Bakehouse puts nothing there",
        f"{clone}: notes/todo.txt: Bakehouse puts nothing there",
        f"{clone}: prompts/a..b.yml: its name must not",
        f"{clone}: prompts/link.yml: …no plain file",
        f"{clone}: {CALM}: …no plain file",
        f"{clone}: targets/default.yml: its name must not be 'default'",
        f"{clone}: targets/note.txt: its name does not end in '.yml'",
        f"{clone}: targets/sub: …no plain file",
        f"{clone}: templates/deep: …no plain file",
    )


def test_verify_finds_a_name_that_is_not_utf8(clone: Path):
    (clone / "targets" / os.fsdecode(b"\xff.yml")).write_text("hm\n")
    commit(clone)
    assert_found(verify(clone), f"{clone}: targets/\ufffd.yml: …no plain file")


def test_verify_finds_a_missing_object(data_dir: Path):
    repository = data_dir / "repos/alice/demo.git"
    version = git(repository, "rev-parse", f"main:{CALM}").strip()
    unpack(repository, CALM).unlink()
    result = verify(data_dir=data_dir)
    assert result.exit_code == 1
    assert f"alice/demo: git fsck: missing blob {version}" in result.stdout
    assert f"alice/demo: {CALM}: git cannot read the object {version}" in result.stdout


def test_verify_goes_on_after_a_repo_that_cannot_be_opened(data_dir: Path, alice: Client):
    alice.post("/v1/repo", {"repo_name": "broken"})
    (data_dir / "repos/alice/broken.git/HEAD").unlink()
    (data_dir / "repos/alice/demo.git/refs/heads/astray").write_text("f" * 40 + "\n")
    result = verify(data_dir=data_dir)
    assert result.exit_code == 1
    assert "alice/broken: its folder is not a git repository" in result.stdout
    assert "alice/demo: git fsck: " in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--repo", "alice/nope"], "There is no repo 'alice/nope'"),
        (["--repo", "demo"], "There is no repo 'demo'; write <user>/<name>."),
        (["--repo", "alice/demo", "."], "but not both"),
        (["/dev"], "/dev is no git repository"),
        (["/nowhere"], "'/nowhere' does not exist"),
    ],
)
def test_verify_says_what_it_cannot_verify(data_dir: Path, arguments: list[str], message: str):
    result = verify(*arguments, data_dir=data_dir)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_verify_does_not_make_a_missing_data_directory(tmp_path: Path):
    result = verify(data_dir=tmp_path / "none")
    assert result.exit_code == 2
    assert "There is no data directory" in result.stderr
    assert not (tmp_path / "none").exists()


def test_verify_of_a_shallow_clone_says_how_to_fetch_the_rest(clone: Path, tmp_path: Path):
    git(tmp_path, "clone", "--quiet", "--depth=1", clone.as_uri(), "shallow")
    result = verify(tmp_path / "shallow")
    assert result.exit_code == 2
    assert f"git -C {tmp_path / 'shallow'} fetch --unshallow" in " ".join(result.stderr.split())


def test_verify_finds_a_clone_without_a_commit(tmp_path: Path):
    git(tmp_path, "init", "--quiet", "empty")
    result = verify(tmp_path / "empty")
    assert result.exit_code == 1
    assert "its HEAD names no commit" in result.stdout


def test_verify_shows_its_progress_on_a_terminal(clone: Path):
    main_end, other_end = pty.openpty()
    with os.fdopen(main_end, "rb", buffering=0) as shown:
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", "verify", str(clone)],
            env=environment(Path("unused")) | {"TERM": "xterm"},
            stdout=subprocess.PIPE,
            stderr=other_end,
        )
        assert b"100%" in shown.read(4096)
    os.close(other_end)
    assert (done.returncode, done.stdout) == (0, b"")
