"""Repos in which somebody committed by hand: what Bakehouse did not write spoils no log, history or list."""

import subprocess

import pytest
from flask import Flask

from tests.app.api.test_targets import TARGETS, demo
from tests.client import Client, assert_error
from tests.timeline import LOG, TEN, commit_by_hand, commits, demo_repository, put_target, rev_list, tip

HISTORY = f"{TARGETS}/a/history"


def fast_import(app: Flask, author: str = f"Hand <hand@example.org> {2**31} +0000", files: str = "") -> None:
    """Put a commit on alice's branch of which git itself checks little."""
    command = ["git", "-C", str(demo_repository(app).path), "fast-import", "--quiet"]
    stream = f"commit refs/heads/main\ncommitter {author}\ndata 2\nBy\nfrom refs/heads/main^0\n{files}\n"
    subprocess.run(command, input=stream.encode("latin-1"), check=True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"just text",
        b"- a list\n",
        b"\x00\xff",
        b"config: {temperature: .nan}\n",
        b"config: &config [*config, *config]\n",
        b"config: " + b"[" * 500 + b"]" * 500,
        b"config: 0x" + b"f" * 4000,
    ],
    ids=lambda content: content[:15],
)
def test_a_file_that_is_no_document_has_no_changes(app: Flask, alice: Client, content: bytes):
    first = put_target(alice, "a", temperature=0.5)
    by_hand = commit_by_hand(app, {"targets/a.yml": content, "targets/b.yml": b"config: {v: 1}\n"})
    entry = alice.get(f"{LOG}?limit=1").json["commits"][0]
    assert (entry["commit"], entry["author"]["email"]) == (by_hand, "bob@work.example")
    of_a, of_b = entry["files"]
    version = demo(app, "rev-parse", "main:targets/a.yml").strip()
    assert of_a == {"path": "targets/a.yml", "action": "updated", "version": version, "changes": None}
    assert of_b["changes"] == [{"field": "/v", "new": 1}]
    assert alice.get(HISTORY).json["commits"][0]["changes"] is None
    for path in (f"{TARGETS}/a", f"{TARGETS}/a/diff?from={first}", f"{TARGETS}/a?ref={by_hand}"):
        assert_error(alice.get(path), 503, "STORAGE_UNAVAILABLE", "'demo'", "targets/a.yml")
    assert alice.get(f"{TARGETS}/a?ref={first}").json["config"]["temperature"] == 0.5
    alice.delete(f"{TARGETS}/a")
    put_target(alice, "a", temperature=0.75)
    assert [entry["changes"] is None for entry in alice.get(HISTORY).json["commits"]] == [
        False,
        True,
        True,
        False,
    ]


def test_what_else_lies_in_a_repo_is_told_without_fields(app: Flask, alice: Client):
    files = {"notes.txt": b"\xff", "scripts/run.yml": b"a: 1\n", "templates/ask.txt": b"config: {a: 1}"}
    commit_by_hand(app, files)
    entry = alice.get(f"{LOG}?limit=1").json["commits"][0]
    assert {file["path"]: file["changes"] for file in entry["files"]} == {path: [] for path in files}
    assert commits(alice, "path=scripts") == [tip(app)]


def test_a_commit_without_files_is_a_commit(app: Flask, alice: Client):
    fast_import(app)
    entry = alice.get(LOG).json["commits"][0]
    assert (entry["commit"], entry["subject"], entry["files"]) == (tip(app), "By", [])
    assert commits(alice) == rev_list(app)
    assert commits(alice, "author=hand@") == [tip(app)]


@pytest.mark.parametrize("mode", ["120000 inline", f"160000 {'1' * 40}"], ids=["link", "submodule"])
def test_what_is_no_file_spoils_no_history(app: Flask, alice: Client, mode: str):
    put_target(alice, "a", temperature=0.5)
    data = "data 4\na: 1\n" if "inline" in mode else ""
    fast_import(app, files=f"M {mode} targets/a.yml\n{data}")
    newest, oldest = alice.get(HISTORY).json["commits"]
    assert newest["commit"] == tip(app)
    assert oldest["changes"] != []


def test_a_name_that_is_not_utf_8_is_shown_with_a_mark(app: Flask, alice: Client):
    put_target(alice, "b", temperature=0.5)
    fast_import(app, files="M 100644 inline targets/a\xe9.yml\ndata 5\na: 1\n")
    assert alice.get(f"{LOG}?limit=1").json["commits"][0]["files"][0]["path"] == "targets/a\ufffd.yml"
    assert alice.get(TARGETS).json == {"targets": ["a\ufffd", "b"]}
    assert alice.get(f"{TARGETS}?ref={tip(app)}").status_code == 200


def test_a_time_beyond_the_calendar_is_its_end(app: Flask, alice: Client):
    fast_import(app, author=f"Hand <hand@example.org> {2**45} +0000")
    assert alice.get(LOG).json["commits"][0]["time"] == "9999-12-31T23:59:59Z"
    assert commits(alice) == rev_list(app)
    assert commits(alice, f"until={TEN}") == rev_list(app)[1:]


def test_a_commit_dated_before_the_repo_began_hides_nothing(app: Flask, alice: Client):
    fast_import(app, author="Hand <hand@example.org> 1 +0000", files="M 100644 inline x\ndata 1\nx\n")
    put_target(alice, "a", temperature=0.5)
    assert commits(alice) == commits(alice, "since=2001-01-01T00:00:00Z") == rev_list(app)
    assert alice.get(LOG).json["commits"][1]["time"] == "1970-01-01T00:00:01Z"
