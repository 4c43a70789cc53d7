"""What the commands print: lines for a pipe, colours for a terminal, and nothing that steers the terminal."""

import csv
import json
import re
from io import StringIO
from pathlib import Path

import pytest

from app.cli.asking import visible
from app.cli.audit.field_names import name_of, pointer_of
from tests.app.cli.audit.asking import Pull, ask, lines
from tests.client import Client
from tests.payloads import made, target
from tests.storage.repositories import git

PATH = "targets/calm_target.yml"
HOSTILE = "[red]a\x1b[31m\x07\u202e\u009b2J\n\tb[/red]"


@pytest.fixture
def hostile(clone: Path, alice: Client, pull: Pull) -> Path:
    """A clone with a value, a key and an author that would steer a terminal."""
    extra = {HOSTILE: HOSTILE, "plain": "[bold]x[/bold]"}
    assert alice.put("/v1/repo/demo/targets/calm_target", made(extra_kwargs=extra)).status_code == 200
    pull()
    git(
        clone,
        "-c",
        "user.name=\x1b[31mEve",
        "-c",
        "user.email=e@\x1b]0;x",
        "commit",
        "--quiet",
        "--allow-empty",
        "-m",
        HOSTILE,
    )
    return clone


def test_a_line_has_one_record_and_each_column_its_place(clone: Path):
    found = lines(ask("explain", "calm_target", "temperature", "-v", "--clone", clone))
    assert [record[:5] for record in found] == [
        ["temperature", "set", "0.1", "template", "calm_target"],
        ["temperature", "beaten", "1.0", "template", "coding_target"],
        ["temperature", "beaten", "1.0", "default", "default"],
    ]
    assert found[0][5].endswith("Z")
    assert found[0][6] == "alice"
    assert found[0][8] == git(clone, "log", "--format=%H", "--diff-filter=A", "--", "targets/calm_target.yml").strip()
    assert {len(record) for record in found} == {9}


def test_a_removed_field_is_told(clone: Path, alice: Client, pull: Pull):
    alice.put("/v1/repo/demo/targets/calm_target", made("calm_target", max_tokens=None))
    pull()
    found = lines(ask("explain", "calm_target", "max_tokens", "--clone", clone))
    assert [record[:5] for record in found] == [["max_tokens", "removed", "null", "overrides", "calm_target"]]
    assert "(removed)" in ask("explain", "calm_target", "--clone", clone, FORCE_COLOR="1").stdout


def test_an_explanation_goes_on_through_all_templates(clone: Path, alice: Client, pull: Pull):
    chain = [
        target("t0", temperature=0.25, max_tokens=1),
        *(target(f"t{n}", f"t{n - 1}", max_tokens=n + 1) for n in range(1, 130)),
    ]
    assert alice.post("/v1/repo/demo/targets/batch", {"targets": chain}).json["failed"] == {}
    pull()
    found = lines(ask("explain", "t129", "--clone", clone))
    fields = [record[0] for record in found]
    assert len(fields) == len(set(fields)) == len(alice.get("/v1/repo/demo/targets/t129").json["config"]) + 1
    by_name = {record[0]: record[2:5] for record in found}
    assert by_name["max_tokens"] == ["130", "overrides", "t129"]
    assert by_name["temperature"] == ["0.25", "template", "t0"]
    answer = json.loads(ask("explain", "t129", "--json", "--clone", clone).stdout)
    assert [layer["name"] for layer in answer["layers"]] == [*(f"t{n}" for n in range(129, -1, -1)), "default"]
    assert {layer["layer"] for layer in answer["layers"][1:-1]} == {"template"}
    assert answer["next"] is None


def test_the_log_has_a_line_for_each_field(clone: Path):
    found = lines(ask("log", "--path", "targets/coding_target.yml", "-n", 2, "--clone", clone))
    assert {len(record) for record in found} == {9}
    deleted, updated = found[0], [record for record in found if record[5] == "updated"]
    assert deleted[4:7] == ["targets/coding_target.yml", "deleted", "template"]
    assert ["max_tokens", "150", "9"] in [record[6:] for record in updated]


