"""In a clone the commands answer what the server answers for the same commit, and write nothing."""

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.app.cli.audit.asking import Pull, ask, assert_fails, lines
from tests.client import Client
from tests.payloads import made
from tests.storage.repositories import git

PROMPTS = "prompts/user_prompt_v1/diff?from={first}&against=system_prompt_v1"

# A command, and the request that the server answers with the same JSON.
SAME = [
    ("explain calm_target", "targets/calm_target/explain"),
    ("explain asking_target --full --ref HEAD", "targets/asking_target/explain?full=true&ref=HEAD"),
    ("log", "log"),
    ("log --author alice --path targets/calm* --full -n 2", "log?author=alice&path=targets/calm*&full=true&limit=2"),
    ("log --field temperature", "log?field=temperature"),
    ("log --reason ticket", "log?reason=ticket"),
    ("log --author nobody", "log?author=nobody"),
    ("history calm_target", "targets/calm_target/history"),
    ("history coding_target -n 1", "targets/coding_target/history?limit=1"),
    ("history --prompt system_prompt_v1", "prompts/system_prompt_v1/history"),
    ("history default", "defaults/target/history"),
    ("diff {first}", "diff?from={first}"),
    ("diff {first} HEAD --path targets/c* --full", "diff?from={first}&to=HEAD&path=targets/c*&full=true"),
    ("diff {first} --prompt user_prompt_v1 --against system_prompt_v1", PROMPTS),
    ("diff {first} -t default", "defaults/target/diff?from={first}"),
    ("targets", "targets"),
    ("targets --ref {first}", "targets?ref={first}"),
    (
        "targets -l --fields temperature,generators.0.type",
        "targets?include=template,changed&fields=temperature,generators.0.type",
    ),
    ("targets --where temperature<1 --where model_name~qwen", "targets?where=temperature%3C1,model_name~qwen"),
    ("targets -q CALM --template calm_target --full", "targets?q=CALM&template=calm_target&full=true"),
    ("targets --descends-from coding_target", "targets?descends_from=coding_target"),
    ("diff {first} -t calm_target", "targets/calm_target/diff?from={first}"),
    ("diff HEAD -t calm_target --against asking_target", "targets/calm_target/diff?from=HEAD&against=asking_target"),
]


def first_of(alice: Client, name: str) -> str:
    """Return the commit that created a target."""
    commit: str = alice.get(f"/v1/repo/demo/targets/{name}/history").json["commits"][-1]["commit"]
    return commit


def files_in(folder: Path) -> dict[Path, tuple[int, bytes]]:
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("command", "path"), SAME)
def test_a_clone_answers_what_the_server_answers(clone: Path, alice: Client, command: str, path: str):
    first = first_of(alice, "calm_target")
    said = ask(*command.format(first=first).split(), "--clone", clone, "--json")
    assert said.exit_code == 0, said.output
    answer = alice.get(f"/v1/repo/demo/{path.format(first=first)}")
    assert answer.status_code == 200
    assert json.loads(said.stdout) == answer.json


def test_a_patch_is_what_git_prints(clone: Path, alice: Client):
    first = first_of(alice, "calm_target")
    said = ask("diff", first, "-t", "calm_target", "--patch", "--clone", clone)
    assert said.stdout == git(clone, "diff", first, "HEAD", "--", "targets/calm_target.yml")
    assert said.stdout.startswith("diff --git")
    whole = ask("diff", first, "--patch", "--clone", clone)
    assert whole.stdout == git(clone, "diff", "--no-renames", first, "HEAD")


def test_git_applies_a_patch_whatever_characters_it_has(clone: Path, alice: Client, pull: Pull, tmp_path: Path):
    text = "a\u00a0b \U0001f468\u200d\U0001f469 \u3000 \u202e end\r\nnext\ttab"
    alice.put("/v1/repo/demo/prompts/odd", {"messages": [{"role": "user", "content": text}]})
    pull()
    by_hand = clone / "targets/by hand.txt"
    by_hand.write_bytes("one\r\ntwo\u00a0\u200d\x1b[31m\r\n".encode())
    git(clone, "add", "--all")
    git(clone, "-c", "user.name=A", "-c", "user.email=a@b", "commit", "--quiet", "--message", "By hand")
    first = git(clone, "rev-parse", "HEAD~2").strip()
    said = ask("diff", first, "--patch", "--clone", clone)
    assert said.exit_code == 0, said.output
    expected = subprocess.run(
        ["git", "diff", "--no-renames", first, "HEAD"], cwd=clone, capture_output=True, check=True
    )
    assert said.stdout_bytes == expected.stdout
    (tmp_path / "patch").write_bytes(said.stdout_bytes)
    wanted = git(clone, "rev-parse", "HEAD^{tree}")
    git(clone, "checkout", "--quiet", first)
    git(clone, "apply", "--index", "--whitespace=nowarn", str(tmp_path / "patch"))
    assert git(clone, "write-tree") == wanted


