"""The commands of the audit as processes of their own: against a real server, for a terminal and for a pipe."""

import json
import re
import sys
from pathlib import Path

from tests.e2e.commands import bakehouse, on_a_terminal, settings
from tests.e2e.conftest import Git, User, new_user
from tests.server import Server, running


def make_story(user: User) -> None:
    """Make a target on a template, and change a field of it."""
    base = {"target_name": "base", "template": "default", "overrides": {"temperature": 0.7}}
    user.call("POST", "/v1/repo/demo/targets", base)
    nightly = {"target_name": "nightly_base", "template": "base", "overrides": {"max_tokens": 9}}
    user.call("POST", "/v1/repo/demo/targets", nightly)
    user.call("PUT", "/v1/repo/demo/targets/nightly_base", {"template": "base", "overrides": {"temperature": 1.4}})


def test_a_terminal_gets_a_table_and_colours(user: User):
    make_story(user)
    printed = on_a_terminal("explain", "nightly_base", env=settings(user))
    assert "\x1b[1m1.4" in printed
    plain = re.sub(r"\x1b\[[\d;]*m", "", printed)
    assert re.search(r"^field +value +set by +of +since \(UTC\) +who +commit", plain, re.MULTILINE)
    assert re.search(r"^temperature +1\.4 +overrides +nightly_base +", plain, re.MULTILINE)
    assert "\x1b[31m" in on_a_terminal("log", "-n", "1", env=settings(user))
    assert "\x1b[31m" not in on_a_terminal("log", "-n", "1", env=settings(user, NO_COLOR="1"))


def test_a_pipe_gets_lines(user: User):
    make_story(user)
    done = bakehouse("explain", "nightly_base", "temperature", env=settings(user))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\t")[:5] == ["temperature", "set", "1.4", "overrides", "nightly_base"]
    assert done.stdout.count("\n") == 1


def test_the_story_ends_with_a_revert(user: User):
    make_story(user)
    env = settings(user)
    [changed] = [
        line.split("\t")
        for line in bakehouse("history", "nightly_base", env=env).stdout.splitlines()
        if line.split("\t")[6:] == ["temperature", "0.7", "1.4"]
    ]
    before = json.loads(bakehouse("history", "nightly_base", "--json", env=env).stdout)["commits"][1]["commit"]
    assert changed[2] == user.id
    done = bakehouse("revert", "nightly_base", "--to", before, "--reason", "Zurück: 1.4 war ein Irrtum", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    name, commit = done.stdout.strip().split("\t")
    assert name == "nightly_base"
    log = bakehouse("log", "-n", "1", env=env).stdout.splitlines()[0].split("\t")
    assert log[0] == commit
    assert log[3] == "Zurück: 1.4 war ein Irrtum"
    changes = bakehouse("diff", before, "-t", "nightly_base", env=env)
    assert (changes.returncode, changes.stdout) == (0, "")


def test_a_clone_needs_no_server(user: User, git: Git, tmp_path: Path):
    make_story(user)
    git("clone", "--quiet", user.clone_url(), "clone")
    there = bakehouse("explain", "nightly_base", "--json", env=settings(user)).stdout
    alone = {name: value for name, value in settings(user).items() if not name.startswith("BAKEHOUSE_")}
    here = bakehouse("explain", "nightly_base", "--json", env=alone, cwd=tmp_path / "clone")
    assert here.returncode == 0, here.stderr
    assert here.stdout == there
    in_both = settings(user) | {"BAKEHOUSE_REPO": ""}
    assert bakehouse("explain", "nightly_base", "--json", env=in_both, cwd=tmp_path / "clone").stdout == there


def test_a_repo_of_another_user_is_named_with_its_owner(user: User, server: Server):
    make_story(user)
    guest = new_user(server)
    assert bakehouse("log", "-r", f"{user.id}/demo", env=settings(guest)).returncode == 1
    user.call("PUT", f"/v1/repo/demo/grants/{guest.id}", {"access": "read"})
    done = bakehouse("log", "-r", f"{user.id}/demo", "-n", "1", env=settings(guest))
    assert done.stdout.split("\t")[4:7] == ["repo.yml", "updated", "grants"]


def test_a_label_is_moved_and_deleted(user: User):
    make_story(user)
    env = settings(user)
    first = bakehouse("history", "nightly_base", env=env).stdout.splitlines()[-1].split("\t")[0]
    made = bakehouse("labels", "move", "production", "main", "--reason", "Release", env=env)
    assert made.stdout.split("\t")[:2] == ["production", ""]
    dry = bakehouse("labels", "move", "production", first, "--dry-run", "--protect", user.id, env=env)
    assert dry.returncode == 0, dry.stderr
    assert bakehouse("labels", env=env).stdout.split("\t")[4] == "Release"
    gone = bakehouse("labels", "delete", "production", "--reason", "No use", env=env)
    assert gone.stdout.startswith("production\t")
    moves = [line.split("\t") for line in bakehouse("labels", "history", "production", env=env).stdout.splitlines()]
    assert [(move[1] == "", move[4]) for move in moves] == [(True, "No use"), (False, "Release")]
    assert bakehouse("labels", env=env).stdout == ""


def test_a_rebase_shows_what_it_would_change(user: User):
    make_story(user)
    env = settings(user)
    user.call("PUT", "/v1/repo/demo/targets/base", {"template": "base", "overrides": {"max_concurrency": 3}})
    for options, reason in ((["--dry-run"], ""), (["--reason", "Slower"], "Slower")):
        done = bakehouse("rebase", "nightly_base", *options, env=env)
        assert (done.returncode, done.stdout) == (0, "nightly_base\tmax_concurrency\t10\t3\n"), done.stderr
        assert bakehouse("log", "-n", "1", env=env).stdout.split("\t")[3] == reason
    assert bakehouse("rebase", "nightly_base", env=env).stdout == ""


def test_a_renamed_repo_is_read_by_its_old_name(user: User):
    make_story(user)
    user.call("POST", "/v1/repo/demo/rename", {"name": "renamed"})
    env = settings(user)
    assert bakehouse("log", env=env).stdout == bakehouse("log", "-r", "renamed", env=env).stdout != ""
    done = bakehouse("revert", "nightly_base", "--to", "main", env=env)
    assert done.returncode == 1
    assert "renamed" in done.stderr


def test_a_token_is_never_printed(user: User):
    env = settings(user) | {"BAKEHOUSE_TOKEN": "bakehouse_wrong-and-secret"}
    for arguments in (["log"], ["explain", "x", "--json"], ["log", "--url", "http://127.0.0.1:1"]):
        done = bakehouse(*arguments, env=env)
        assert done.returncode in (1, 3)
        assert "Traceback" not in done.stderr
        assert "wrong-and-secret" not in done.stdout + done.stderr


def test_a_server_imports_no_client_and_no_tables(tmp_path: Path):
    command = [sys.executable, "-X", "importtime", "-m", "app.cli", "serve"]
    with running(tmp_path, command=command) as server:
        imported = re.findall(r"^import time: .*\| +([\w.]+)$", server.log.read_text(), re.MULTILINE)
    assert {"flask", "app.cli.arbiter"} <= set(imported)
    assert not [name for name in imported if name.split(".")[0] in ("httpx2", "httpcore2", "rich")]
    assert not [name for name in imported if name.startswith(("app.cli.asking", "app.cli.audit", "app.cli.runs"))]