def test_a_history_goes_over_as_many_pages_as_are_asked_for(clone: Path, alice: Client, pull: Pull):
    for number in range(1, 131):
        alice.put("/v1/repo/demo/targets/calm_target", made("calm_target", max_tokens=number))
    pull()
    commits = [record[0] for record in lines(ask("history", "calm_target", "-n", 120, "--clone", clone))]
    assert len(set(commits)) == 120
    answer = json.loads(ask("history", "calm_target", "-n", 120, "--json", "--clone", clone).stdout)
    assert len(answer["commits"]) == 120
    assert answer["next"] is not None
    everything = json.loads(ask("history", "calm_target", "-n", 500, "--json", "--clone", clone).stdout)
    assert everything["next"] is None
    assert [commit["commit"] for commit in everything["commits"]] == git(
        clone, "log", "--format=%H", "--", PATH
    ).split()


def test_what_changed_in_the_repo_has_a_line_for_each_field(clone: Path):
    first, _ = git(clone, "log", "--format=%H", "--", PATH).split()[::-1]
    found = lines(ask("diff", first, "--clone", clone))
    assert {len(record) for record in found} == {5}
    assert [record for record in found if record[2] == "grants"] == [
        ["repo.yml", "updated", "grants", "", '{"bob":"read"}']
    ]
    assert {record[1] for record in found if record[0] == "targets/coding_target.yml"} == {"deleted"}
    shown = ask("diff", first, "--clone", clone, FORCE_COLOR="1", NO_COLOR="1").stdout
    assert re.search(r"^\d created, \d updated, 1 deleted$", shown, re.MULTILINE)
    assert lines(ask("diff", "HEAD", "HEAD", "--clone", clone)) == []
    assert "Nothing." in ask("diff", "HEAD", "HEAD", "--clone", clone, FORCE_COLOR="1").stdout


def test_the_targets_have_a_column_for_each_field(clone: Path):
    assert lines(ask("targets", "--clone", clone)) == [["asking_target"], ["calm_target"]]
    found = lines(ask("targets", "--fields", "temperature, max_tokens,extra_kwargs.none", "--clone", clone))
    assert found == [["asking_target", "0.5", "", ""], ["calm_target", "0.1", "150", ""]]
    [long] = lines(ask("targets", "-l", "-q", "calm", "--clone", clone))
    commit = git(clone, "log", "-1", "--format=%H", "--", PATH).strip()
    assert (long[:2], long[3], long[5]) == (["calm_target", "coding_target"], "alice", commit)
    table = ask(
        "targets", "--fields", "temperature", "--clone", clone, FORCE_COLOR="1", NO_COLOR="1", COLUMNS="80"
    ).stdout
    assert re.search(r"target.*temperature", table.splitlines()[0])


def test_a_csv_file_is_in_one_piece(clone: Path, alice: Client, pull: Pull):
    long = "x" * 4000
    batch = [target(f"t{number:03}", temperature=0.5, extra_kwargs={"a": long}) for number in range(600)]
    alice.post("/v1/repo/demo/targets/batch", {"targets": batch})
    pull()
    said = ask("targets", "--csv", "--fields", "temperature,extra_kwargs.a", "-q", "t", "--clone", clone)
    rows = list(csv.reader(StringIO(said.stdout, newline="")))
    assert rows[0] == ["target_name", "temperature", "extra_kwargs.a"]
    assert len(said.stdout) > 2 * 1024 * 1024  # more than one page
    assert [row[0] for row in rows[1:]] == lines_of_names(clone)
    assert [row for row in rows if row[0] == "t599"] == [["t599", "0.5", long]]


def lines_of_names(clone: Path) -> list[str]:
    return sorted(path.stem for path in (clone / "targets").iterdir())


