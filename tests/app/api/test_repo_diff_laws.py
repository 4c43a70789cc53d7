"""Laws of the diff of a repo: its changes lead from one commit to the other, and the other way round."""

import random
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask

from tests.app.api.changes import change_something
from tests.app.api.helpers import demo, new_user
from tests.app.domain.helpers import apply_changes
from tests.client import Client
from tests.timeline import demo_repository, rev_list

DIFF = "/v1/repo/demo/diff"
IN_LIST = re.compile(r"/[0-9]+(/|$)")
INVERSE = {"created": "deleted", "deleted": "created", "updated": "updated"}


def files_at(app: Flask, commit: str) -> dict[str, str]:
    """Return the blob id of each file at a commit, as git lists them."""
    lines = demo(app, "ls-tree", "-r", "-z", commit).split("\0")
    return {line.split("\t")[1]: line.split()[2] for line in lines if line}


def document(app: Flask, blob: str | None) -> dict[str, Any]:
    return {} if blob is None else yaml.safe_load(demo(app, "cat-file", "blob", blob))


def flat(document: dict[str, Any], changes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a document as `changes` name its fields: those of its config at the top, or all as they are."""
    if any(change["field"].startswith("/overrides") for change in changes):
        return document
    rest = {name: value for name, value in document.items() if name not in ("config", "overrides")}
    return {**rest, **document.get("config", {})}


def walk(client: Client, query: str) -> list[dict[str, Any]]:
    """Return the files on all pages of a query."""
    files, cursor = [], ""
    while cursor is not None:
        page = client.get(f"{DIFF}?{query}&full=true&limit=3&cursor={cursor}").json
        files += page["files"]
        cursor = page["next"]
    assert sum(page["counts"].values()) == len(files)
    return files


@pytest.mark.parametrize("seed", range(4))
def test_the_changes_of_all_pages_make_one_commit_the_other(app: Flask, master: Client, alice: Client, seed: int):
    chance = random.Random(seed)
    new_user(master, "bob")
    for _ in range(25):
        change_something(app, alice, chance)
    commits = rev_list(app)
    for _ in range(6):
        old, new = chance.choice(commits), chance.choice(commits)
        before, after = files_at(app, old), files_at(app, new)
        found = walk(alice, f"from={old}&to={new}")
        paths = [file["path"] for file in found]
        assert paths == sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
        for file in found:
            path, changes = file["path"], file["changes"]
            assert file["version"] == after.get(path)
            last = demo(app, "log", "-1", "--format=%H", new, "--", path).strip()
            assert (file["changed"] or {"commit": ""})["commit"] == last
            if file["kind"] not in ("other", "question_template"):
                was, now = (document(app, blobs.get(path)) for blobs in (before, after))
                assert apply_changes(flat(was, changes), changes) == flat(now, changes), (path, changes)


def turned(file: dict[str, Any]) -> dict[str, Any]:
    """Return a file's changes with old and new values in each other's place."""
    sides = {"old": "new", "new": "old", "field": "field"}
    changes = file["changes"] and [{sides[key]: change[key] for key in change} for change in file["changes"]]
    return {"changes": changes}


def by_field(file: dict[str, Any]) -> list[str] | None:
    """Return a file's changes in any order, but for those in lists, whose positions are those of one side."""
    changes = file["changes"]
    return changes and sorted(str(sorted(change.items())) for change in changes if not IN_LIST.search(change["field"]))


@pytest.mark.parametrize("seed", range(2))
def test_the_other_way_round_is_the_inverse(app: Flask, master: Client, alice: Client, seed: int, tmp_path: Path):
    chance = random.Random(seed)
    new_user(master, "bob")
    for _ in range(20):
        change_something(app, alice, chance)
    commits = rev_list(app)
    for _ in range(4):
        old, new = chance.choice(commits), chance.choice(commits)
        there, back = walk(alice, f"from={old}&to={new}"), walk(alice, f"from={new}&to={old}")
        assert [file["path"] for file in there] == [file["path"] for file in back]
        for one, other in zip(there, back, strict=True):
            assert other["action"] == INVERSE[one["action"]]
            assert by_field(one) == by_field(turned(other))
        apply_with_git(app, alice, tmp_path, old, new)


def apply_with_git(app: Flask, alice: Client, tmp_path: Path, old: str, new: str) -> None:
    """Expect that the text of a diff, applied by git to one commit, gives the files of the other."""
    text = alice.get(f"{DIFF}?from={old}&to={new}", Accept="text/x-diff").text
    index = {"GIT_INDEX_FILE": str(tmp_path / f"{old}-{new}"), "PATH": "/usr/bin:/bin"}
    where = demo_repository(app).path
    for command, given in (
        (["read-tree", old], ""),
        (["apply", "--cached", "--allow-empty"], text),
        (["write-tree"], ""),
    ):
        done = subprocess.run(
            ["git", *command], cwd=where, env=index, input=given, text=True, capture_output=True, check=True
        )
    assert done.stdout.strip() == demo(app, "rev-parse", f"{new}^{{tree}}").strip()
