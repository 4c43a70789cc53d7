"""`GET …/targets/{target}/timeline`: which version was live, from when to when, and by whose move."""

from typing import Any

import pytest
from flask import Flask

from app.registry import documents
from app.registry.audit import moves
from storage.machine import git_command
from tests.app.api.helpers import TARGETS, demo
from tests.client import Client, assert_error, assert_mistakes
from tests.storage.repositories import commit_files
from tests.timeline import commit_by_hand, demo_repository, put_target, set_clock, tip

LABEL = "/v1/repo/demo/labels/production"
TIMELINE = f"{TARGETS}/a/timeline"


def hour(number: int) -> str:
    return f"2090-01-01T{number:02}:00:00Z"


def version(app: Flask, commit: str) -> str:
    return demo(app, "rev-parse", f"{commit}:targets/a.yml").strip()


def periods(client: Client, query: str = "label=production") -> list[tuple[Any, ...]]:
    """Return the periods on one page as (version, commit, from, to, moves)."""
    answer = client.get(f"{TIMELINE}?{query}")
    assert answer.status_code == 200, answer.text
    return [
        (each["version"], each["commit"], each["from"], each["to"], each["moves"]) for each in answer.json["periods"]
    ]


def move(client: Client, at: int, ref: str, monkeypatch: pytest.MonkeyPatch, **body: object) -> str:
    set_clock(monkeypatch, hour(at))
    return client.put(LABEL, {"ref": ref, **body}).headers["Git-Commit"]


def test_a_timeline_tells_what_was_live_and_by_whose_move(app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch):
    before = tip(app)
    first = put_target(alice, "a", temperature=0.5)
    second = put_target(alice, "a", temperature=0.75)
    other = put_target(alice, "b")
    move(alice, 1, before, monkeypatch)
    forward = move(alice, 2, second, monkeypatch, reason="Better on Monday")
    move(alice, 3, other, monkeypatch)
    move(alice, 4, first, monkeypatch, reason="Worse on Tuesday")
    move(alice, 5, first, monkeypatch, protected=["alice"])
    set_clock(monkeypatch, hour(6))
    alice.delete(LABEL)
    move(alice, 7, first, monkeypatch)
    one, two = version(app, first), version(app, second)
    assert periods(alice) == [
        (one, first, hour(7), None, 1),
        (None, None, hour(6), hour(7), 1),
        (one, first, hour(4), hour(6), 2),
        (two, second, hour(2), hour(4), 2),
        (None, before, hour(1), hour(2), 1),
    ]
    answer = alice.get(f"{TIMELINE}?label=production").json
    assert (answer["target_name"], answer["label"], answer["next"]) == ("a", "production", None)
    assert answer["periods"][3]["moved_by"] == {
        "commit": forward,
        "author": {"name": "Alice", "email": "alice@example.org", "user": "alice", "token": "initial"},
        "time": hour(2),
        "subject": f"label production: {before[:10]} → {second[:10]}",
        "reason": "Better on Monday",
    }
    assert all("may_be_older" not in each for each in answer["periods"])
    assert periods(alice, f"label=production&ref={hour(3)}") == [
        (two, second, hour(2), None, 2),
        (None, before, hour(1), hour(2), 1),
    ]


def test_a_timeline_is_paged(alice: Client, monkeypatch: pytest.MonkeyPatch):
    made = [put_target(alice, "a", max_tokens=number + 1) for number in range(4)]
    for number, commit in enumerate([made[0], made[1], made[1], made[2], made[3], made[0]]):
        move(alice, number + 1, commit, monkeypatch, protected=["alice"] if number == 2 else None)
    whole = periods(alice)
    assert [each[1] for each in whole] == [made[0], made[3], made[2], made[1], made[0]]
    for limit in (1, 2, 3):
        seen, query = [], f"label=production&limit={limit}"
        while query:
            page = periods(alice, query)
            assert len(page) <= limit
            seen += page
            following = alice.get(f"{TIMELINE}?{query}").json["next"]
            query = following and f"label=production&limit={limit}&before={following}"
        assert seen == whole