def test_a_patch_steers_no_terminal(clone: Path, alice: Client, pull: Pull):
    alice.put("/v1/repo/demo/prompts/odd", {"messages": []})
    pull()
    (clone / "prompts/note.txt").write_text("\x1b[31m\u202e\r\n")
    git(clone, "add", "--all")
    git(clone, "-c", "user.name=A", "-c", "user.email=a@b", "commit", "--quiet", "--message", "By hand")
    main_end, other_end = pty.openpty()
    with os.fdopen(main_end, "rb", buffering=0) as shown:
        command = [sys.executable, "-m", "app.cli", "diff", git(clone, "rev-parse", "HEAD~1").strip(), "--patch"]
        subprocess.run([*command, "--clone", str(clone)], stdout=other_end, check=True)
        os.close(other_end)
        said = b""
        with suppress(OSError):  # the end of a terminal whose other end is closed
            while part := shown.read(4096):
                said += part
    assert b"\\x1b[31m\\u{202e}\\r" in said
    assert b"\x1b[31m" not in said


def test_reading_a_clone_writes_nothing(clone: Path):
    (clone / ".git/refs/heads/main.lock").write_text("")  # of a git command that is at work
    before = files_in(clone)
    for command, _ in SAME:
        if "{first}" not in command:
            assert ask(*command.split(), "--clone", clone).exit_code == 0
    assert files_in(clone) == before


def test_an_index_of_fields_is_not_kept_in_a_clone(clone: Path, alice: Client, pull: Pull):
    for number in range(1, 260):  # more than a block of the index
        alice.put("/v1/repo/demo/targets/calm_target", made("calm_target", max_tokens=number))
    pull()
    before = files_in(clone)
    said = ask("log", "--field", "max_tokens", "-n", 300, "--json", "--clone", clone)
    assert files_in(clone) == before
    assert len(json.loads(said.stdout)["commits"]) > 256


def test_the_answer_is_about_the_commit_that_is_checked_out(clone: Path, alice: Client, tmp_path: Path):
    first = first_of(alice, "calm_target")
    then = alice.get(f"/v1/repo/demo/targets/calm_target/explain?ref={first}").json
    git(clone, "checkout", "--quiet", first)
    assert json.loads(ask("explain", "calm_target", "--json", "--clone", clone).stdout) == then
    git(clone, "checkout", "--quiet", "main")
    git(clone, "worktree", "add", "--quiet", str(tmp_path / "then"), first)
    assert json.loads(ask("explain", "calm_target", "--json", "--clone", tmp_path / "then").stdout) == then
    assert json.loads(ask("explain", "calm_target", "--json", "--clone", clone).stdout) != then


def test_the_clone_that_one_stands_in_is_asked(clone: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(clone / "targets")
    assert lines(ask("explain", "calm_target", "temperature"))[0][:5] == [
        *("temperature", "set", "0.1", "template", "calm_target"),
    ]


def test_a_clone_is_never_written_to(clone: Path):
    before = files_in(clone)
    said = ask("revert", "calm_target", "--to", "HEAD", "--clone", clone)
    assert_fails(said, 2, "A clone is only read", "BAKEHOUSE_URL")
    assert files_in(clone) == before


def test_what_is_no_whole_clone_of_a_repo_is_refused(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{clone}", "shallow")
    git(tmp_path, "init", "--quiet", "other")
    git(
        tmp_path / "other", "-c", "user.name=A", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty", "-m", "x"
    )
    (tmp_path / "empty").mkdir()
    assert_fails(ask("log", "--clone", tmp_path / "shallow"), 2, "git fetch --unshallow")
    assert_fails(ask("log", "--clone", tmp_path / "other"), 2, "no clone of a repo of Bakehouse")
    assert_fails(ask("log", "--clone", tmp_path / "empty"), 2, "is no git repository")
    assert_fails(ask("log", "--clone", clone, "--repo", "demo"), 2, "--repo", "Set BAKEHOUSE_URL")
    monkeypatch.chdir(tmp_path / "empty")
    assert_fails(ask("log"), 2, "There is nothing to ask. Set BAKEHOUSE_URL and BAKEHOUSE_TOKEN")


def test_a_damaged_clone_is_no_answer(clone: Path):
    for pack in (clone / ".git/objects/pack").iterdir():
        pack.chmod(0o600)
        pack.write_bytes(b"")
    said = ask("log", "--clone", clone)
    assert said.exit_code in (1, 3)
    assert said.stdout == ""


@pytest.mark.parametrize(
    ("command", "mention"),
    [
        ("explain calm", "Target 'calm' not found"),
        ("explain calm_target temperatur", "did you mean 'temperature'?"),
        ("log --since yesterday", "since: This must be a time with an offset"),
        ("log --ref nowhere", "'nowhere'"),
        ("history never", "never"),
        ("diff HEAD -t calm_target", "are the same commit"),
    ],
)
def test_what_is_refused_is_said_as_a_person_reads_it(clone: Path, command: str, mention: str):
    assert_fails(ask(*command.split(), "--clone", clone), 1, "Error: ", mention)


def test_a_history_is_of_one_thing(clone: Path):
    assert_fails(ask("history", "--clone", clone), 2, "Name one thing")
    assert_fails(ask("diff", "HEAD", "--against", "x", "--clone", clone), 2, "--against needs the thing to compare")
    assert_fails(ask("diff", "HEAD", "-t", "x", "--path", "y", "--clone", clone), 2, "--path is for the whole repo")
    assert_fails(ask("history", "calm_target", "--prompt", "p", "--clone", clone), 2, "Name one thing")