def test_nothing_from_outside_steers_the_terminal(hostile: Path):
    for command in (
        "explain calm_target -v",
        "log -n 3",
        "history calm_target",
        "diff HEAD -t calm_target --against asking_target --patch",
    ):
        for as_json in ((), ("--json",)):
            for colour in ({}, {"FORCE_COLOR": "1", "COLUMNS": "200"}):
                if "--patch" in command and not colour:
                    continue  # a pipe gets the patch as git takes it
                said = ask(*command.split(), *as_json, "--clone", hostile, **colour)
                assert said.exit_code == 0, said.output
                assert not [char for char in said.stdout if not char.isprintable() and char not in "\n\t\x1b"]
                if not colour or as_json:
                    assert "\x1b" not in said.stdout


def test_markup_in_a_value_is_shown_as_it_is(hostile: Path):
    for colour in ({}, {"FORCE_COLOR": "1", "NO_COLOR": "1", "COLUMNS": "200"}):
        said = ask("explain", "calm_target", "extra_kwargs", "--clone", hostile, **colour)
        assert '"[bold]x[/bold]"' in said.stdout
        assert "[red]a" in said.stdout


def test_json_keeps_every_character(hostile: Path, alice: Client):
    answer = json.loads(ask("explain", "calm_target", "--json", "--clone", hostile).stdout)
    assert answer["fields"] == alice.get("/v1/repo/demo/targets/calm_target/explain").json["fields"]
    assert HOSTILE in [field.get("value") for field in answer["fields"]]


def test_colours_are_for_terminals_and_obey_the_usual_variables(clone: Path):
    plain = ask("log", "-n", 1, "--clone", clone).stdout
    coloured = ask("log", "-n", 1, "--clone", clone, FORCE_COLOR="1").stdout
    without = ask("log", "-n", 1, "--clone", clone, FORCE_COLOR="1", NO_COLOR="1").stdout
    assert "\x1b[" not in plain
    assert "\x1b[33mcommit " in coloured
    assert "\x1b[33m" not in without
    assert without.startswith("commit ")


def test_a_table_that_is_too_wide_becomes_two_lines_a_record(clone: Path):
    narrow, wide = (
        re.sub(
            r"\x1b\[\d*m", "", ask("explain", "calm_target", "--clone", clone, FORCE_COLOR="1", COLUMNS=width).stdout
        )
        for width in ("60", "400")
    )
    commit = git(clone, "log", "--format=%h", "--abbrev=7", "--diff-filter=A", "--", "targets/calm_target.yml").strip()
    assert re.search(
        rf"^temperature  0\.1\n    template  calm_target  [\d-]+ [\d:]+  Alice  {commit}$", narrow, re.MULTILINE
    )
    assert re.search(rf"^temperature +0\.1 +template +calm_target +[\d-]+ [\d:]+ +Alice +{commit}$", wide, re.MULTILINE)
    assert re.match(r"field +value +set by +of +since \(UTC\) +who +commit *\n─", wide)


@pytest.mark.parametrize(
    ("pointer", "name"),
    [
        ("/temperature", "temperature"),
        ("/generators/0/numq", "generators.0.numq"),
        ("/extra_kwargs/a~1b", "extra_kwargs.a/b"),
        ("/extra_kwargs/a~01", "extra_kwargs.a~1"),
        ("/extra_kwargs/a.b", "/extra_kwargs/a.b"),
        ("/extra_kwargs/", "extra_kwargs."),
    ],
)
def test_the_name_of_a_field_leads_back_to_it(pointer: str, name: str):
    assert name_of(pointer) == name
    assert pointer_of(name) == pointer


def test_text_is_made_visible():
    assert visible.visible("a\x1b[0m\u202eb\n") == r"a\x1b[0m\u{202e}b\n"
    assert visible.lines("a\r\n\tb\x00\n") == "a\\r\n\tb\\x00\n"
    assert json.loads(visible.as_json({HOSTILE: "\ud800ü"})) == {HOSTILE: "\ud800ü"}
    assert visible.as_json({"a": "\U000e0001"}).isprintable()
    assert visible.shown({"old_cut": {"start": '"ab', "length": 5000, "sha256": "0"}}, "old") == '"ab… (5000 bytes)'
    assert visible.shown({}, "old") == ""