def test_a_page_looks_at_so_many_moves_at_most(app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch):
    """A period of very many moves is told in parts, and each page reads so many small files at most."""
    monkeypatch.setattr(moves, "_MOST_MOVES", 4)
    first = put_target(alice, "a")
    for number in range(10):
        move(alice, number + 1, put_target(alice, "b", max_tokens=number + 1), monkeypatch)
    parsed: list[str] = []
    parse = documents.parse

    def counted(source, path, file):
        parsed.append(path)
        return parse(source, path, file)

    monkeypatch.setattr(documents, "parse", counted)
    found, query = [], "label=production"
    while query:
        parsed.clear()
        page = alice.get(f"{TIMELINE}?{query}").json
        assert parsed == ["labels/production.yml"] * len(parsed)
        assert len(parsed) <= 4
        found += [(each["from"], each["to"], each["moves"], each.get("may_be_older")) for each in page["periods"]]
        query = page["next"] and f"label=production&before={page['next']}"
    assert found == [
        (hour(7), None, 4, True),
        (hour(3), hour(7), 4, True),
        (hour(1), hour(3), 2, None),
    ]
    assert {each[0] for each in periods(alice)} == {version(app, first)}


def test_without_a_label_each_version_was_live_from_its_commit_on(
    app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch
):
    set_clock(monkeypatch, hour(1))
    first = put_target(alice, "a", temperature=0.5)
    set_clock(monkeypatch, hour(2))
    second = put_target(alice, "a", temperature=0.75)
    set_clock(monkeypatch, hour(3))
    gone = alice.delete(f"{TARGETS}/a").headers["Git-Commit"]
    assert periods(alice, "") == [
        (None, gone, hour(3), None, 1),
        (version(app, second), second, hour(2), hour(3), 1),
        (version(app, first), first, hour(1), hour(2), 1),
    ]
    assert alice.get(TIMELINE).json["label"] == "main"
    assert alice.get(TIMELINE).json["periods"][0]["moved_by"]["subject"] == "Delete a"


def test_labels_by_hand_are_told_as_far_as_they_can_be_read(app: Flask, alice: Client):
    first = put_target(alice, "a")
    alice.put(LABEL, {"ref": first})
    for content in (b"commit: nope\n", b"commit: " + b"b" * 40 + b"\n"):
        commit_by_hand(app, {"labels/production.yml": content})
    found = periods(alice)
    assert [each[:2] for each in found] == [(None, "b" * 40), (None, None), (version(app, first), first)]


def test_what_never_was_has_no_timeline(alice: Client):
    put_target(alice, "a")
    assert_error(alice.get(f"{TIMELINE}?label=production"), 404, "RESOURCE_NOT_FOUND", "Label 'production'")
    alice.put(LABEL, {"ref": "main"})
    assert_error(alice.get(f"{TARGETS}/b/timeline?label=production"), 404, "RESOURCE_NOT_FOUND", "Target 'b'")
    assert_mistakes(alice.get(f"{TIMELINE}?label=main"), (["query", "label"], "string_pattern_mismatch"))
    assert_mistakes(alice.get(f"{TIMELINE}?limit=101"), (["query", "limit"], "less_than_equal"))
    assert_mistakes(alice.get(f"{TIMELINE}?before=x"), (["query", "before"], "string_pattern_mismatch"))


def test_a_timeline_reads_no_target_and_no_tree_for_a_move(app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch):
    """The histories of two files tell it: as many git processes for 30 moves as for one."""
    repository = demo_repository(app)
    commits = [put_target(alice, "a", max_tokens=number + 1) for number in range(30)]
    started: list[str] = []
    attempt = git_command.attempt

    def counted(location, *arguments, **more):
        started.append(arguments[0])
        return attempt(location, *arguments, **more)

    counts = []
    for commit in commits:
        repository.transact(commit_files({"labels/production.yml": f"commit: '{commit}'\n".encode()}))
        if len(counts) == 0 or commit == commits[-1]:
            repository.checkpoint()
            with monkeypatch.context() as patch:
                patch.setattr(git_command, "attempt", counted)
                started.clear()
                alice.get(f"{TIMELINE}?label=production&limit=100")
                counts.append(len(started))
    assert len(periods(alice, "label=production&limit=100")) == 30
    assert counts[1] <= counts[0] <= 4
