"""Repos with commits made by hand: logs, histories and lists stay readable."""

import subprocess

from flask import Flask

from tests.app.api.helpers import TARGETS
from tests.client import Client, assert_error
from tests.storage.repositories import settle
from tests.timeline import LOG, TEN, commit_by_hand, commits, demo_repository, put_target, rev_list, tip

HISTORY = f"{TARGETS}/a/history"


def fast_import(app: Flask, author: str = f"Hand <hand@example.org> {2**31} +0000", files: str = "") -> None:
    """Put a commit on alice's branch with `git fast-import`, which checks little of it."""
    path = demo_repository(app).path
    settle(path)
    command = ["git", "-C", str(path), "fast-import", "--quiet"]
    stream = f"commit refs/heads/main\ncommitter {author}\ndata 2\nBy\nfrom refs/heads/main^0\n{files}\n"
    subprocess.run(command, input=stream.encode("latin-1"), check=True)


NO_DOCUMENTS = [
    *(b"", b"just text", b"- a list\n", b"\x00\xff", b"config: {temperature: .nan}\n"),
    *(b"config: &config [*config, *config]\n", b"config: " + b"[" * 500 + b"]" * 500),
    b"config: 0x" + b"f" * 4000,
]


def test_log_shows_null_changes_for_a_file_that_is_not_a_document(app: Flask, alice: Client):
    spoilt = {f"targets/bad-{number}.yml": content for number, content in enumerate(NO_DOCUMENTS)}
    by_hand = commit_by_hand(app, {"targets/a.yml": b"config: {v: 1}\n", **spoilt})
    entry = alice.get(f"{LOG}?limit=1").json["commits"][0]
    assert (entry["commit"], entry["author"]["email"]) == (by_hand, "bob@work.example")
    of_a, *others = entry["files"]
    assert of_a["changes"] == [{"field": "/v", "new": 1}]
    assert [file["path"] for file in others] == [*spoilt]
    assert [(file["action"], file["changes"]) for file in others] == [("created", None)] * len(spoilt)
    for number in range(len(NO_DOCUMENTS)):
        for path in (f"{TARGETS}/bad-{number}", f"{TARGETS}/bad-{number}?ref={by_hand}"):
            assert_error(alice.get(path), 503, "STORAGE_UNAVAILABLE", "'demo'", f"targets/bad-{number}.yml")


def test_versions_before_and_after_an_unreadable_one_can_be_read(app: Flask, alice: Client):
    first = put_target(alice, "a", temperature=0.5)
    commit_by_hand(app, {"targets/a.yml": b"no document"})
    answer = alice.get(f"{TARGETS}/a/diff?from={first}")
    assert_error(answer, 503, "STORAGE_UNAVAILABLE", "'demo'", "targets/a.yml")
    assert alice.get(f"{TARGETS}/a?ref={first}").json["config"]["temperature"] == 0.5
    alice.delete(f"{TARGETS}/a")
    put_target(alice, "a", temperature=0.75)
    spoilt = [entry["changes"] is None for entry in alice.get(HISTORY).json["commits"]]
    assert spoilt == [False, True, True, False]


def test_log_lists_other_files_without_fields(app: Flask, alice: Client):
    files = {"notes.txt": b"\xff", "scripts/run.yml": b"a: 1\n", "templates/ask.txt": b"config: {a: 1}"}
    commit_by_hand(app, files)
    entry = alice.get(f"{LOG}?limit=1").json["commits"][0]
    assert {file["path"]: file["changes"] for file in entry["files"]} == {path: [] for path in files}
    assert commits(alice, "path=scripts") == [tip(app)]


def test_log_lists_a_commit_without_files(app: Flask, alice: Client):
    fast_import(app)
    entry = alice.get(LOG).json["commits"][0]
    assert (entry["commit"], entry["subject"], entry["files"]) == (tip(app), "By", [])
    assert commits(alice) == rev_list(app)
    assert commits(alice, "author=hand@") == [tip(app)]


def test_history_shows_a_symlink_and_a_submodule_in_place_of_a_target(app: Flask, alice: Client):
    first = put_target(alice, "a", temperature=0.5)
    for mode in ("120000 inline targets/a.yml\ndata 4\na: 1", f"160000 {'1' * 40} targets/a.yml"):
        fast_import(app, files=f"M {mode}\n")
        assert commits(alice, "limit=1", HISTORY) == commits(alice, "limit=1") == [tip(app)]
    assert commits(alice, "", HISTORY)[2:] == [first]


def test_a_name_that_is_not_utf_8_is_shown_with_a_replacement_character(app: Flask, alice: Client):
    put_target(alice, "b", temperature=0.5)
    fast_import(app, files="M 100644 inline targets/a\xe9.yml\ndata 5\na: 1\n")
    assert alice.get(f"{LOG}?limit=1").json["commits"][0]["files"][0]["path"] == "targets/a\ufffd.yml"
    assert alice.get(TARGETS).json == {"targets": ["a\ufffd", "b"]}
    assert alice.get(f"{TARGETS}?ref={tip(app)}").status_code == 200


def test_a_commit_time_after_year_9999_is_shown_as_its_last_second(app: Flask, alice: Client):
    fast_import(app, author=f"Hand <hand@example.org> {2**45} +0000")
    assert alice.get(LOG).json["commits"][0]["time"] == "9999-12-31T23:59:59Z"
    assert commits(alice) == rev_list(app)
    assert commits(alice, f"until={TEN}") == rev_list(app)[1:]


def test_a_commit_dated_before_the_repo_began_hides_no_other(app: Flask, alice: Client):
    fast_import(app, author="Hand <hand@example.org> 1 +0000", files="M 100644 inline x\ndata 1\nx\n")
    put_target(alice, "a", temperature=0.5)
    assert commits(alice) == commits(alice, "since=2001-01-01T00:00:00Z") == rev_list(app)
    assert alice.get(LOG).json["commits"][1]["time"] == "1970-01-01T00:00:01Z"


def test_a_file_that_is_not_yaml_is_not_listed_as_a_target(app: Flask, alice: Client):
    put_target(alice, "a", temperature=0.5)
    commit_by_hand(app, {"targets/notes.txt": b"hm\n"})
    assert alice.get(TARGETS).json == {"targets": ["a"]}
    assert alice.get(f"{TARGETS}/a/descendants").json == {"descendants": [], "next": None}
