"""Labels, timelines and uses: in a clone as on the server, and against a server where something is written."""

import json
from pathlib import Path

import pytest

from tests.app.cli.audit.asking import Pull, ask, assert_fails, lines
from tests.client import Client
from tests.storage.repositories import git

SAME = [
    ("labels", "labels"),
    ("labels list --ref v1", "labels?ref=v1"),
    ("labels history production -n 1", "labels/production/history?limit=1"),
    ("labels history production", "labels/production/history"),
    ("timeline calm_target --label production", "targets/calm_target/timeline?label=production"),
    ("timeline calm_target", "targets/calm_target/timeline"),
    ("explain calm_target --ref production", "targets/calm_target/explain?ref=production"),
    ("uses coding_target", "targets/coding_target/uses"),
    ("uses --prompt system_prompt_v1", "prompts/system_prompt_v1/uses"),
    ("uses --file {file} --ref v1", "question-templates/{file}/uses?ref=v1"),
]


def commit_of(alice: Client, number: int) -> str:
    """Return a commit of the target's history, newest first."""
    commit: str = alice.get("/v1/repo/demo/targets/calm_target/history").json["commits"][number]["commit"]
    return commit


@pytest.fixture
def labelled(clone: Path, alice: Client, pull: Pull) -> Path:
    """A clone with a tag, and with a label that was moved back and forth."""
    first, last = commit_of(alice, -1), commit_of(alice, 0)
    alice.post("/v1/repo/demo/tags", {"name": "v1", "ref": last})
    for ref, reason in ((first, "Release"), (last, "Warmer"), (first, "Too warm: [b]back[/b]")):
        answer = alice.put("/v1/repo/demo/labels/production", {"ref": ref, "reason": reason, "protected": ["bob"]})
        assert answer.status_code == 200, answer.text
    pull()
    git(clone, "fetch", "--quiet", "--tags")
    return clone


@pytest.mark.parametrize(("command", "path"), SAME)
def test_a_clone_answers_what_the_server_answers(labelled: Path, alice: Client, command: str, path: str):
    file = git(labelled, "ls-files", "templates").split()[0]
    name = file.removeprefix("templates/")
    said = ask(*command.format(file=name).split(), "--clone", labelled, "--json")
    assert said.exit_code == 0, said.output
    answer = alice.get(f"/v1/repo/demo/{path.format(file=name)}")
    assert answer.status_code == 200
    assert json.loads(said.stdout) == answer.json


def test_labels_tell_where_they_are_and_who_moved_them(labelled: Path, alice: Client):
    first, last = commit_of(alice, -1), commit_of(alice, 0)
    [label] = lines(ask("labels", "--clone", labelled))
    assert (label[0], label[1], label[3], label[4]) == ("production", first, "alice", "Too warm: [b]back[/b]")
    assert label[6] == "bob"
    moves = lines(ask("labels", "history", "production", "--clone", labelled))
    assert [(move[0], move[1], move[4]) for move in moves] == [
        (last, first, "Too warm: [b]back[/b]"),
        (first, last, "Warmer"),
        ("", first, "Release"),
    ]
    shown = ask("labels", "--clone", labelled, FORCE_COLOR="1", NO_COLOR="1", COLUMNS="200").stdout
    assert "Too warm: [b]back[/b]" in shown


def test_a_timeline_tells_what_was_in_force(labelled: Path, alice: Client):
    first, last = commit_of(alice, -1), commit_of(alice, 0)
    periods = lines(ask("timeline", "calm_target", "--label", "production", "--clone", labelled))
    assert [(period[3], period[4], period[5]) for period in periods] == [
        (first, "alice", "Too warm: [b]back[/b]"),
        (last, "alice", "Warmer"),
        (first, "alice", "Release"),
    ]
    assert periods[0][1] == ""
    assert periods[1][1] == periods[0][0]
    shown = ask("timeline", "calm_target", "--label", "production", "--clone", labelled, FORCE_COLOR="1").stdout
    assert "now" in shown


def test_uses_tell_by_what_and_in_which_state(labelled: Path):
    user, *_ = lines(ask("uses", "coding_target", "--clone", labelled))
    assert user == ["target", "calm_target", "coding_target", "template_gone", ""]
    held = [record for record in lines(ask("uses", "calm_target", "--clone", labelled)) if record[0] != "target"]
    assert ["tag", "v1", "", "same", git(labelled, "rev-parse", "v1^{commit}").strip()] in held
    [by_prompt, *_] = lines(ask("uses", "--prompt", "system_prompt_v1", "--clone", labelled))
    assert by_prompt == ["target", "calm_target", "teacher_prompt", "", ""]
    assert_fails(ask("uses", "--clone", labelled), 2, "Name one thing")


def test_a_label_is_moved_by_a_server_only(labelled: Path):
    assert_fails(ask("labels", "move", "production", "v1", "--clone", labelled), 2, "A clone is only read")
    assert_fails(ask("labels", "delete", "production", "--clone", labelled), 2, "A clone is only read")
    said = ask("labels", "move", "production", "v1", "--anyone", "--protect", "bob", "--clone", labelled)
    assert_fails(said, 2, "contradict each other")
    assert "move" in ask("labels", "--help").stdout
